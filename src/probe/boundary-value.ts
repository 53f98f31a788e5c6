/** The readings around an instant, by their indices in a series. */
interface Around {
  readonly before: number;
  readonly after: number;
  /** The nearer of the two, and its distance. */
  readonly nearest: number;
  readonly distance: number;
  /** The next reading on the nearest one's side, if the nearest one was made for the instant; else null. */
  readonly beyond: number | null;
}

/** Both in the unit of the times. */
export interface BoundaryLimits {
  /** A reading within this distance was made for the instant: its request may have taken some time. */
  readonly soon: number;
  /** Readings that are further apart have missed ones between them. */
  readonly hole: number;
}

/** `soon` for a window of this length. @param second in its unit */
export const soonOf = (length: number, second: number): number => Math.min(0.25 * second, 0.1 * length);

/** @param times ascending. Null where a side has no reading, or readings are missing between the two. */
export function readingsAround(
  times: readonly number[],
  at: number,
  { soon, hole }: BoundaryLimits,
): Around | null {
  const after = times.findIndex((time) => time >= at);
  const [upper, lower] = [times[after], times[after - 1]];
  if (upper === undefined) return null;
  if (upper === at) return { before: after, after, nearest: after, distance: 0, beyond: null };
  if (lower === undefined || upper - lower > hole) return null;
  const isBefore = at - lower < upper - at;
  const distance = Math.min(at - lower, upper - at);
  const nearest = isBefore ? after - 1 : after;
  const beyond = isBefore ? after - 2 : after + 1;
  const side = Math.abs((times[beyond] ?? Number.POSITIVE_INFINITY) - (isBefore ? lower : upper));
  const knowsRate = distance <= soon && side >= distance && side <= hole;
  return { before: after - 1, after, nearest, distance, beyond: knowsRate ? beyond : null };
}

/**
 * The value of a counter at the instant, extrapolated from the nearest reading with the rate on that reading's side: the
 * load may begin or end at the instant, so a rate across it would be wrong. The value stays between those of the readings
 * around it. Where that rate is not known, the value is interpolated linearly.
 * @param read the counter at the reading with this index
 */
export function valueAround(
  { before, after, nearest, beyond }: Around,
  times: readonly number[],
  at: number,
  read: (index: number) => number,
): number {
  if (before === after) return read(after);
  const [least, most, base] = [read(before), read(after), read(nearest)];
  const timeOf = (index: number): number => times[index] ?? Number.NaN;
  const rate =
    beyond === null
      ? (most - least) / (timeOf(after) - timeOf(before))
      : (read(beyond) - base) / (timeOf(beyond) - timeOf(nearest));
  return Math.min(most, Math.max(least, base + rate * (at - timeOf(nearest))));
}
