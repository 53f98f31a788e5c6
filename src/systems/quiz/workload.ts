import type { Workload } from '../../scenario/workload.ts';

/** What happens to an answer before it is acknowledged: it is in Redis; or nothing yet, it is written a little later. */
export type Acknowledge = 'stored' | 'early';

/** When players hear of the end of a match, and it leaves Redis: once its rows are committed, or before. */
export type Complete = 'committed' | 'early';

/** The system's own part of the workload: what its players need. Times in microseconds. */
export interface QuizWorkload {
  readonly questions: number;
  /** Shortest and longest time from the end of the gap to an answer. */
  readonly think: readonly [least: number, most: number];
  /** From a question's arrival until a player begins to think. */
  readonly gap: number;
  /** First matches a second, over all pairs. */
  readonly createsPerSecond: number;
}

export const quizWorkload = ({ own }: Pick<Workload, 'own'>): QuizWorkload => own as QuizWorkload;

/** Kinds of operations, in the order of the system's operations. */
export const KINDS = ['create', 'join', 'ready', 'answer'] as const;
export type Kind = (typeof KINDS)[number];

/** Players in a match: consecutive numbers, of which the first creates it. */
export const PAIR = 2;

/** Operations of a finished match: each player's entry, readiness and answers. */
export const operationsOfMatch = (questions: number): number => PAIR * (2 + questions);

/** The system's own streams of random numbers; no number may be in load/streams.ts. */
export const QUIZ_STREAM = {
  /** Which option a player chooses, and which quiz. */
  choice: 61,
  quiz: 62,
  /** How long a player thinks. */
  think: 63,
} as const;
