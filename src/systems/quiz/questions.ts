import { mulberry32, streamSeed } from '../../rng.ts';
import { QUIZ_STREAM } from './workload.ts';

/*
 * The quizzes, and what players choose: pure functions, so that the server, the players and the check of the rows agree
 * without asking each other.
 */

export const OPTIONS = 4;
export const QUIZZES = 100;
/** Points for a right answer. */
export const POINTS = 10;

/** The quizzes are the same in every run: their questions do not depend on the scenario's seed. */
const CATALOGUE = 2000;
/** More questions than a quiz has. */
const QUESTIONS = 1000;

export const questionId = (quiz: number, index: number): number => quiz * QUESTIONS + index;

const drawn = (most: number, seed: number, ...coordinates: readonly number[]): number =>
  Math.floor(mulberry32(streamSeed(seed, ...coordinates)) * most);

/** The right option of a question, 0 to OPTIONS - 1. */
export const rightOption = (quiz: number, index: number): number =>
  drawn(OPTIONS, CATALOGUE, questionId(quiz, index));

/** What a player sees of a question. */
export interface Question {
  readonly questionId: number;
  readonly text: string;
  readonly options: readonly string[];
}

export const questionOf = (quiz: number, index: number): Question => ({
  questionId: questionId(quiz, index),
  text: `Question ${index + 1} of quiz ${quiz}`,
  options: Array.from({ length: OPTIONS }, (_, option) => `Option ${option + 1}`),
});

export const pointsOf = (quiz: number, index: number, choice: number): number =>
  choice === rightOption(quiz, index) ? POINTS : 0;

/** The option that a player chooses in the operation of this number. */
export const choiceOf = (seed: number, player: number, number: number): number =>
  drawn(OPTIONS, seed, QUIZ_STREAM.choice, player, number);

/** The quiz of the match that a player creates in the operation of this number. */
export const quizOf = (seed: number, player: number, number: number): number =>
  drawn(QUIZZES, seed, QUIZ_STREAM.quiz, player, number);
