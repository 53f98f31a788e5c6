import type { Random } from '../rng.ts';

/** Growing pauses between attempts, in milliseconds. */
export interface Backoff {
  /** The pause before the next attempt. */
  next(): number;
  /** An attempt succeeded: the next pause is the first one again. */
  reset(): void;
}

export interface BackoffPlan {
  /** Milliseconds. */
  readonly first: number;
  /** Milliseconds. */
  readonly most: number;
}

/**
 * Pauses that double from `first` to `most`. Each is shortened at random by up to a half, so that servers that lost the
 * same connection do not come back all at once.
 */
export function openBackoff({ first, most }: BackoffPlan, random: Random = Math.random): Backoff {
  let whole = first;
  return {
    next() {
      const pause = whole * (1 - random() / 2);
      whole = Math.min(most, whole * 2);
      return pause;
    },
    reset() {
      whole = first;
    },
  };
}
