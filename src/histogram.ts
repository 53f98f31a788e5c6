/**
 * An HdrHistogram as plain data: [value, count] pairs in ascending order of value, in microseconds,
 * three significant digits. Readable in measurements.json, and merged by adding counts.
 * A value is the upper end of its bucket. hdr-histogram.ts records them.
 */
export interface HistogramData {
  readonly counts: readonly (readonly [value: number, count: number])[];
  /** Exact, beside the buckets. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

export const EMPTY_HISTOGRAM: HistogramData = { counts: [], min: 0, max: 0, sum: 0 };

/** How many values were recorded. */
export function countOf(histogram: HistogramData): number {
  let total = 0;
  for (const [, count] of histogram.counts) total += count;
  return total;
}

/** Histograms of one layout are added, and percentiles are taken of the result: they are never averaged. */
export function mergeHistograms(histograms: readonly HistogramData[]): HistogramData {
  const filled = histograms.filter((histogram) => histogram.counts.length > 0);
  const [first] = filled;
  if (first === undefined) return EMPTY_HISTOGRAM;
  if (filled.length === 1) return first;
  const counts = new Map<number, number>();
  let { min, max } = first;
  let sum = 0;
  for (const histogram of filled) {
    for (const [value, count] of histogram.counts) counts.set(value, (counts.get(value) ?? 0) + count);
    min = Math.min(min, histogram.min);
    max = Math.max(max, histogram.max);
    sum += histogram.sum;
  }
  return { counts: [...counts].sort(([a], [b]) => a - b), min, max, sum };
}

/**
 * The histogram without the values of `part`. Its minimum and maximum are exact where the part's differ from the whole's,
 * else only as precise as the buckets.
 */
export function withoutPart(whole: HistogramData, part: HistogramData): HistogramData {
  if (part.counts.length === 0) return whole;
  const less = new Map(part.counts);
  const counts = whole.counts.flatMap(([value, count]) => {
    const left = count - (less.get(value) ?? 0);
    return left > 0 ? [[value, left] as const] : [];
  });
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) return EMPTY_HISTOGRAM;
  return {
    counts,
    min: part.min > whole.min ? whole.min : Math.max(whole.min, Math.min(first[0], whole.max)),
    max: part.max < whole.max ? whole.max : Math.min(last[0], whole.max),
    sum: Math.max(0, whole.sum - part.sum),
  };
}

/**
 * The smallest recorded value that at least `percent` of all `population` values do not exceed; the upper end
 * of its bucket, but never above the exact maximum. Values of the `population` that were not recorded count as slower
 * than every recorded one; null when the percentile falls among those, or without values.
 */
export function percentileOf(
  histogram: HistogramData,
  percent: number,
  population = countOf(histogram),
): number | null {
  if (population === 0) return null;
  // 99.9 / 100 * 1000 is 999.0000000000001: without the tolerance the rank would be one too high.
  const rank = Math.max(1, Math.ceil((percent / 100) * population - 1e-9 * population));
  let seen = 0;
  for (const [value, count] of histogram.counts) {
    seen += count;
    if (seen >= rank) return Math.min(value, histogram.max);
  }
  return null;
}

/** Exact, since the sum is kept beside the buckets; null without values. */
export function meanOf(histogram: HistogramData): number | null {
  const total = countOf(histogram);
  return total === 0 ? null : histogram.sum / total;
}

/** How many values lie in buckets that end above a limit. */
export function countAbove(histogram: HistogramData, limit: number): number {
  let above = 0;
  for (const [value, count] of histogram.counts) if (value > limit) above += count;
  return above;
}
