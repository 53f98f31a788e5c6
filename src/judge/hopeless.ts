/** One second of one operation, as far as the early stop looks at it. */
interface SecondOfLoad {
  readonly scheduled: number;
  /** Skipped, failed or timed out. */
  readonly missed: number;
  /** Those of them that had been sent, and failed. */
  readonly failedSent: number;
}

/** A run is not given up before this much of the measure phase, at full rate, has run. */
export const HOPELESS_AFTER_SECONDS = 10;
/** The last seconds that are looked at. */
const WINDOW_SECONDS = 5;
/** A run in which this share of the operations is missed cannot come back to 99% sent. */
const MISSED_SHARE = 0.5;

/**
 * Says when a run is plainly hopeless: over the last five seconds at least half of what was due of one
 * operation was skipped, failed or timed out. Feed it the seconds of the measure phase in order. Runs with faults or
 * stages are not given up: a spike may be meant to miss half, and what comes after it is what was asked.
 */
export function hopelessness(): (operation: string, second: SecondOfLoad) => string | null {
  const seen = new Map<string, SecondOfLoad[]>();
  return (operation, second) => {
    const seconds = seen.get(operation) ?? [];
    seconds.push(second);
    seen.set(operation, seconds);
    if (seconds.length < HOPELESS_AFTER_SECONDS) return null;
    const last = seconds.slice(-WINDOW_SECONDS);
    const scheduled = last.reduce((sum, s) => sum + s.scheduled, 0);
    const missed = last.reduce((sum, s) => sum + s.missed, 0);
    if (scheduled === 0 || missed / scheduled < MISSED_SHARE) return null;
    // What times out now may have been due before.
    const percent = Math.min(100, Math.round((100 * missed) / scheduled));
    const failedSent = last.reduce((sum, s) => sum + s.failedSent, 0);
    const sent =
      2 * failedSent > missed
        ? '; most had been sent, and failed by what the target did with them: see the errors of the run'
        : '';
    return `${percent}% of the ${operation} operations of the last ${WINDOW_SECONDS} s were skipped, failed or timed out${sent}`;
  };
}
