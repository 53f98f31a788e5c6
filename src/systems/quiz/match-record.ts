import { isDeepStrictEqual } from 'node:util';
import { winnerOf } from './match.ts';
import { choiceOf, POINTS, pointsOf, questionId, questionOf, quizOf } from './questions.ts';
import type { Results, ServerFrame, Shown } from './wire.ts';
import { PAIR } from './workload.ts';

/*
 * What a player knows of its match without asking the server, so that it can tell a wrong frame from a right one. Each check
 * returns what is wrong, or null.
 */

/** A player's own match. */
export interface MatchRecord {
  readonly match: number;
  readonly player: number;
  /** By question: the numbers of the operations that answered it; several where an answer was not acknowledged in time. */
  readonly sent: Map<number, number[]>;
  /** The question that comes next, as far as the player was told. */
  next: number;
  /** Of the quizzes that the pair's creator asked for, the one that the first question is of. */
  quiz: number | null;
}

export const openRecord = (match: number, player: number): MatchRecord => ({
  ...{ match, player, sent: new Map(), next: 0, quiz: null },
});

/** The quiz of each creation that was sent, since one that was not acknowledged may have been done. */
export const quizzesOf = (seed: number, creator: number, creations: readonly number[]): readonly number[] =>
  creations.map((number) => quizOf(seed, creator, number));

export function noteAnswer({ sent }: MatchRecord, question: number, number: number): void {
  sent.set(question, [...(sent.get(question) ?? []), number]);
}

/** What the answers have earned; null where it is not certain which of several counts. */
function scoreOf(seed: number, { sent, player, quiz }: MatchRecord): number | null {
  if (quiz === null || [...sent.values()].some((numbers) => numbers.length > 1)) return null;
  return [...sent].reduce(
    (sum, [question, [number]]) => sum + pointsOf(quiz, question, choiceOf(seed, player, number!)),
    0,
  );
}

/** Notes the quiz, and the question as the one that is open. */
export function checkQuestion(
  record: MatchRecord,
  { question, questionIndex, totalQuestions }: Shown,
  { quizzes, questions }: { readonly quizzes: readonly number[]; readonly questions: number },
): string | null {
  const { next, sent } = record;
  record.quiz ??= quizzes.find((quiz) => questionId(quiz, questionIndex) === question.questionId) ?? null;
  // The answer before it may be there although nobody said so.
  const isNext = questionIndex === next || (questionIndex === next + 1 && sent.has(next));
  record.next = questionIndex;
  if (totalQuestions !== questions) return `${totalQuestions} questions, expected ${questions}`;
  if (!isNext || questionIndex >= questions) return `question ${questionIndex}, expected ${next}`;
  if (record.quiz === null) return `question ${question.questionId} of a quiz that nobody chose`;
  const expected = questionOf(record.quiz, questionIndex);
  return isDeepStrictEqual(question, expected) ? null : `question ${question.questionId}, which is another`;
}

type AnswerResult = Extract<ServerFrame, { readonly event: 'answer_result' }>['data'];

/** Of the answer with this number. */
export function checkAnswer(
  record: MatchRecord,
  number: number,
  { isCorrect, points, totalScore }: AnswerResult,
  seed: number,
): string | null {
  const { player, quiz } = record;
  const [question] = [...record.sent].find(([, numbers]) => numbers.includes(number)) ?? [];
  if (question === undefined) return null;
  record.next = question + 1;
  if (quiz === null) return null;
  const earned = pointsOf(quiz, question, choiceOf(seed, player, number));
  const total = scoreOf(seed, record);
  if (points !== earned || isCorrect !== (earned === POINTS)) return `${points} points, expected ${earned}`;
  return total === null || totalScore === total ? null : `a score of ${totalScore}, expected ${total}`;
}

/** `records`: of both players, as far as they are of this match. */
export function checkResults(
  { matchId, results, winner }: Results,
  records: readonly MatchRecord[],
  { pair, questions, seed }: { readonly pair: number; readonly questions: number; readonly seed: number },
): string | null {
  const players = results.map(({ player }) => player).sort((a, b) => a - b);
  if (!isDeepStrictEqual(players, [pair * PAIR, pair * PAIR + 1])) return `results of players ${players}`;
  for (const record of records) {
    if (record.match !== matchId) continue;
    if (record.sent.size !== questions) return `an end after ${record.sent.size} of ${questions} answers`;
    const score = scoreOf(seed, record);
    const said = results.find(({ player }) => player === record.player)?.score;
    if (score !== null && said !== score)
      return `${said} points of player ${record.player}, expected ${score}`;
  }
  return winner === winnerOf(results) ? null : `player ${winner} as the winner`;
}
