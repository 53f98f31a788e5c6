import { type Counts, OUTCOMES } from '../load/engine.ts';

export const NO_COUNTS = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Counts;

/**
 * How many of the operations that were due were sent. An operation that failed afterwards (an error as the answer, a
 * connection that ended before it) counts as sent, since the target caused that, not the load generator.
 */
export const sentOf = ({ scheduled, skipped, failedUnsent }: Counts): number =>
  scheduled - skipped - failedUnsent;

/** Operations with any answer. */
export const answeredOf = ({ ok, rejected }: Pick<Counts, 'ok' | 'rejected'>): number => ok + rejected;

/** Operations that were due and got no answer, although a connection existed; the rule `answered` limits their share. */
export const unansweredOf = ({ failed, timedOut, unfinished }: Counts): number =>
  failed + timedOut + unfinished;

/** The sent ones among these. */
export const unansweredSentOf = (counts: Counts): number => unansweredOf(counts) - counts.failedUnsent;

/** How many were sent and failed. */
export const failedSentOf = ({ failed, failedUnsent }: Counts): number => failed - failedUnsent;
