import { studentTails } from '../student.ts';

/** How a series is searched for changes. */
export interface Detection {
  /** Values that are searched together; one window begins in the middle of the one before. */
  readonly window: number;
  /** The probability, at most, with which a window without any change has one reported. */
  readonly significance: number;
  /** A smaller change of the mean, in percent, is not reported. */
  readonly leastPercent: number;
}

/** A place in a series from which on its mean is another one. */
export interface ChangePoint {
  /** The index of the first value after the change. */
  readonly at: number;
  /** Of the values since the change point before, and until the one after. */
  readonly meanBefore: number;
  readonly meanAfter: number;
  /** Null where the mean was 0. */
  readonly changePercent: number | null;
  /** The probability of a difference like this, or a larger one, at the best place of as many values without a change. */
  readonly chance: number;
}

/** A level has at least so many values: fewer can be outliers. */
export const SHORTEST_LEVEL = 3;

/** Candidates are proposed at this many times the significance, and then held to it. */
const PROPOSED = 10;

/**
 * The change points of a series, by the divisive method of Matteson and James (2014) on the energy distance, with
 * Student's t-test in place of permutations, and in windows, as Hunter has it (arXiv 2301.03034): candidates first, then
 * the weakest is dropped until each that is left is significant between its neighbours, and large enough.
 *
 * A t-test at the best of many places finds a difference too often. `chance` is corrected for that, which Hunter leaves
 * out.
 *
 * @param values finite, in the order of time
 */
export function changePoints(values: readonly number[], detection: Detection): readonly ChangePoint[] {
  const splits = candidates(values, detection);
  for (;;) {
    const points = splits.map((at, i) =>
      pointAt(values, splits[i - 1] ?? 0, at, splits[i + 1] ?? values.length),
    );
    const weakest = weakestOf(points, detection);
    if (weakest === null) return points;
    splits.splice(weakest, 1);
  }
}

/** The index of the point to drop: the least significant, and where all are significant, the smallest that is too small. */
function weakestOf(points: readonly ChangePoint[], { significance, leastPercent }: Detection): number | null {
  const size = ({ changePercent }: ChangePoint): number =>
    changePercent === null ? Number.POSITIVE_INFINITY : Math.abs(changePercent);
  const most = (measure: (point: ChangePoint) => number): number | null =>
    points.reduce<number | null>(
      (best, point, i) => (best === null || measure(point) > measure(points[best] as ChangePoint) ? i : best),
      null,
    );
  const unlikely = most(({ chance }) => chance);
  if (unlikely !== null && (points[unlikely]?.chance ?? 0) > significance) return unlikely;
  const smallest = most((point) => -size(point));
  return smallest !== null && size(points[smallest] as ChangePoint) < leastPercent ? smallest : null;
}

/** Ascending. */
function candidates(values: readonly number[], { window, significance }: Detection): number[] {
  const found = new Set<number>();
  const length = Math.max(2 * SHORTEST_LEVEL, window);
  for (let start = 0; start < values.length; ) {
    const end = Math.min(values.length, start + length);
    const here = divided(values.slice(start, end), PROPOSED * significance).map((at) => start + at);
    for (const at of here) found.add(at);
    if (end === values.length) break;
    // What comes after the last change is searched from there on, with a whole window.
    start = Math.max(start + Math.floor(length / 2), here.at(-1) ?? 0);
  }
  return [...found].toSorted((a, b) => a - b);
}

/** The splits at which a window divides, again and again, into parts that differ. Ascending. */
function divided(values: readonly number[], level: number): number[] {
  const spread = spreads(values);
  const divide = (from: number, to: number): number[] => {
    const best = bestSplit(spread, from, to);
    if (best === null) return [];
    const { at, end } = best;
    if (tTest(values.slice(from, at), values.slice(at, end)).chance > level) return [];
    return [...divide(from, at), at, ...divide(at, to)];
  };
  return divide(0, values.length);
}

/** `[from][to]`: the sum of |x - y| over all pairs of the values in between (`to` is not one of them). */
function spreads(values: readonly number[]): readonly Float64Array[] {
  const table = values.map(() => new Float64Array(values.length + 1));
  for (const [to, value] of values.entries()) {
    let added = 0;
    for (let from = to; from >= 0; from--) {
      added += Math.abs(value - (values[from] ?? 0));
      const row = table[from] as Float64Array;
      row[to + 1] = (row[to] ?? 0) + added;
    }
  }
  return table;
}

interface Split {
  readonly at: number;
  /** The values after it are compared up to here, so that a change that is taken back is found, too. */
  readonly end: number;
}

/** Where the scaled energy distance of what is before and what is after is largest; null where too few values are left. */
function bestSplit(spread: readonly Float64Array[], from: number, to: number): Split | null {
  let best: Split | null = null;
  let largest = Number.NEGATIVE_INFINITY;
  const sum = (a: number, b: number): number => spread[a]?.[b] ?? 0;
  for (let at = from + SHORTEST_LEVEL; at <= to - SHORTEST_LEVEL; at++) {
    const before = at - from;
    const inBefore = sum(from, at);
    for (let end = at + SHORTEST_LEVEL; end <= to; end++) {
      const after = end - at;
      const inAfter = sum(at, end);
      const between = sum(from, end) - inBefore - inAfter;
      const energy =
        (2 * between) / (before * after) -
        (2 * inBefore) / (before * (before - 1)) -
        (2 * inAfter) / (after * (after - 1));
      const scaled = ((before * after) / (before + after)) * energy;
      if (scaled > largest) {
        largest = scaled;
        best = { at, end };
      }
    }
  }
  return best;
}

function pointAt(values: readonly number[], from: number, at: number, to: number): ChangePoint {
  const [before, after] = [values.slice(from, at), values.slice(at, to)];
  const { t, chance } = tTest(before, after);
  const [meanBefore, meanAfter] = [meanOf(before), meanOf(after)];
  const isShortest = Math.min(before.length, after.length) === SHORTEST_LEVEL;
  // A level that would be shorter, had it to be no longer, has a value at its edge that belongs to the other one.
  const isForced =
    isShortest &&
    (isNearer(before.at(-1) ?? meanBefore, meanAfter, meanBefore) ||
      isNearer(after[0] ?? meanAfter, meanBefore, meanAfter));
  return {
    ...{ at, meanBefore, meanAfter },
    changePercent: meanBefore === 0 ? null : 100 * (meanAfter / meanBefore - 1) * Math.sign(meanBefore),
    chance: isForced ? 1 : Math.min(1, chance * independentSplits(t, to - from)),
  };
}

/** Whether a value is nearer to the first than to the second. */
const isNearer = (value: number, first: number, second: number): boolean =>
  Math.abs(value - first) < Math.abs(value - second);

/**
 * How many independent splits the splits of a series stand for, at one of which a difference of `t` is: their tests are
 * correlated. From the limit law of the largest standardised difference (Csorgo and Horvath 1997, 1.3.26: x phi(x) ((1 -
 * 1/x^2) L + 4/x^2), L = 2 ln((1 - e)/e), e the share of the shortest level), divided by the probability at one place,
 * 2 phi(x)/x; x is the normal deviate of t (Wallace 1959). Of few values it is more than there are splits.
 */
function independentSplits(t: number, length: number): number {
  const count = Math.max(1, length - 2 * SHORTEST_LEVEL + 1);
  const freedom = length - 2;
  const x2 = ((8 * freedom + 1) / (8 * freedom + 3)) ** 2 * freedom * Math.log1p(t ** 2 / freedom);
  const span = 2 * Math.log((length - SHORTEST_LEVEL) / SHORTEST_LEVEL);
  return Math.min(count, Math.max(1, ((x2 - 1) * span + 4) / 2));
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Deviations below this share of the mean are those of the arithmetic. */
const ROUNDING = 1e-12;

/** Student's t-test of two means, with the pooled variance: `chance` is two-sided, of a single test. */
function tTest(
  before: readonly number[],
  after: readonly number[],
): { readonly t: number; readonly chance: number } {
  const [first, second] = [meanOf(before), meanOf(after)];
  const squares = (values: readonly number[], mean: number): number =>
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const freedom = before.length + after.length - 2;
  const deviation = Math.sqrt((squares(before, first) + squares(after, second)) / freedom);
  const least = ROUNDING * Math.max(Math.abs(first), Math.abs(second));
  const difference = Math.abs(second - first);
  if (difference <= least) return { t: 0, chance: 1 };
  if (deviation <= least) return { t: Number.POSITIVE_INFINITY, chance: 0 };
  const t = difference / (deviation * Math.sqrt(1 / before.length + 1 / after.length));
  return { t, chance: studentTails(t, freedom) };
}
