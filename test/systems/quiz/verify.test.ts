import { expect, test } from 'vitest';
import { applyChange, openMatch, scoreOf } from '../../../src/systems/quiz/match.ts';
import { choiceOf, quizOf } from '../../../src/systems/quiz/questions.ts';
import { fieldsOf } from '../../../src/systems/quiz/stored-match.ts';
import { statementsOf } from '../../../src/systems/quiz/tables.ts';
import { type FinishedRows, storedNumbers } from '../../../src/systems/quiz/verify.ts';

const SEED = 11;

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
    matches: [['42', match.quiz, 2]],
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
  const going = storedNumbers(live, NO_ROWS, SEED);
  expect(sorted(going.kept.get(0))).toEqual([1, 2, 3, 4]);
  expect(sorted(going.kept.get(1))).toEqual([5, 6, 7, 8]);
  expect(going.saved.size).toBe(0);
  for (const redis of [live, new Map()]) {
    const { kept, saved, wrong } = storedNumbers(redis, rows(), SEED);
    expect(wrong).toEqual([]);
    expect(sorted(kept.get(0))).toEqual([1, 2, 3, 4]);
    expect(kept).toEqual(saved);
  }
});

test('rows that are not what the seed and the numbers imply are wrong', () => {
  const wrongOf = (change: Partial<FinishedRows>): readonly string[] =>
    storedNumbers(new Map(), { ...rows(), ...change }, SEED).wrong;
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
  expect(wrongOf({ matches: matches.map(([id, quiz, n]) => [id, quiz + 1, n]) })[0]).toContain(
    'which its creator did not choose',
  );
  expect(wrongOf({ matches: [] })).toContain('match 42: in match_answer and not in quiz_match');
});

test('one transaction has a row for the match, two for its players and two for each question', () => {
  const { seats, ...rest } = played();
  const statements = statementsOf([{ ...rest, seats, server: 1 }]);
  expect(statements.map(({ values }) => (values[0] as readonly unknown[]).length)).toEqual([1, 2, 4]);
});
