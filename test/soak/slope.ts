import { median } from '../bench/figures.ts';

/** One reading: when, in seconds, and what. */
export type Point = readonly [at: number, value: number];

/** A line through points that is robust against a few outliers. */
export interface Slope {
  /** Median of the slopes between all pairs of points, per second (Theil 1950, Sen 1968). */
  readonly perSecond: number;
  /** Its confidence interval of 99%. */
  readonly low: number;
  readonly high: number;
}

/** Two-sided 99% of the normal distribution. */
const Z = 2.576;

/**
 * Theil and Sen's slope. The interval is Sen's, from the distribution of Kendall's S without a trend: of the N
 * slopes in order, those that stand Z sqrt(n(n-1)(2n+5)/18) / 2 away from the middle. Null with fewer than 8 points.
 */
export function slopeOf(points: readonly Point[]): Slope | null {
  const n = points.length;
  if (n < 8) return null;
  const slopes: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const [a, b] = [points[i]!, points[j]!];
      if (b[0] > a[0]) slopes.push((b[1] - a[1]) / (b[0] - a[0]));
    }
  }
  slopes.sort((a, b) => a - b);
  const at = (index: number): number => slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(index)))]!;
  const middle = (slopes.length - 1) / 2;
  const away = (Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2;
  return { perSecond: median(slopes), low: at(middle - away), high: at(middle + away) };
}

/** The result for one series. */
export interface Trend {
  readonly median: number;
  readonly slope: Slope | null;
  /** By the slope, over the time from the first point to the last. */
  readonly growth: number;
  /** True when the series rises significantly, and by more than the tolerance. */
  readonly grows: boolean;
}

/** @param tolerated growth over the points' time, in the values' unit */
export function trendOf(points: readonly Point[], tolerated: number): Trend {
  const slope = slopeOf(points);
  const growth = (slope?.perSecond ?? 0) * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
  return {
    median: median(points.map(([, value]) => value)),
    slope,
    growth,
    grows: slope !== null && slope.low > 0 && growth > tolerated,
  };
}
