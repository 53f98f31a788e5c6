import { Redis } from 'ioredis';
import { askOnce } from '../../probe/counted-rows.ts';
import type { StoredNumbers } from '../../probe/stored-numbers.ts';
import { type OpenVerification, verifyNumbers } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { choiceOf, pointsOf, quizOf } from './questions.ts';
import { changesIn, type Fields, headIn } from './stored-match.ts';
import { ANSWERS_TABLE } from './tables.ts';
import { PAIR } from './workload.ts';

/** The rows of finished matches: strings where they are bigint. */
export interface FinishedRows {
  readonly matches: readonly (readonly [id: string, quiz: number, questions: number])[];
  readonly players: readonly (readonly [
    match: string,
    player: number,
    entry: number,
    ready: number,
    score: number,
  ])[];
  readonly answers: readonly (readonly [
    match: string,
    player: number,
    question: number,
    choice: number,
    number: number,
  ])[];
}

/**
 * Verifies every acknowledged number by itself: it is in Redis, in a match that goes on, or in PostgreSQL, in one that has
 * finished; and that the rows of a finished match are whole, and what the seed and the numbers of the operations imply.
 */
export const openVerification: OpenVerification = async ({ endpoints, workload }) => {
  const { database, addresses } = endpoints;
  if (database === null) return { because: 'no PostgreSQL URL was given: --probe-postgres' };
  const at = addresses?.redis;
  if (at === undefined) return { because: 'no Redis URL was given: --redis' };
  return verifyNumbers({
    // A match is removed from Redis once it is in PostgreSQL, so Redis is read first.
    async read() {
      const live = await readLive(at);
      const rows = await readRows(database);
      return storedNumbers(live, rows, workload.seed);
    },
  });
};

/** What is stored: the numbers of each player's operations, and what is wrong with the rows. Pure. */
export function storedNumbers(
  live: ReadonlyMap<string, Fields>,
  { matches, players, answers }: FinishedRows,
  seed: number,
): StoredNumbers {
  const saved = new Map<number, number[]>();
  const add = (to: Map<number, number[]>, player: number, number: number): void => {
    const own = to.get(player);
    if (own === undefined) to.set(player, [number]);
    else own.push(number);
  };
  for (const [, player, entry, ready] of players) {
    add(saved, player, entry);
    add(saved, player, ready);
  }
  for (const [, player, , , number] of answers) add(saved, player, number);
  const kept = new Map([...saved].map(([player, numbers]) => [player, [...numbers]]));
  const finished = new Set(matches.map(([id]) => id));
  for (const [id, fields] of live) {
    // It is finished, and Redis still has it.
    if (finished.has(id)) continue;
    const head = headIn(fields);
    if (head !== null) add(kept, head.player, head.entry);
    for (const { player, number } of changesIn(fields)) add(kept, player, number);
  }
  return { kept, saved, wrong: wrongIn({ matches, players, answers }, seed) };
}

/** What is wrong with finished matches: one sentence for each. */
function wrongIn({ matches, players, answers }: FinishedRows, seed: number): readonly string[] {
  const wrong: string[] = [];
  const playersOf = grouped(players);
  const answersOf = grouped(answers);
  for (const [id, quiz, questions] of matches) {
    const report = (what: string): void => void wrong.push(`match ${id}: ${what}`);
    const own = playersOf.get(id) ?? [];
    const given = answersOf.get(id) ?? [];
    if (own.length !== PAIR) report(`${own.length} players, expected ${PAIR}`);
    if (given.length !== PAIR * questions) report(`${given.length} answers, expected ${PAIR * questions}`);
    const [creator] = [...own].sort(([, a], [, b]) => a - b);
    if (creator !== undefined && quizOf(seed, creator[1], creator[2]) !== quiz)
      report(`quiz ${quiz}, which its creator did not choose`);
    for (const [, player, question, choice, number] of given) {
      if (choice !== choiceOf(seed, player, number))
        report(`player ${player} has option ${choice} of question ${question}, which it did not choose`);
    }
    for (const [, player, , , score] of own) {
      const earned = given
        .filter(([, of]) => of === player)
        .reduce((sum, [, , question, , number]) => {
          return sum + pointsOf(quiz, question, choiceOf(seed, player, number));
        }, 0);
      if (score !== earned) report(`player ${player} has ${score} points, and earned ${earned}`);
    }
  }
  const ids = new Set(matches.map(([id]) => id));
  for (const [table, rows] of [
    ['match_player', playersOf],
    [ANSWERS_TABLE, answersOf],
  ] as const) {
    for (const id of rows.keys())
      if (!ids.has(id)) wrong.push(`match ${id}: in ${table} and not in quiz_match`);
  }
  return wrong;
}

function grouped<T extends readonly [match: string, ...rest: unknown[]]>(
  rows: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const by = new Map<string, T[]>();
  for (const row of rows) {
    const own = by.get(row[0]);
    if (own === undefined) by.set(row[0], [row]);
    else own.push(row);
  }
  return by;
}

/** One statement, so that all rows are of one instant. */
const ALL_ROWS = `
  select 0, id, quiz, questions, 0, 0 from quiz_match
  union all select 1, match_id, player, entry_number, ready_number, score from match_player
  union all select 2, match_id, player, question, choice, number from ${ANSWERS_TABLE}`;

async function readRows(database: DatabaseEndpoint): Promise<FinishedRows> {
  const rows = await askOnce<
    readonly [table: number, id: string, a: number, b: number, c: number, d: number]
  >(database, ALL_ROWS);
  const of = (wanted: number) => rows.flatMap(([table, ...row]) => (table === wanted ? [row] : []));
  return {
    matches: of(0).map(([id, quiz, questions]) => [id, quiz, questions]),
    players: of(1).map(([id, player, entry, ready, score]) => [id, player, entry, ready, score]),
    answers: of(2),
  };
}

const SCAN = 1_000;
const TIMEOUT_MS = 10_000;

/** The matches in Redis by id. */
async function readLive(url: string): Promise<ReadonlyMap<string, Fields>> {
  const redis = new Redis(url, {
    ...{ lazyConnect: true, connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
    ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, disableClientInfo: true },
  });
  redis.on('error', () => undefined); // the pending command rejects
  try {
    await redis.connect();
    const live = new Map<string, Fields>();
    for (let cursor = '0'; ; ) {
      const [next, keys] = await redis.scan(cursor, 'MATCH', 'match:*', 'COUNT', SCAN);
      const all = await Promise.all(keys.map((key) => redis.hgetall(key)));
      for (const [i, key] of keys.entries()) live.set(key.slice('match:'.length), all[i] ?? {});
      cursor = next;
      if (cursor === '0') return live;
    }
  } finally {
    redis.disconnect();
  }
}
