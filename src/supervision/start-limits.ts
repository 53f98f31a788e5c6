/** How long each step of a start is waited for before it is said to be stuck, in milliseconds. */
export interface StartLimits {
  /** One question to a program (`postgres --version`) or to PostgreSQL (a connection, a statement). */
  readonly answer: number;
  /** initdb, and then PostgreSQL until it answers. */
  readonly postgres: number;
  /** A world server, which loads its entities first. */
  readonly world: number;
}

/** Several times what a busy small host needs. */
export const START_LIMITS: StartLimits = { answer: 20_000, postgres: 60_000, world: 30_000 };

/** `within 20 s` */
export const within = (milliseconds: number): string => `within ${milliseconds / 1e3} s`;
