/** A line through measured points: y = base + perUnit x. */
export interface Line {
  /** y at x = 0; at least 0, as the costs are that these lines stand for. */
  readonly base: number;
  readonly perUnit: number;
  /** The smallest and the largest x that it was fitted to. */
  readonly from: number;
  readonly to: number;
  /** How many points, and the root mean square of their distances from the line, relative to the line. */
  readonly points: number;
  readonly relativeError: number;
}

export type Point = readonly [x: number, y: number];

/** A reading far below the largest one still has an error of this share of the largest. */
const FLOOR = 0.05;

/** Of a reading, by its size: the reciprocal of its variance, in the unit of the reading. */
export const weightOf = (y: number, largest: number): number =>
  largest === 0 ? 1 : 1 / Math.max(y, FLOOR * largest) ** 2;

/**
 * Least squares with weights, since the error of a reading of CPU, memory or traffic grows with the reading. A cost does not
 * fall with the load and is not below zero without any: a fit that says so is replaced by the nearest that does not, a line
 * through the origin or a constant. A single point gives the line from the origin. Null without a point above x = 0.
 */
export function lineThrough(points: readonly Point[]): Line | null {
  const usable = points.filter(([x, y]) => x > 0 && y >= 0 && Number.isFinite(x) && Number.isFinite(y));
  if (usable.length === 0) return null;
  const xs = usable.map(([x]) => x);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const largest = Math.max(...usable.map(([, y]) => y));
  const weighted = usable.map(([x, y]) => [x, y, weightOf(y, largest)] as const);
  const sum = (of: (x: number, y: number) => number): number =>
    weighted.reduce((total, [x, y, weight]) => total + weight * of(x, y), 0);
  const [w, wx, wy, wxx, wxy] = [
    sum(() => 1),
    sum((x) => x),
    sum((_, y) => y),
    sum((x) => x * x),
    sum((x, y) => x * y),
  ];
  const determinant = w * wxx - wx * wx;
  const isOneX = from === to || determinant <= Number.EPSILON * w * wxx;
  const perUnit = isOneX ? wxy / wxx : (w * wxy - wx * wy) / determinant;
  const base = isOneX ? 0 : (wy - perUnit * wx) / w;
  const fitted =
    perUnit < 0
      ? { base: wy / w, perUnit: 0 }
      : base < 0
        ? { base: 0, perUnit: wxy / wxx }
        : { base, perUnit };
  const squares = usable.map(([x, y]) => {
    const at = fitted.base + fitted.perUnit * x;
    return at === 0 ? 0 : ((y - at) / at) ** 2;
  });
  const relativeError = Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
  return { ...fitted, from, to, points: usable.length, relativeError };
}

/** y at x. */
export const valueAt = ({ base, perUnit }: Line, x: number): number => base + perUnit * x;

/** The x at which the line reaches y: infinite for a line that never does, 0 where it begins above. */
export function reaches({ base, perUnit }: Line, y: number): number {
  if (base > y) return 0;
  return perUnit === 0 ? Number.POSITIVE_INFINITY : (y - base) / perUnit;
}
