import { expect, test } from 'vitest';
import { selectorsOf } from '../../src/scenario/budget.ts';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import { minimal, problemsOf, read, written } from './scenario-text.ts';

const of = (watch: string): string => minimal(`watch: ${watch}\n`);

test('metrics are named with and without their place in report.json, and a bundle reads as the same scenario', () => {
  const scenario = read(of(`[queue_length, 'target.metrics.http_requests_total{code="500"}']`));
  const asked = selectorsOf(scenario.budgets, scenario.watch);
  expect([...asked.keys()]).toEqual(['queue_length', 'http_requests_total{code="500"}']);
  expect([...asked.values()].every(({ isWatched }) => isWatched)).toBe(true);
  expect(read(written(scenario))).toEqual(scenario);
  expect(scenarioHash(read(minimal()))).not.toBe(scenarioHash(scenario));
});

test('what a budget names and watch names is asked for once, with the statistics of the budget', () => {
  const budget = '{ id: q, metric: target.metrics.queue, stat: max, op: <, limit: 5, unit: items }';
  const { budgets, watch } = read(`${of('[queue]')}budgets: [${budget}]\n`);
  const asked = selectorsOf(budgets, watch);
  expect(asked.size).toBe(1);
  expect(asked.get('queue')).toMatchObject({ isWatched: true, stats: new Set(['max']) });
});

const METRIC = 'a metric of a Prometheus page, such as http_requests_total{code="500"}';

test.each([
  ['queue', 'x.yaml:5:8 watch: got "queue", expected a list of 0 to 50 metrics'],
  ["[up, '5xx']", `x.yaml:5:13 watch.1: got "5xx", expected ${METRIC}`],
  ['[up, 7]', 'x.yaml:5:13 watch.1: got 7, expected text of 1 to 300 characters on one line'],
  [`['up{job=']`, `x.yaml:5:9 watch.0: got "up{job=", expected ${METRIC}`],
  ['[up, target.metrics.up]', 'x.yaml:5:8 watch: got a list of 2, expected each metric once'],
  [
    `[${Array.from({ length: 51 }, (_, i) => `m${i}`).join(', ')}]`,
    'x.yaml:5:8 watch: got a list of 51, expected a list of 0 to 50 metrics',
  ],
])('watch: %s is refused', (watch, problem) => {
  expect(problemsOf(of(watch)).map(({ where, path, message }) => `${where} ${path}: ${message}`)).toEqual([
    problem,
  ]);
});

test.each([
  ['101', 'x.yaml:6:26 rules.lostDeliveriesPercent: got 101, expected a percentage of 0 to 100'],
  ['none', 'x.yaml:6:26 rules.lostDeliveriesPercent: got "none", expected a percentage of 0 to 100'],
])('rules.lostDeliveriesPercent: %s is refused', (value, problem) => {
  const text = minimal(`rules:\n  lostDeliveriesPercent: ${value}\n`);
  expect(problemsOf(text).map(({ where, path, message }) => `${where} ${path}: ${message}`)).toEqual([
    problem,
  ]);
  expect(read(minimal('rules: { lostDeliveriesPercent: 1.5 }\n')).rules.lostDeliveriesPercent).toBe(1.5);
});

test.each([
  ['player.Wait', 'p95', 'metric "player.Wait" is not a figure of report.json'],
  [
    'player.wait',
    'p98',
    'metric "player.wait" has the statistics p50, p90, p95, p99, max, mean, min, total, perSecond, count; got p98',
  ],
  ['delivery.latencyMs', 'rate', 'metric "delivery.latencyMs" has the statistics'],
])('a budget on %s %s is refused', (metric, stat, message) => {
  const text = minimal(
    `budgets:\n  - { id: a, metric: ${metric}, stat: ${stat}, op: <, limit: 5, unit: ms }\n`,
  );
  const [problem] = problemsOf(text);
  expect(problem?.where).toBe('x.yaml:6:5');
  expect(problem?.message).toContain(message);
});
