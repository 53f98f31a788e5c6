import { type Benchmark, meanOf } from './benchmark.ts';

/** By benchmark, then by measure. */
export type BencherMetrics = Readonly<
  Record<
    string,
    Readonly<
      Record<string, { readonly value: number; readonly lower_value?: number; readonly upper_value?: number }>
    >
  >
>;

/**
 * The figures in the Bencher Metric Format, for `bencher run --adapter json`: the scenario is the benchmark, each metric a measure, whose
 * unit is in its name because Bencher makes a measure of a name only. Of several trials the mean, the smallest and the largest.
 */
export function bencherMetrics({ scenario, figures }: Benchmark): BencherMetrics {
  if (figures.length === 0) return {};
  const measures = figures.map(({ metric, unit, values }) => {
    const bounds =
      values.length === 1 ? {} : { lower_value: Math.min(...values), upper_value: Math.max(...values) };
    return [measureName(metric, unit), { value: meanOf(values), ...bounds }] as const;
  });
  return { [scenario.slice(0, LONGEST_BENCHMARK)]: Object.fromEntries(measures) };
}

/** Characters that Bencher allows in the name of a benchmark, and of a measure. */
const LONGEST_BENCHMARK = 1024;
const LONGEST_MEASURE = 64;

/** `latency.intent.due.p95 (ms)`; without its middle where that is too long, which keeps what is measured and its statistic. */
function measureName(metric: string, unit: string): string {
  const name = unit === '' || unit === metric ? metric : `${metric} (${unit})`;
  if (name.length <= LONGEST_MEASURE) return name;
  const half = (LONGEST_MEASURE - 2) / 2;
  return `${name.slice(0, half)}..${name.slice(-half)}`;
}
