/** The readings around an instant, by their indices in a series. */
interface Around {
  readonly before: number;
  readonly after: number;
  /** The one of both that is nearer, and how far that is. */
  readonly nearest: number;
  readonly open: number;
  /** The next one on the side of the nearest, where that was made for the instant; else null. */
  readonly beyond: number | null;
}

/** In the unit of the times. */
export interface BoundaryLimits {
  /** A reading so near was made for the instant: a page may take some time to answer. */
  readonly soon: number;
  /** Readings further apart have a hole between them. */
  readonly hole: number;
}

/** Of a window of this length. @param second in its unit */
export const soonOf = (length: number, second: number): number => Math.min(0.25 * second, 0.1 * length);

/** @param times ascending. Null where there is no reading on both sides, or a hole is between them. */
export function readingsAround(
  times: readonly number[],
  at: number,
  { soon, hole }: BoundaryLimits,
): Around | null {
  const after = times.findIndex((time) => time >= at);
  const [upper, lower] = [times[after], times[after - 1]];
  if (upper === undefined) return null;
  if (upper === at) return { before: after, after, nearest: after, open: 0, beyond: null };
  if (lower === undefined || upper - lower > hole) return null;
  const isBefore = at - lower < upper - at;
  const open = Math.min(at - lower, upper - at);
  const nearest = isBefore ? after - 1 : after;
  const beyond = isBefore ? after - 2 : after + 1;
  const side = Math.abs((times[beyond] ?? Number.POSITIVE_INFINITY) - (isBefore ? lower : upper));
  const knowsPace = open <= soon && side >= open && side <= hole;
  return { before: after - 1, after, nearest, open, beyond: knowsPace ? beyond : null };
}

/**
 * What only grows, at the instant: from the nearest reading at the pace on that reading's own side, since the load may begin
 * or end at this very instant, so that the pace across it is neither's; never beyond what the readings around say. Where
 * that pace is not known, in proportion between both.
 * @param read of the reading at this index
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
  const pace =
    beyond === null
      ? (most - least) / (timeOf(after) - timeOf(before))
      : (read(beyond) - base) / (timeOf(beyond) - timeOf(nearest));
  return Math.min(most, Math.max(least, base + pace * (at - timeOf(nearest))));
}
