import { expect, test } from 'vitest';
import { readK6Summary } from '../../src/measurement/k6-summary.ts';
import {
  counter,
  k6Scenario,
  k6SummaryOf,
  PER_SAMPLE,
  rate,
  type SummaryChanges,
  trend,
} from '../fixtures/k6-summary-of.ts';

const s = k6Scenario();
const read = (value: unknown) => readK6Summary('one.json', JSON.stringify(value), PER_SAMPLE);

test('a summary as k6 writes it', () => {
  const summary = read(
    k6SummaryOf(s, {
      intent: { rejected: 100, skipped: 20 },
      metrics: { capbench_within_fast: rate(1990, 10) },
    }),
  );
  expect(summary.origin).toMatchObject({ scenario: 'recorded', players: 100, durationSeconds: 20 });
  expect(summary.operations.intent?.measured).toEqual({
    ...{ scheduled: 2000, ok: 1880, rejected: 100, failed: 0, failedUnsent: 0 },
    ...{ timedOut: 0, skipped: 20, unfinished: 0 },
  });
  expect(summary.operations.intent?.trends.due).toMatchObject({ count: 1980, p95: 30, p999: 60 });
  expect(summary).toMatchObject({ connected: 100, connectFailed: 0, disconnects: 0, strayAnswers: 0 });
  expect([...summary.rates]).toEqual([['capbench_within_fast', { passes: 1990, fails: 10, rate: 0.995 }]]);
});

test('what is not told is null, and not nothing', () => {
  const { operations, strayAnswers, connect } = read(
    k6SummaryOf(s, {
      metrics: {
        ...{ capbench_intent_skipped: null, capbench_stray_answers: null, capbench_connect_ms: null },
        capbench_monster_command_due: trend(0, [0, 0, 0, 0, 0, 0, 0]),
      },
    }),
  );
  expect([operations.intent?.measured, strayAnswers, connect]).toEqual([null, null, null]);
  expect(operations.intent?.early).not.toBeNull();
  expect(operations.monsterCommand?.trends.due).toBeNull();
});

test('what failed unsent is a part of what failed', () => {
  const unsent = (metrics: NonNullable<SummaryChanges['metrics']>) =>
    read(k6SummaryOf(s, { intent: { failed: 30 }, metrics })).operations.intent?.measured;
  expect(unsent({ capbench_intent_failed_unsent: counter(10) })).toMatchObject({
    failed: 30,
    failedUnsent: 10,
  });
  expect(unsent({ capbench_intent_failed_unsent: counter(0) })).toMatchObject({ failedUnsent: 0 });
  expect(unsent({ capbench_intent_failed_unsent: null })).toBeNull();
  expect(() => unsent({ capbench_intent_failed_unsent: counter(31) })).toThrow('denies itself');
  expect(() => unsent({ capbench_intent_failed_unsent: counter(0.5) })).toThrow('not whole');
});

const good = k6SummaryOf(s);
const withMetric = (name: string, metric: unknown) => ({
  ...good,
  metrics: { ...good.metrics, [name]: metric },
});

test.each<[string, unknown, string]>([
  ['a list', [], 'is no such summary: the whole'],
  ['nothing', null, 'is no such summary: the whole'],
  ["k6's own export", { metrics: { iterations: { count: 1, rate: 1 } } }, 'capbench: nothing is there'],
  ['an origin without a hash', k6SummaryOf(s, { origin: { scenarioHash: 'x' } }), 'capbench.scenarioHash'],
  ['a newer one', k6SummaryOf(s, { origin: { schemaVersion: 2 } }), 'capbench.schemaVersion'],
  ['no duration', k6SummaryOf(s, { origin: { durationSeconds: 0 } }), 'capbench.durationSeconds'],
  ['no metrics', { capbench: good.capbench }, 'metrics: nothing is there'],
  ['metrics in a list', { ...good, metrics: [] }, 'metrics'],
  ['no GO', k6SummaryOf(s, { metrics: { capbench_go: null } }), 'ended before its load began'],
  ['a negative count', withMetric('capbench_connected', counter(-1)), 'metrics.capbench_connected'],
  ['half an operation', withMetric('capbench_intent_ok', counter(0.5)), 'the counts of intent are not whole'],
  [
    'a count that is text',
    withMetric('capbench_intent_ok', { type: 'counter', values: { count: '1' } }),
    'ok',
  ],
  [
    'another kind of metric',
    withMetric('capbench_intent_due', counter(1)),
    'metrics.capbench_intent_due.type',
  ],
  ['no number', withMetric('capbench_intent_due', trend(5, [1, 1, Number.NaN, 1, 1, 1, 1])), 'p(90)'],
  ['p95 below p90', withMetric('capbench_intent_due', trend(5, [1, 2, 9, 3, 9, 9, 9])), 'out of order'],
  ['a negative latency', withMetric('capbench_intent_due', trend(5, [-1, 2, 3, 4, 5, 6, 7])), 'out of order'],
  ['a share that is none', withMetric('capbench_within_fast', {}), 'capbench_within_fast.type'],
  ['a rate of minus one', withMetric('capbench_within_fast', rate(-1, 0)), 'capbench_within_fast'],
])('%s is refused', (_what, value, says) => {
  expect(() => read(value)).toThrow(
    expect.objectContaining({ exitCode: 104, message: expect.stringContaining(says) }),
  );
});

test('what is no JSON, and a key that stands twice, are refused', () => {
  for (const [content, says] of [
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['{"metrics": {}, "metrics": {}}', 'line 1: the key "metrics" is there twice'],
    ['['.repeat(100_000), 'not JSON'],
  ] as const) {
    expect(() => readK6Summary('one.json', content, PER_SAMPLE)).toThrow(
      expect.objectContaining({ exitCode: 104, message: expect.stringContaining(says) }),
    );
  }
});
