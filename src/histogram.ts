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
