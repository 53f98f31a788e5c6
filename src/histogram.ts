/**
 * An HdrHistogram as plain data: [value, count] pairs in ascending order of value, in microseconds,
 * three significant digits. Readable in measurements.json, and merged by adding counts.
 */
export interface HistogramData {
  readonly counts: readonly (readonly [value: number, count: number])[];
  /** Exact, beside the buckets. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

export const EMPTY_HISTOGRAM: HistogramData = { counts: [], min: 0, max: 0, sum: 0 };

/** Values recorded. */
export const countOf = (data: HistogramData): number =>
  data.counts.reduce((sum, [, count]) => sum + count, 0);

/** The histogram of all values together: counts are added, percentiles are never averaged (R8). */
export function mergeHistograms(all: readonly HistogramData[]): HistogramData {
  const filled = all.filter(({ counts }) => counts.length > 0);
  const merged = new Map<number, number>();
  for (const { counts } of filled) {
    for (const [value, count] of counts) merged.set(value, (merged.get(value) ?? 0) + count);
  }
  if (filled.length === 0) return EMPTY_HISTOGRAM;
  return {
    counts: [...merged].sort(([a], [b]) => a - b),
    min: filled.reduce((least, { min }) => Math.min(least, min), Number.POSITIVE_INFINITY),
    max: filled.reduce((most, { max }) => Math.max(most, max), 0),
    sum: filled.reduce((sum, one) => sum + one.sum, 0),
  };
}

/**
 * The smallest recorded value that at least `percent` of all values do not exceed, in microseconds.
 * What was never answered counts as slower than every recorded value (R3): null when the percentile falls
 * there, and when there is nothing at all.
 */
export function percentile(data: HistogramData, percent: number, unanswered = 0): number | null {
  // The margin keeps 99.9% of 1,000 at 999 although the product is a little more in binary.
  const rank = Math.max(1, Math.ceil((percent / 100) * (countOf(data) + unanswered) - 1e-9));
  let seen = 0;
  for (const [value, count] of data.counts) {
    seen += count;
    if (seen >= rank) return Math.min(value, data.max);
  }
  return null;
}
