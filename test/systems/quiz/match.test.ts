import { expect, test } from 'vitest';
import {
  applyChange,
  type Change,
  checkChange,
  currentQuestion,
  isEnded,
  isStarted,
  type Match,
  openMatch,
  scoreOf,
  winnerOf,
} from '../../../src/systems/quiz/match.ts';
import { POINTS, rightOption } from '../../../src/systems/quiz/questions.ts';
import { changesIn, fieldOf, fieldsOf, headOf, matchIn } from '../../../src/systems/quiz/stored-match.ts';

const [CREATOR, JOINER] = [6, 7];

const opened = (questions = 2): Match =>
  openMatch({ id: 42, code: 'abc', quiz: 5, questions }, { player: CREATOR, entry: 1 });

function make(match: Match, change: Change): void {
  expect(checkChange(match, change)).toBe('possible');
  applyChange(match, change);
  expect(checkChange(match, change)).toBe('done');
}

const answer = (player: number, number: number, question: number, choice: number): Change => ({
  ...{ kind: 'answer', player, number, question, choice, timeSpent: 1_000 },
});

function started(questions = 2): Match {
  const match = opened(questions);
  make(match, { kind: 'join', player: JOINER, number: 1 });
  make(match, { kind: 'ready', player: CREATOR, number: 2 });
  expect(isStarted(match)).toBe(false);
  make(match, { kind: 'ready', player: JOINER, number: 2 });
  expect(isStarted(match)).toBe(true);
  return match;
}

test('a question is open until both have answered it, and the match ends with the last one', () => {
  const match = started();
  make(match, answer(CREATOR, 3, 0, rightOption(5, 0)));
  expect(currentQuestion(match)).toBe(0);
  make(match, answer(JOINER, 3, 0, (rightOption(5, 0) + 1) % 4));
  expect(currentQuestion(match)).toBe(1);
  make(match, answer(JOINER, 4, 1, (rightOption(5, 1) + 1) % 4));
  make(match, answer(CREATOR, 4, 1, rightOption(5, 1)));
  expect(isEnded(match)).toBe(true);
  const scores = match.seats.map((seat) => ({ player: seat.player, score: scoreOf(match, seat) }));
  expect(scores).toEqual([
    { player: CREATOR, score: 2 * POINTS },
    { player: JOINER, score: 0 },
  ]);
  expect(winnerOf(scores)).toBe(CREATOR);
  expect(winnerOf(scores.map((one) => ({ ...one, score: 10 })))).toBeNull();
});

test('what the rules do not allow is refused, and the same operation a second time is done already', () => {
  const alone = opened();
  const refused = (match: Match, change: Change): string => {
    const result = checkChange(match, change);
    return typeof result === 'object' ? result.refused : result;
  };
  expect(refused(alone, { kind: 'ready', player: CREATOR, number: 2 })).toBe('nobody has joined yet');
  expect(refused(alone, { kind: 'join', player: CREATOR, number: 9 })).toBe('already in this match');
  expect(refused(alone, { kind: 'join', player: CREATOR, number: 1 })).toBe('done');
  const match = started();
  expect(refused(match, { kind: 'join', player: 8, number: 1 })).toBe('the match is full');
  expect(refused(match, answer(8, 3, 0, 1))).toBe('not a player of this match');
  expect(refused(match, answer(CREATOR, 3, 1, 1))).toBe('another question is open');
  make(match, answer(CREATOR, 3, 0, 1));
  expect(refused(match, answer(CREATOR, 4, 0, 1))).toBe('answered already');
});

test('the fields of a match are the match, whole or change by change', () => {
  const match = started(3);
  make(match, answer(CREATOR, 3, 0, 2));
  const fields = fieldsOf(match);
  expect(matchIn(42, fields)).toEqual(match);
  const byChange = Object.assign({ ...headOf(match) }, ...changesIn(fields).map(fieldOf));
  expect(byChange).toEqual(fields);
});

test('a match whose beginning was evicted is not continued, and what is left of it is still read', () => {
  const match = started();
  make(match, answer(JOINER, 3, 0, 2));
  const { head: _, ...rest } = fieldsOf(match);
  expect(matchIn(42, rest)).toBeNull();
  expect(changesIn(rest).map(({ number }) => number)).toEqual([2, 1, 2, 3]);
  const { join: __, ...withoutJoin } = fieldsOf(match);
  expect(matchIn(42, withoutJoin)).toBeNull();
  expect(matchIn(42, {})).toBeNull();
});
