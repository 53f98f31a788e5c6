import { expect, test } from 'vitest';
import {
  checkAnswer,
  checkQuestion,
  checkResults,
  noteAnswer,
  openRecord,
  quizzesOf,
} from '../../../src/systems/quiz/match-record.ts';
import { choiceOf, POINTS, pointsOf, questionOf } from '../../../src/systems/quiz/questions.ts';

const SEED = 5;
const QUIZZES = quizzesOf(SEED, 0, [1, 2]);
const QUIZ = QUIZZES[1]!;
const ASKED = { quizzes: QUIZZES, questions: 2 };
const shown = (questionIndex: number) => ({
  ...{ matchId: 9, questionIndex, totalQuestions: 2, question: questionOf(QUIZ, questionIndex) },
});
const pointsAt = (question: number, number: number) => pointsOf(QUIZ, question, choiceOf(SEED, 0, number));
const answered = (points: number, totalScore: number) => ({
  ...{ isCorrect: points === POINTS, points, totalScore },
});

test('a player knows the questions, the points and the results that are right', () => {
  const record = openRecord(9, 0);
  let total = 0;
  for (const [question, number] of [
    [0, 7],
    [1, 8],
  ] as const) {
    expect(checkQuestion(record, shown(question), ASKED)).toBeNull();
    noteAnswer(record, question, number);
    const points = pointsAt(question, number);
    total += points;
    expect(checkAnswer(record, number, answered(points, total), SEED)).toBeNull();
    expect(checkAnswer(record, number, answered(POINTS - points, total), SEED)).toContain('points, expected');
    expect(checkAnswer(record, number, answered(points, total + 10), SEED)).toContain('a score of');
  }
  const of = { pair: 0, questions: 2, seed: SEED };
  const results = [
    { player: 0, score: total },
    { player: 1, score: 50 },
  ];
  const end = { matchId: 9, results, winner: 1 };
  expect(checkResults(end, [record], of)).toBeNull();
  expect(checkResults({ ...end, winner: 0 }, [record], of)).toBe('player 0 as the winner');
  const raised = [{ player: 0, score: total + 10 }, results[1]!];
  expect(checkResults({ ...end, results: raised }, [record], of)).toContain('of player 0, expected');
  expect(checkResults(end, [record], { ...of, pair: 3 })).toBe('results of players 0,1');
  expect(checkResults(end, [record, openRecord(9, 1)], of)).toBe('an end after 0 of 2 answers');
  // The other one is in its next match already.
  expect(checkResults(end, [record, openRecord(10, 1)], of)).toBeNull();
});

test('another question, another quiz and questions that are left out are wrong', () => {
  const checked = (data: Partial<ReturnType<typeof shown>>, record = openRecord(9, 0)) =>
    checkQuestion(record, { ...shown(0), ...data }, ASKED);
  expect(checked(shown(1))).toBe('question 1, expected 0');
  expect(checked({ totalQuestions: 3 })).toBe('3 questions, expected 2');
  expect(checked({ question: questionOf(QUIZ, 1) })).toContain('of a quiz that nobody chose');
  expect(checked({ question: { ...questionOf(QUIZ, 0), text: 'x' } })).toContain('which is another');
  // An answer that was not acknowledged may have counted.
  const record = openRecord(9, 0);
  checked({}, record);
  noteAnswer(record, 0, 7);
  expect(checked(shown(1), record)).toBeNull();
  expect(checked(shown(0), record)).toBe('question 0, expected 1');
});

test('where two answers were sent for a question, nothing is said of the score', () => {
  const record = openRecord(9, 0);
  checkQuestion(record, shown(0), ASKED);
  for (const number of [7, 8]) noteAnswer(record, 0, number);
  expect(checkAnswer(record, 8, answered(pointsAt(0, 8), 777), SEED)).toBeNull();
});
