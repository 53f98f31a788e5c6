import { type Counts, OUTCOMES } from '../load/engine.ts';

export const NO_COUNTS = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Counts;

export const addCounts = (all: readonly Counts[]): Counts =>
  Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, all.reduce((sum, one) => sum + one[outcome], 0)]),
  ) as Counts;

/** Operations that were due and for which the player had something to do: what every share is of. */
export const demandOf = ({ scheduled, idle }: Pick<Counts, 'scheduled' | 'idle'>): number => scheduled - idle;

/**
 * How many of the operations that were due were sent. An operation that failed afterwards (an error as the answer, a
 * connection that ended before it) counts as sent, since the target caused that, not the load generator.
 */
export const sentOf = (counts: Counts): number => demandOf(counts) - counts.skipped - counts.failedUnsent;

/** Operations with any answer. */
export const answeredOf = ({ ok, rejected }: Pick<Counts, 'ok' | 'rejected'>): number => ok + rejected;

/** Operations that were due and got no answer, although a connection existed; the rule `answered` limits their share. */
export const unansweredOf = ({ failed, timedOut, unfinished }: Counts): number =>
  failed + timedOut + unfinished;

/** The sent ones among these. */
export const unansweredSentOf = (counts: Counts): number => unansweredOf(counts) - counts.failedUnsent;

/** How many were sent and failed. */
export const failedSentOf = ({ failed, failedUnsent }: Counts): number => failed - failedUnsent;
