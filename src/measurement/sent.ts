import type { Counts } from '../load/engine.ts';

/**
 * How many of the operations that were due were sent. What failed afterwards (an error for an answer, a connection that
 * ended before it) was sent all the same: that is the target's doing, and no shortcoming of the load.
 */
export const sentOf = ({ scheduled, skipped, failedUnsent }: Counts): number =>
  scheduled - skipped - failedUnsent;

/** How many were sent and failed. */
export const failedSentOf = ({ failed, failedUnsent }: Counts): number => failed - failedUnsent;
