import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { bencherMetrics } from '../../src/report/bencher.ts';
import type { BenchmarkFigure } from '../../src/report/benchmark.ts';
import { benchmarkAction } from '../../src/report/benchmark-action.ts';
import { runBenchmark } from '../../src/report/run-benchmark.ts';
import { failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

/** What each consumer documents of its input, written down from there: neither publishes a schema in a package. */
const number = { type: 'number' };
const ENTRIES = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'unit', 'value'],
    properties: {
      name: { type: 'string', minLength: 1 },
      unit: { type: 'string' },
      value: number,
      range: { type: 'string' },
      extra: { type: 'string' },
    },
    additionalProperties: false,
  },
};
const BENCHER = {
  type: 'object',
  propertyNames: { minLength: 1, maxLength: 1024 },
  additionalProperties: {
    type: 'object',
    minProperties: 1,
    propertyNames: { minLength: 1, maxLength: 64 },
    additionalProperties: {
      type: 'object',
      required: ['value'],
      properties: { value: number, lower_value: number, upper_value: number },
      additionalProperties: false,
    },
  },
};
const ajv = new Ajv();
const isEntries = ajv.compile(ENTRIES);
const isBencher = ajv.compile(BENCHER);

const figures: readonly BenchmarkFigure[] = [
  { metric: 'latency.say.due.p95', unit: 'ms', better: 'lower', values: [10, 20, 12] },
  { metric: 'throughput.operationsPerSecond', unit: '/s', better: 'higher', values: [1000] },
];
const benchmark = { scenario: 'chat "1"', figures };

test('github-action-benchmark has the mean, the range and the number of runs, of one direction in a file', () => {
  const lower = benchmarkAction(benchmark, 'lower');
  expect(lower).toEqual([
    {
      ...{ name: 'chat "1": latency.say.due.p95', unit: 'ms', value: 14 },
      ...{ range: '10 to 20', extra: '3 runs' },
    },
  ]);
  const higher = benchmarkAction(benchmark, 'higher');
  expect(higher).toEqual([
    { name: 'chat "1": throughput.operationsPerSecond', unit: '/s', value: 1000, extra: 'one run' },
  ]);
  expect(
    [lower, higher, benchmarkAction({ scenario: 'x', figures: [] }, 'lower')].map((one) => isEntries(one)),
  ).toEqual([true, true, true]);
});

test('Bencher has a benchmark with a measure for each metric, and bounds where there are several runs', () => {
  const metrics = bencherMetrics(benchmark);
  expect(metrics).toEqual({
    'chat "1"': {
      'latency.say.due.p95 (ms)': { value: 14, lower_value: 10, upper_value: 20 },
      'throughput.operationsPerSecond (/s)': { value: 1000 },
    },
  });
  expect(isBencher(metrics)).toBe(true);
  expect(isBencher(bencherMetrics({ scenario: 'x', figures: [] }))).toBe(true);
});

test('a measure whose name is too long for Bencher keeps its begin and its end, and stays apart from others', () => {
  const long = (end: string): BenchmarkFigure => ({
    ...{ metric: `latency.${'aVeryLongOperation'.repeat(4)}.due.${end}`, unit: 'ms' },
    ...{ better: 'lower', values: [1] },
  });
  const metrics = bencherMetrics({ scenario: 'x'.repeat(2000), figures: [long('p50'), long('p95')] });
  expect(isBencher(metrics)).toBe(true);
  expect(Object.keys(Object.values(metrics)[0] ?? {})).toHaveLength(2);
});

test('runs of a scenario have the figures that all of them have, and those without a conclusion none', () => {
  const whole = reportFrom(measurementsOf(), scenarioOf());
  const none = reportFrom(failedRun(), scenarioOf());
  const two = runBenchmark([whole, none, whole]);
  expect(two.scenario).toBe('recorded');
  expect(two.figures.length).toBeGreaterThan(3);
  expect(two.figures.every(({ values }) => values.length === 2 && values.every(Number.isFinite))).toBe(true);
  expect(two.figures.find(({ metric }) => metric === 'latencyP95.intent')?.values).toEqual([
    whole.latency.intent?.due.p95,
    whole.latency.intent?.due.p95,
  ]);
  expect(isEntries(benchmarkAction(two, 'lower'))).toBe(true);
  expect(isBencher(bencherMetrics(two))).toBe(true);
  expect(runBenchmark([none]).figures).toEqual([]);
});
