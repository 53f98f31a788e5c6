import { metricOf } from '../compare/metric.ts';
import { isValid, readTrial, type Trial } from '../compare/trial.ts';
import type { Benchmark, BenchmarkFigure } from './benchmark.ts';
import type { Report } from './report.ts';

/** The figures of runs of one scenario, as they are compared. Runs without a conclusion are left out, and what only some of the others have. */
export function runBenchmark(reports: readonly Report[]): Benchmark {
  const scenario = reports[0]?.scenario ?? '';
  return trialsBenchmark(
    scenario,
    reports.map((report) => readTrial(JSON.stringify(report), scenario)),
  );
}

/** The same of trials that were read. */
export function trialsBenchmark(scenario: string, all: readonly Trial[]): Benchmark {
  const trials = all.filter(isValid);
  return {
    scenario,
    figures: Object.keys(trials[0]?.metrics ?? {}).flatMap((name) => figureOf(name, trials)),
  };
}

function figureOf(metric: string, trials: readonly Trial[]): readonly BenchmarkFigure[] {
  const { unit, better } = metricOf(metric);
  const values = trials.flatMap(({ metrics }) => metrics[metric] ?? []);
  return values.length < trials.length ? [] : [{ metric, unit, better, values }];
}
