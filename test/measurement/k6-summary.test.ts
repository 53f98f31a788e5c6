import { expect, test } from 'vitest';
import { countOf, percentileOf } from '../../src/histogram.ts';
import { readK6Summary } from '../../src/measurement/k6-summary.ts';
import { counter, k6Scenario, k6SummaryOf, PER_REQUEST, trend } from '../fixtures/k6-summary-of.ts';

const s = k6Scenario();
const read = (value: unknown) => readK6Summary('one.json', JSON.stringify(value), PER_REQUEST);

test('a summary as the script writes it', () => {
  const summary = read(k6SummaryOf(s, { intent: { rejected: 100, skipped: 20 } }));
  expect(summary.origin).toMatchObject({ scenario: 'recorded', players: 100, durationSeconds: 20 });
  const { intent, monsterCommand } = summary.operations;
  expect(intent?.measured).toEqual({
    ...{ scheduled: 2000, ok: 1880, rejected: 100, failed: 0, failedUnsent: 0 },
    ...{ timedOut: 0, skipped: 20, unfinished: 0, idle: 0 },
  });
  expect(intent?.whole).toEqual(intent?.measured);
  expect(intent?.due).toMatchObject({ min: 1000, max: 80_000 });
  expect(intent && countOf(intent.due)).toBe(1980);
  expect(intent && percentileOf(intent.due, 95)).toBe(30_000);
  expect(intent && countOf(intent.rejected)).toBe(100);
  // Posts have ten commands each, and the buckets count commands.
  expect(monsterCommand && countOf(monsterCommand.due)).toBe(20_000);
  expect(summary.totals).toMatchObject({ connected: 100, connectFailed: 0, disconnects: 0, stray: 0 });
});

test('a value beyond the last bucket counts there, and its exact value is the maximum', () => {
  const slow = read(k6SummaryOf(s, { due: [1, 10, 20, 30, 40, 60, 200_000] })).operations.intent?.due;
  expect(slow?.max).toBe(200_000_000);
  expect(slow?.counts.at(-1)).toEqual([131_071_000, 2]);
});

test('operations that failed unsent are a part of those that failed', () => {
  const unsent = (failedUnsent: number) =>
    read(k6SummaryOf(s, { intent: { failed: 30, failedUnsent } })).operations.intent?.measured;
  expect(unsent(10)).toMatchObject({ failed: 30, failedUnsent: 10 });
  expect(unsent(0)).toMatchObject({ failedUnsent: 0 });
  expect(() => unsent(31)).toThrow('contradicts itself');
});

const good = k6SummaryOf(s);
const withBuckets = (trend: string, buckets: unknown) => ({
  ...good,
  capbench: { ...good.capbench, buckets: { ...(good.capbench.buckets as object), [trend]: buckets } },
});
const withMetric = (name: string, metric: unknown) => ({
  ...good,
  metrics: { ...good.metrics, [name]: metric },
});

test.each<[string, unknown, string]>([
  ['a list', [], 'is no such summary: the whole'],
  ['nothing', null, 'is no such summary: the whole'],
  ["k6's own export", { metrics: { iterations: { count: 1, rate: 1 } } }, 'capbench: missing'],
  ['an origin without a hash', k6SummaryOf(s, { origin: { scenarioHash: 'x' } }), 'capbench.scenarioHash'],
  ['a newer version', k6SummaryOf(s, { origin: { schemaVersion: 3 } }), 'capbench.schemaVersion'],
  [
    'a summary of an earlier script',
    k6SummaryOf(s, { origin: { schemaVersion: 1 } }),
    'was written by a script that an earlier capbench exported',
  ],
  ['no duration', k6SummaryOf(s, { origin: { durationSeconds: 0 } }), 'capbench.durationSeconds'],
  ['no metrics', { capbench: good.capbench }, 'metrics: missing'],
  ['metrics in a list', { ...good, metrics: [] }, 'metrics'],
  ['no GO', k6SummaryOf(s, { metrics: { capbench_go: null } }), 'ended before its load began'],
  ['a negative count', withMetric('capbench_connected', counter(-1)), 'metrics.capbench_connected'],
  [
    'half an operation',
    withMetric('capbench_intent_ok', counter(0.5)),
    'metrics.capbench_intent_ok is not whole',
  ],
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
  [
    'no counter',
    k6SummaryOf(s, { metrics: { capbench_intent_failed: null } }),
    'metrics.capbench_intent_failed',
  ],
  ['no trend', k6SummaryOf(s, { metrics: { capbench_intent_due: null } }), 'metrics.capbench_intent_due'],
  [
    'a count without an outcome',
    k6SummaryOf(s, { intent: { ok: 1900 } }),
    '2000 intent operations were due and 1900 have an outcome',
  ],
  [
    'fewer values than buckets',
    withMetric('capbench_intent_due', trend([[30, 1999]])),
    'capbench_intent_due has 1999 values, its buckets 2000',
  ],
  [
    'fewer latencies than answers',
    {
      ...withBuckets('capbench_intent_due', [[30, 1000]]),
      metrics: { ...good.metrics, capbench_intent_due: trend([[30, 1000]]) },
    },
    '2000 intent operations were counted, and 1000 are in the buckets of due',
  ],
  [
    'buckets of rejections without a count',
    withBuckets('capbench_intent_rejected', [[1, 1]]),
    'buckets of rejected',
  ],
  [
    'a maximum beyond the buckets',
    withMetric('capbench_intent_due', {
      ...trend([[30, 2000]]),
      values: { count: 2000, min: 1, avg: 30, max: 300 },
    }),
    'contradicts itself',
  ],
  [
    'no number',
    withMetric('capbench_intent_due', { type: 'trend', values: { count: 1, min: Number.NaN } }),
    'min',
  ],
  ['a bucket that does not exist', withBuckets('capbench_intent_due', [[257.5, 2000]]), 'capbench.buckets'],
  [
    'a value that is no end of a bucket',
    withBuckets('capbench_intent_due', [[258, 2000]]),
    'are not its buckets',
  ],
  [
    'buckets out of order',
    withBuckets('capbench_intent_due', [
      [30, 1000],
      [20, 1000],
    ]),
    'are not its buckets',
  ],
  ['a negative count in a bucket', withBuckets('capbench_intent_due', [[30, -1]]), 'capbench.buckets'],
])('%s is refused', (_what, value, says) => {
  expect(() => read(value)).toThrow(
    expect.objectContaining({ exitCode: 104, message: expect.stringContaining(says) }),
  );
});

test('text that is not JSON, and a repeated key, are refused', () => {
  for (const [content, says] of [
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['{"metrics": {}, "metrics": {}}', 'line 1: the key "metrics" appears twice'],
    ['['.repeat(100_000), 'not JSON'],
  ] as const) {
    expect(() => readK6Summary('one.json', content, PER_REQUEST)).toThrow(
      expect.objectContaining({ exitCode: 104, message: expect.stringContaining(says) }),
    );
  }
});
