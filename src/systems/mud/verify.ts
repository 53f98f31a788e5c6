import { addRow, askOnce, type CountedRow, type CountedRows, noRows } from '../../probe/counted-rows.ts';
import { type OpenVerification, verifyRows } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { pause } from '../../supervision/time-limit.ts';
import { openRedisReader, type RedisReader } from './redis-reader.ts';
import { type AppliedNumbers, figuresOf, type PlayerState, unitedNumbers } from './server/player-state.ts';
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
        if (!end) return readBoth(database, redis, workload.entities);
        await allSaved(redis, saveSeconds);
        return readColumns(database, workload.entities);
      },
      losses: [{ of: 'redis', withinSeconds: saveSeconds + 1 }],
    },
    workload.entities,
  );
};

type Row = readonly [player: number, state: PlayerState];

/** The rows by their own columns. */
async function readColumns(database: DatabaseEndpoint, entities: number): Promise<CountedRows> {
  const columns = await askOnce<CountedRow>(
    database,
    `select user_id, last_seq, applied_n, seq_sum, seq_hash from ${TABLE}`,
  );
  return countedRows(columns, entities);
}

function countedRows(players: Iterable<CountedRow>, entities: number): CountedRows {
  const rows = noRows(entities);
  for (const player of players) addRow(rows, player);
  // A player without a row has no numbers, which is known.
  rows.seqHash.forEach((hash, id) => {
    if (Number.isNaN(hash)) rows.seqHash[id] = 0;
  });
  return rows;
}

/**
 * What both stores have of each player: the row may have commands that were carried out while Redis was away, and Redis those
 * that it had before.
 */
async function readBoth(
  database: DatabaseEndpoint,
  redis: RedisReader,
  entities: number,
): Promise<CountedRows> {
  // First Redis: what is saved meanwhile is in the table then.
  const players = new Map<number, AppliedNumbers>(await redis.states(entities));
  for (const [player, row] of await askOnce<Row>(database, `select user_id, state from ${TABLE}`)) {
    const inRedis = players.get(player);
    players.set(player, inRedis === undefined ? row : unitedNumbers(inRedis, row));
  }
  const counted = [...players].map(([player, numbers]): CountedRow => {
    const { lastSeq, appliedN, seqSum, seqHash } = figuresOf(numbers);
    return [player, lastSeq, appliedN, seqSum, seqHash];
  });
  return countedRows(counted, entities);
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
