/**
 * What became of an operation; the numbers index the recorder's counts. What has failed is
 * counted in two parts: `failed` after it was sent, and `failedUnsent` before.
 */
export const OUTCOME = {
  ...{ ok: 1, rejected: 2, failed: 3, timedOut: 4, skipped: 5, unfinished: 6 },
  failedUnsent: 7,
} as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];
