import { isDeepStrictEqual } from 'node:util';
import { figuresOf, hashOf } from '../../hashed-numbers.ts';
import { NO_NUMBERS, numbersBeyond } from '../../number-ranges.ts';
import { askOnce } from '../../probe/counted-rows.ts';
import type { StoredNumbers } from '../../probe/stored-numbers.ts';
import { type OpenVerification, verifyNumbers } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { pause } from '../../supervision/time-limit.ts';
import { openRedisReader, type RedisReader } from './redis-reader.ts';
import { isPlayerState, type PlayerState } from './server/player-state.ts';
import { mudWorkload, TABLE } from './workload.ts';

/** Beyond the interval, in which a save is under way. */
const SAVE_MS = 5_000;
const POLL_MS = 200;

/**
 * Verifies every command that was acknowledged. During the load a command is kept where Redis or PostgreSQL has it; at the end,
 * once the instances have saved, only what the rows have counts. What Redis alone had when it was killed may be lost: this is
 * the interval of the saves, and a second in which one of them is under way.
 */
export const openVerification: OpenVerification = async ({ endpoints, workload }) => {
  const { database, addresses } = endpoints;
  if (database === null || addresses?.redis === undefined)
    return { because: 'its PostgreSQL and Redis are unknown' };
  const redis = openRedisReader(addresses.redis);
  const { saveSeconds } = mudWorkload(workload);
  return verifyNumbers({
    read: async (end) => {
      if (end) await allSaved(redis, saveSeconds);
      // First Redis: what is saved meanwhile is in the table then.
      const inRedis = new Map(await redis.states(workload.entities));
      const rows = await readRows(database);
      return end ? savedNumbers(inRedis, rows) : storedNumbers(inRedis, rows);
    },
    losses: [{ of: 'redis', withinSeconds: saveSeconds + 1 }],
  });
};

/** A row as it is in PostgreSQL: bigints as text, and whatever its state is. */
export type GameRow = readonly [
  player: number,
  state: unknown,
  lastSeq: number,
  appliedN: number,
  seqSum: string,
  seqHash: string,
];

const readRows = (database: DatabaseEndpoint): Promise<readonly GameRow[]> =>
  askOnce(database, `select user_id, state, last_seq, applied_n, seq_sum, seq_hash from ${TABLE}`);

type States = ReadonlyMap<number, PlayerState>;

/** What both stores have: rows have what was played without Redis, and Redis what is not saved yet. */
export function storedNumbers(inRedis: States, rows: readonly GameRow[]): StoredNumbers {
  const { states, wrong } = statesOf(rows);
  return { kept: listed(inRedis), saved: listed(states), wrong };
}

/** At the end only the rows count; and a row with the numbers that Redis has, has the same character. */
export function savedNumbers(inRedis: States, rows: readonly GameRow[]): StoredNumbers {
  const { states, wrong } = statesOf(rows);
  const others = [...inRedis].flatMap(([player, state]) => differences(player, state, states.get(player)));
  return { kept: new Map(), saved: listed(states), wrong: [...wrong, ...others] };
}

const listed = (states: States): ReadonlyMap<number, readonly number[]> =>
  new Map([...states].map(([player, { numbers }]) => [player, numbersBeyond(numbers, NO_NUMBERS)]));

/** The states of the rows; and the rows that have none, or whose columns are not those of the numbers in it. */
function statesOf(rows: readonly GameRow[]): { readonly states: States; readonly wrong: readonly string[] } {
  const states = new Map<number, PlayerState>();
  const wrong: string[] = [];
  for (const [player, state, ...columns] of rows) {
    if (!isPlayerState(state)) {
      wrong.push(`player ${player}: its row has no state of a player`);
      continue;
    }
    states.set(player, state);
    const { lastSeq, appliedN, seqSum, seqHash } = figuresOf({
      ...state,
      seqHash: hashOf(state.numbers),
    });
    const expected = [lastSeq, appliedN, seqSum, seqHash].join(', ');
    if (columns.join(', ') !== expected || state.seqHash !== seqHash)
      wrong.push(`player ${player}: the figures of its row are ${columns.join(', ')}, and not ${expected}`);
  }
  return { states, wrong };
}

const CHARACTER = ['room', 'found', 'inventory', 'journal'] as const;

function differences(player: number, inRedis: PlayerState, row: PlayerState | undefined): readonly string[] {
  if (row === undefined || !isDeepStrictEqual(inRedis.numbers, row.numbers)) return [];
  return CHARACTER.filter((field) => !isDeepStrictEqual(inRedis[field], row[field])).map(
    (field) => `player ${player}: the ${field} in its row is not the one in Redis, after the same commands`,
  );
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
