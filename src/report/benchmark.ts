/** A figure of one or several runs, as services that keep histories of benchmarks take it. */
export interface BenchmarkFigure {
  /** A path of report.json, or of what was computed from it. */
  readonly metric: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** One of each trial, at least one; finite. */
  readonly values: readonly number[];
}

/** A scenario and its figures; none where no trial had a conclusion, so that no history takes what was disturbed. */
export interface Benchmark {
  readonly scenario: string;
  readonly figures: readonly BenchmarkFigure[];
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
