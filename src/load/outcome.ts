/**
 * The outcome of an operation, as an index of the recorder's counts. Failures are counted in two parts: `failed` after
 * sending, `failedUnsent` before.
 */
export const OUTCOME = {
  ...{ ok: 1, rejected: 2, failed: 3, timedOut: 4, skipped: 5, unfinished: 6 },
  failedUnsent: 7,
  /** The player had nothing to do: it sent nothing, and waited for nothing. */
  idle: 8,
} as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];
