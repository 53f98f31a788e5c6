import { addRow, askOnce, type CountedRows, noRows } from '../../probe/counted-rows.ts';
import { type OpenVerification, verifyRows } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { pause } from '../../supervision/time-limit.ts';
import { openRedisReader, type RedisReader } from './redis-reader.ts';
import { counted, type PlayerState } from './server/player-state.ts';
import { mudWorkload, TABLE } from './workload.ts';

/** Beyond the interval, in which a save is under way. */
const SAVE_MS = 5_000;
const POLL_MS = 200;

/**
 * Verifies the commands that were acknowledged. During the load a command is kept where Redis or PostgreSQL has it; at the end,
 * once the instances have saved, only what the rows have counts. What Redis alone had when it was killed may be lost: this is
 * the interval of the saves, and a second in which one of them is under way.
 */
export const openVerification: OpenVerification = async ({ endpoints, workload }) => {
  const { database, addresses } = endpoints;
  if (database === null || addresses?.redis === undefined)
    return { because: 'its PostgreSQL and Redis are unknown' };
  const redis = openRedisReader(addresses.redis);
  const { saveSeconds } = mudWorkload(workload);
  return verifyRows(
    {
      read: async (end) => {
        if (!end) return newestRows(database, redis, workload.entities);
        await allSaved(redis, saveSeconds);
        return rowsOf(await readTable(database), workload.entities);
      },
      losses: [{ of: 'redis', withinSeconds: saveSeconds + 1 }],
    },
    workload.entities,
  );
};

type Row = readonly [player: number, state: PlayerState];

const readTable = async (database: DatabaseEndpoint): Promise<readonly Row[]> => {
  const rows = await askOnce<[number, PlayerState, number, number, string, string]>(
    database,
    `select user_id, state, last_seq, applied_n, seq_sum, seq_hash from ${TABLE}`,
  );
  return rows.map(([player, state, lastSeq, appliedN, seqSum, seqHash]) => [
    player,
    { ...state, lastSeq, appliedN, seqSum: Number(seqSum), seqHash: Number(seqHash) },
  ]);
};

function rowsOf(states: Iterable<Row>, entities: number): CountedRows {
  const rows = noRows(entities);
  for (const [player, { lastSeq, appliedN, seqSum, seqHash }] of states)
    addRow(rows, [player, lastSeq, appliedN, seqSum, seqHash]);
  // A player without a row has no numbers, which is known.
  rows.seqHash.forEach((hash, id) => {
    if (Number.isNaN(hash)) rows.seqHash[id] = 0;
  });
  return rows;
}

/** What both stores have of each player. */
async function newestRows(
  database: DatabaseEndpoint,
  redis: RedisReader,
  entities: number,
): Promise<CountedRows> {
  // First Redis: what is saved meanwhile is in the table then.
  const states = new Map(await redis.states(entities));
  for (const [player, row] of await readTable(database)) {
    const inRedis = states.get(player);
    states.set(player, inRedis === undefined ? row : together(inRedis, row));
  }
  return rowsOf(states, entities);
}

/**
 * The row may have commands that were carried out while Redis was away, and Redis those that it had before: until a server has
 * brought them together, the player has both.
 */
function together(inRedis: PlayerState, row: PlayerState): PlayerState {
  const later = row.outage.filter(([number]) => number > inRedis.lastSeq);
  if (later.length > 0) return later.reduce((state, [number]) => counted(state, number), inRedis);
  return inRedis.appliedN > row.appliedN ? inRedis : row;
}

/** Resolves when nothing is left to be saved. After two intervals it no longer waits: what is missing is lost. */
async function allSaved(redis: RedisReader, saveSeconds: number): Promise<void> {
  const until = performance.now() + 2 * saveSeconds * 1e3 + SAVE_MS;
  while ((await redis.unsaved()) > 0) {
    if (performance.now() > until) return;
    await pause(POLL_MS, NEVER);
  }
}
const NEVER = new AbortController().signal;
