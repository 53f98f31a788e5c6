/** What the early stop needs of one operation in one second. */
interface SecondOfLoad {
  readonly scheduled: number;
  /** Skipped, failed or timed out. */
  readonly missed: number;
  /** Those of them that had been sent, and failed. */
  readonly failedSent: number;
}

/** No run is stopped earlier than this in its measure phase, which is at full rate. */
export const HOPELESS_AFTER_SECONDS = 10;
/** Only the last seconds count. */
const WINDOW_SECONDS = 5;
/** A run in which this share of the operations is missed cannot come back to 99% sent. */
const MISSED_SHARE = 0.5;

/**
 * Decides when to stop a run early: at least half of what was due of one operation over the last five seconds was
 * skipped, failed or timed out. It takes the seconds of the measure phase in order. Runs with faults or stages are not
 * stopped: a spike may be meant to miss half, and the question is what follows it.
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
    // An operation that times out in this second may have been due in an earlier one.
    const percent = Math.min(100, Math.round((100 * missed) / scheduled));
    const failedSent = last.reduce((sum, s) => sum + s.failedSent, 0);
    const sent =
      2 * failedSent > missed
        ? '; most had been sent, and failed by what the target did with them: see the errors of the run'
        : '';
    return `${percent}% of the ${operation} operations of the last ${WINDOW_SECONDS} s were skipped, failed or timed out${sent}`;
  };
}
