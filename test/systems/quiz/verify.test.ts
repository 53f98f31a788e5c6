import { expect, test } from 'vitest';
import { applyChange, openMatch, scoreOf, winnerOf } from '../../../src/systems/quiz/match.ts';
import { choiceOf, quizOf } from '../../../src/systems/quiz/questions.ts';
import { fieldsOf } from '../../../src/systems/quiz/stored-match.ts';
import { statementsOf } from '../../../src/systems/quiz/tables.ts';
import { type Expected, type FinishedRows, storedNumbers } from '../../../src/systems/quiz/verify.ts';

const SEED = 11;
const EXPECTED: Expected = { seed: SEED, questions: 2, servers: 1 };

/** A match of two questions that was played to its end: creator 0 with the numbers 1 to 4, joiner 1 with 5 to 8. */
function played() {
  const quiz = quizOf(SEED, 0, 1);
  const match = openMatch({ id: 42, code: 'abc', quiz, questions: 2 }, { player: 0, entry: 1 });
  applyChange(match, { kind: 'join', player: 1, number: 5 });
  for (const [player, first] of [
    [0, 1],
    [1, 5],
  ] as const) {
    applyChange(match, { kind: 'ready', player, number: first + 1 });
    for (const question of [0, 1]) {
      const number = first + 2 + question;
      const choice = choiceOf(SEED, player, number);
      applyChange(match, { kind: 'answer', player, number, question, choice, timeSpent: 10 });
    }
  }
  return match;
}

/** The rows that a server writes of it. */
function rows(): FinishedRows {
  const match = played();
  const scores = match.seats.map((seat) => scoreOf(match, seat));
  return {
    matches: [
      ['42', match.quiz, 2, 1, winnerOf(match.seats.map(({ player }, i) => ({ player, score: scores[i]! })))],
    ],
    players: match.seats.map(({ player, entry, ready }, i) => ['42', player, entry, ready!, scores[i]!]),
    answers: match.seats.flatMap(({ player, answers }) =>
      answers.map((answer, question) => ['42', player, question, answer!.choice, answer!.number] as const),
    ),
  };
}

const NO_ROWS: FinishedRows = { matches: [], players: [], answers: [] };
const sorted = (numbers: readonly number[] | undefined) => numbers?.toSorted((a, b) => a - b);

test('a match is kept while it is in Redis, and saved once it is in PostgreSQL; in both it counts once', () => {
  const live = new Map([['42', fieldsOf(played())]]);
  const going = storedNumbers(live, NO_ROWS, EXPECTED);
  expect(sorted(going.kept.get(0))).toEqual([1, 2, 3, 4]);
  expect(sorted(going.kept.get(1))).toEqual([5, 6, 7, 8]);
  expect(going.saved.size).toBe(0);
  for (const redis of [live, new Map()]) {
    const { kept, saved, wrong } = storedNumbers(redis, rows(), EXPECTED);
    expect(wrong).toEqual([]);
    expect(sorted(kept.get(0))).toEqual([1, 2, 3, 4]);
    expect(kept).toEqual(saved);
  }
});

test('rows that are not what the seed and the numbers imply are wrong', () => {
  const wrongOf = (change: Partial<FinishedRows>): readonly string[] =>
    storedNumbers(new Map(), { ...rows(), ...change }, EXPECTED).wrong;
  const { players, answers, matches } = rows();
  expect(wrongOf({ answers: answers.slice(1) })).toContain('match 42: 3 answers, expected 4');
  expect(wrongOf({ players: players.slice(1) })).toContain('match 42: 1 players, expected 2');
  expect(wrongOf({ players: players.map(([id, a, b, c, score]) => [id, a, b, c, score + 10]) })).toEqual([
    expect.stringContaining('points, and earned'),
    expect.stringContaining('points, and earned'),
  ]);
  expect(
    wrongOf({ answers: answers.map(([id, p, q, choice, n]) => [id, p, q, (choice + 1) % 4, n]) }),
  ).toEqual(answers.map(() => expect.stringContaining('which it did not choose')));
  expect(wrongOf({ matches: matches.map(([id, quiz, ...rest]) => [id, quiz + 1, ...rest]) })[0]).toContain(
    'which its creator did not choose',
  );
  expect(wrongOf({ matches: [] })).toContain('match 42: in match_answer and not in quiz_match');
});

test('an answer belongs under the question that its number answered, and a match has all questions', () => {
  const wrongOf = (change: Partial<FinishedRows>, expected: Partial<Expected> = {}) =>
    storedNumbers(new Map(), { ...rows(), ...change }, { ...EXPECTED, ...expected }).wrong;
  const { players, answers, matches } = rows();
  const turned = answers.map(([id, p, question, ...rest]) => [id, p, 1 - question, ...rest] as const);
  expect(wrongOf({ answers: turned }).filter((one) => one.includes('is under question'))).toHaveLength(4);
  expect(wrongOf({}, { questions: 3 })).toContain('match 42: 2 questions, expected 3');
  const moved = answers.map(([id, p, ...rest], i) => [id, i === 3 ? 0 : p, ...rest] as const);
  expect(wrongOf({ answers: moved })).toContain('match 42: 3 answers of player 0, expected 2');
  expect(wrongOf({ matches: matches.map(([a, b, c, d]) => [a, b, c, d, 77]) })[0]).toContain('player 77 won');
  expect(wrongOf({ matches: matches.map(([a, b, c, , e]) => [a, b, c, 2, e]) })).toEqual([
    'match 42: of server 2, of 1',
  ]);
  expect(wrongOf({ matches: [...matches, ...matches] })).toContain('1 matches are there twice');
  expect(wrongOf({ players: players.map(([id, p, ...rest]) => [id, 3 * p, ...rest]) })).toContain(
    'match 42: players 0 and 3, who are no pair',
  );
  const early = players.map(([id, p, entry, , score]) => [id, p, entry, 99, score] as const);
  expect(wrongOf({ players: early })).toContain('match 42: player 0 answered before it was ready');
});

test('a match in Redis counts if it can go on, and if its players have not begun another', () => {
  const fields = fieldsOf(played());
  const { head: _, ...headless } = fields;
  expect(storedNumbers(new Map([['42', headless]]), NO_ROWS, EXPECTED).kept.size).toBe(0);
  const chosen = { ...fields, 'answer:0:0': JSON.stringify([(choiceOf(SEED, 0, 3) + 1) % 4, 3, 10]) };
  expect(storedNumbers(new Map([['42', chosen]]), NO_ROWS, EXPECTED).wrong).toEqual([
    expect.stringContaining('which it did not choose'),
  ]);
  const next = openMatch(
    { id: 43, code: 'd', quiz: quizOf(SEED, 0, 9), questions: 2 },
    { player: 0, entry: 9 },
  );
  const both = new Map([['42', fields]]).set('43', fieldsOf(next));
  expect(sorted(storedNumbers(both, NO_ROWS, EXPECTED).kept.get(0))).toEqual([1, 2, 3, 4, 9]);
  applyChange(next, { kind: 'join', player: 1, number: 10 });
  both.set('43', fieldsOf(next));
  const left = storedNumbers(both, NO_ROWS, EXPECTED);
  expect([left.kept, left.wrong]).toEqual([
    new Map([
      [0, [9]],
      [1, [10]],
    ]),
    [],
  ]);
  // Players who reach another server leave a match that nobody takes there.
  const elsewhere = storedNumbers(both, NO_ROWS, { ...EXPECTED, servers: 3 });
  expect(sorted(elsewhere.kept.get(1))).toEqual([5, 6, 7, 8, 10]);
});

test('one transaction has a row for the match, two for its players and two for each question', () => {
  const { seats, ...rest } = played();
  const statements = statementsOf([{ ...rest, seats, server: 1 }]);
  expect(statements.map(({ values }) => (values[0] as readonly unknown[]).length)).toEqual([1, 2, 4]);
});
