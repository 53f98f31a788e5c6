import { type Benchmark, meanOf } from './benchmark.ts';
import { numberText } from './quantity.ts';

/** An entry of github-action-benchmark's custom tools. */
interface BenchmarkEntry {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Free text beside the value. */
  readonly range?: string;
  /** Free text that its chart shows at the point. */
  readonly extra: string;
}

/**
 * The figures for github-action-benchmark: its tool `customSmallerIsBetter` takes those of which less is better,
 * `customBiggerIsBetter` the others. Of several trials the mean, and from the smallest to the largest.
 */
export function benchmarkAction(
  { scenario, figures }: Benchmark,
  better: 'lower' | 'higher',
): readonly BenchmarkEntry[] {
  return figures
    .filter((figure) => figure.better === better)
    .map(({ metric, unit, values }) => ({
      name: `${scenario}: ${metric}`,
      unit,
      value: meanOf(values),
      ...(values.length === 1
        ? {}
        : { range: `${numberText(Math.min(...values))} to ${numberText(Math.max(...values))}` }),
      extra: values.length === 1 ? 'one run' : `${values.length} runs`,
    }));
}
