import { askOnce } from '../../probe/counted-rows.ts';
import type { StoredNumbers } from '../../probe/stored-numbers.ts';
import { type OpenVerification, verifyNumbers } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { type Match, winnerOf } from './match.ts';
import { choiceOf, pointsOf, quizOf } from './questions.ts';
import { type Fields, matchIn } from './stored-match.ts';
import { ANSWERS_TABLE } from './tables.ts';
import { PAIR, quizWorkload } from './workload.ts';

/** The rows of finished matches: strings where they are bigint. */
export interface FinishedRows {
  readonly matches: readonly (readonly [
    id: string,
    quiz: number,
    questions: number,
    server: number,
    winner: number | null,
  ])[];
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

/** What the run is known to have asked for, without asking its servers. */
export interface Expected {
  readonly seed: number;
  readonly questions: number;
  readonly servers: number;
}

/**
 * Verifies every acknowledged number by itself: it is in Redis, in a match that goes on, or in PostgreSQL, in one that has
 * finished; and that matches are whole, and what the seed and the numbers of the operations imply.
 */
export const openVerification: OpenVerification = async ({ endpoints, workload }) => {
  const { database, addresses, worlds } = endpoints;
  if (database === null) return { because: 'no PostgreSQL URL was given: --probe-postgres' };
  const at = addresses?.redis;
  if (at === undefined) return { because: 'no Redis URL was given: --redis' };
  const { questions } = quizWorkload(workload);
  return verifyNumbers({
    // A match is removed from Redis once it is in PostgreSQL, so Redis is read first.
    async read() {
      const live = await readLive(at);
      const rows = await readRows(database);
      return storedNumbers(live, rows, { seed: workload.seed, questions, servers: worlds.length });
    },
  });
};

/** What is stored: the numbers of each player's operations, and what is wrong with the matches. Pure. */
export function storedNumbers(
  live: ReadonlyMap<string, Fields>,
  rows: FinishedRows,
  expected: Expected,
): StoredNumbers {
  const { matches, players, answers } = rows;
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
  const wrong = [...wrongIn(rows, expected)];
  const finished = new Set(matches.map(([id]) => id));
  // One that is finished may still be in Redis; one that cannot go on keeps nothing.
  const going = [...live].flatMap(([id, fields]) =>
    finished.has(id) ? [] : (matchIn(Number(id), fields) ?? []),
  );
  const latest = latestEntries(players, going);
  for (const match of going) {
    // Both have begun another match: nobody goes on with this one. Where there are other servers, players meet there.
    if (expected.servers === 1 && match.seats.every(({ player, entry }) => entry < (latest.get(player) ?? 0)))
      continue;
    for (const { player, entry, ready, answers: given } of match.seats) {
      add(kept, player, entry);
      if (ready !== null) add(kept, player, ready);
      for (const answer of given) if (answer !== null) add(kept, player, answer.number);
    }
    wrong.push(...wrongWith(playedOf(match), expected));
  }
  return { kept, saved, wrong };
}

/** By player, the number of the operation by which it entered its last match. */
function latestEntries(
  players: FinishedRows['players'],
  going: readonly Match[],
): ReadonlyMap<number, number> {
  const latest = new Map<number, number>();
  const entered = (player: number, entry: number): void =>
    void latest.set(player, Math.max(entry, latest.get(player) ?? 0));
  for (const [, player, entry] of players) entered(player, entry);
  for (const { seats } of going) for (const { player, entry } of seats) entered(player, entry);
  return latest;
}

/** A match, as one of the stores has it. */
interface Played {
  readonly id: string;
  readonly quiz: number;
  readonly questions: number;
  readonly seats: readonly {
    readonly player: number;
    readonly entry: number;
    readonly ready: number | null;
    readonly answers: readonly {
      readonly question: number;
      readonly choice: number;
      readonly number: number;
    }[];
  }[];
}

const playedOf = ({ id, quiz, questions, seats }: Match): Played => ({
  ...{ id: String(id), quiz, questions },
  seats: seats.map(({ player, entry, ready, answers }) => ({
    ...{ player, entry, ready },
    answers: answers.flatMap((answer, question) => (answer === null ? [] : [{ question, ...answer }])),
  })),
});

/** The points that a seat's choices earn, as the seed and the numbers have them. */
const earnedBy = (quiz: number, { player, answers }: Played['seats'][number], seed: number): number =>
  answers.reduce(
    (sum, { question, number }) => sum + pointsOf(quiz, question, choiceOf(seed, player, number)),
    0,
  );

/** What is wrong with a match, finished or not: one sentence for each. */
function wrongWith({ id, quiz, questions, seats }: Played, expected: Expected): readonly string[] {
  const { seed } = expected;
  const wrong: string[] = [];
  const report = (what: string): void => void wrong.push(`match ${id}: ${what}`);
  if (questions !== expected.questions) report(`${questions} questions, expected ${expected.questions}`);
  const [creator, joiner] = [...seats].sort((a, b) => a.player - b.player);
  if (creator !== undefined && quizOf(seed, creator.player, creator.entry) !== quiz)
    report(`quiz ${quiz}, which its creator did not choose`);
  if (creator !== undefined && creator.player % PAIR !== 0)
    report(`begun by player ${creator.player}, who joins the matches of another`);
  if (creator !== undefined && joiner !== undefined && joiner.player !== creator.player + 1)
    report(`players ${creator.player} and ${joiner.player}, who are no pair`);
  for (const { player, entry, ready, answers } of seats) {
    if (ready !== null && ready <= entry) report(`player ${player} was ready before it was there`);
    // A player answers the questions as they come: the n-th of its answers is that of the n-th question.
    for (const [n, { question, choice, number }] of [...answers]
      .sort((a, b) => a.number - b.number)
      .entries()) {
      if (question !== n)
        report(`number ${number} of player ${player} is under question ${question}, and answered ${n}`);
      if (ready === null || number <= ready) report(`player ${player} answered before it was ready`);
      if (choice !== choiceOf(seed, player, number))
        report(`player ${player} has option ${choice} of question ${question}, which it did not choose`);
    }
  }
  return wrong;
}

/** What is wrong with finished matches: one sentence for each. */
function wrongIn({ matches, players, answers }: FinishedRows, expected: Expected): readonly string[] {
  const { seed, questions: asked, servers } = expected;
  const wrong: string[] = [];
  const playersOf = grouped(players);
  const answersOf = grouped(answers);
  for (const [id, quiz, questions, server, winner] of matches) {
    const report = (what: string): void => void wrong.push(`match ${id}: ${what}`);
    const own = playersOf.get(id) ?? [];
    const given = answersOf.get(id) ?? [];
    const played: Played = {
      ...{ id, quiz, questions },
      seats: own.map(([, player, entry, ready]) => ({
        ...{ player, entry, ready },
        answers: given.flatMap(([, of, question, choice, number]) =>
          of === player ? [{ question, choice, number }] : [],
        ),
      })),
    };
    wrong.push(...wrongWith(played, expected));
    if (own.length !== PAIR) report(`${own.length} players, expected ${PAIR}`);
    if (given.length !== PAIR * asked) report(`${given.length} answers, expected ${PAIR * asked}`);
    for (const { player, answers: theirs } of played.seats)
      if (theirs.length !== asked) report(`${theirs.length} answers of player ${player}, expected ${asked}`);
    const scores = played.seats.map((seat) => ({
      player: seat.player,
      score: earnedBy(quiz, seat, seed),
    }));
    for (const [i, [, player, , , score]] of own.entries()) {
      const earned = scores[i]?.score;
      if (score !== earned) report(`player ${player} has ${score} points, and earned ${earned}`);
    }
    if (winner !== winnerOf(scores)) report(`player ${winner} won, expected ${winnerOf(scores)}`);
    if (server < 1 || server > servers) report(`of server ${server}, of ${servers}`);
  }
  const ids = new Set(matches.map(([id]) => id));
  if (ids.size < matches.length) wrong.push(`${matches.length - ids.size} matches are there twice`);
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
  select 0, id, quiz, questions, server, winner from quiz_match
  union all select 1, match_id, player, entry_number, ready_number, score from match_player
  union all select 2, match_id, player, question, choice, number from ${ANSWERS_TABLE}`;

async function readRows(database: DatabaseEndpoint): Promise<FinishedRows> {
  const rows = await askOnce<
    readonly [table: number, id: string, a: number, b: number, c: number, d: number]
  >(database, ALL_ROWS);
  const of = (wanted: number) => rows.flatMap(([table, ...row]) => (table === wanted ? [row] : []));
  return {
    matches: of(0),
    players: of(1).map(([id, player, entry, ready, score]) => [id, player, entry, ready, score]),
    answers: of(2),
  };
}

const SCAN = 1_000;
const TIMEOUT_MS = 10_000;

/** The matches in Redis by id. */
async function readLive(url: string): Promise<ReadonlyMap<string, Fields>> {
  const { Redis } = await import('ioredis');
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
