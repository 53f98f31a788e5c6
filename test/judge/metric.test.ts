import { expect, test } from 'vitest';
import { figureAt, keysOf } from '../../src/judge/ruling.ts';
import { metricsOf } from '../../src/measurement/figures.ts';
import { metricAt } from '../../src/scenario/budget.ts';
import { checkBudgets } from '../../src/scenario/budget-entry.ts';
import { fluxFigures } from '../../src/systems/flux/figures.ts';
import { OPERATIONS } from '../../src/systems/flux/scenario.ts';
import { COMPLETE } from '../fixtures/recorded-deliveries.ts';
import {
  BUDGETS,
  budget,
  fluxFiguresOf,
  KERNEL_TRAFFIC,
  measurementsOf,
  metric,
  partOf,
} from '../fixtures/recorded-run.ts';
import { stageFacts } from '../fixtures/recorded-stages.ts';

const METRICS = metricsOf(OPERATIONS, fluxFigures);
/** Those of the whole run. */
const whole = [...METRICS].filter(([, { stages }]) => stages !== 'only');

/** A Redis that grows by one of everything a second; only a target has one. */
const REDIS = Object.fromEntries(
  [
    ...[
      'operations',
      'usedMemoryBytes',
      'memoryBytes',
      'connections',
      'cpuSeconds',
      'evictedKeys',
      'expiredKeys',
    ],
    ...[
      'keyspaceHits',
      'keyspaceMisses',
      'rejectedConnections',
      'errorReplies',
      'networkBytes',
      'keys',
      'reads',
    ],
  ].map((name) => [
    `redis.${name}`,
    { kind: 'counter' as const, points: Array.from({ length: 28 }, (_, i) => [i, i] as const) },
  ]),
);
/** A server with child processes. */
const PROCESSES = Object.fromEntries(
  ['busiestProcessSeconds', 'processes'].map((name) => [
    `world.1.${name}`,
    { kind: 'counter' as const, points: Array.from({ length: 28 }, (_, i) => [i, i] as const) },
  ]),
);
const { series, operations, integrity } = measurementsOf();
/** Each operation with some that were rejected. */
const refusing = {
  ...operations,
  monsterCommand: { ...operations.monsterCommand, rejected: partOf(operations.monsterCommand.due, 1000) },
};
/** Three numbers of players, a stage each; what is connected changes with them. */
const NUMBERS = [600, 1000, 800];
const stages = NUMBERS.map((players, i) => ({
  ...stageFacts(0, { name: `s${i}`, from: 5 + 6 * i, levelFrom: 5 + 6 * i, to: 11 + 6 * i }),
  ...{ playersBefore: players, players },
}));
const connected = {
  'load.connected': {
    kind: 'gauge' as const,
    points: Array.from({ length: 28 }, (_, i) => [i, NUMBERS[Math.floor((i - 5) / 6)] ?? 800] as const),
  },
};
const figures = fluxFiguresOf(
  measurementsOf({
    series: { ...series, ...REDIS, ...PROCESSES, ...connected },
    // Servers that acknowledge at two levels.
    integrity: integrity === null ? null : { ...integrity, saved: integrity.acked, lostInWindow: 0 },
    ...{ operations: refusing, stages, deliveries: COMPLETE, kernelTraffic: KERNEL_TRAFFIC },
  }),
);
const resolve = (path: string, stat: string | null): number | string | null => {
  const keys = keysOf(metric(path, stat));
  return figureAt(figures, stat === null ? keys : [...keys, stat]);
};

/** `a.b.c` of every number or text below a value. */
function leaves(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' || typeof value === 'string' || value === null ? [path] : [];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

const named = whole.flatMap(([path, { stats }]) =>
  stats === null ? [path] : stats.map((stat) => `${path}.${stat}`),
);

test('every metric of the catalogue is a figure, and has a value in a healthy run', () => {
  const missing = whole.filter(([path, { stats }]) =>
    (stats ?? [null]).some((stat) => resolve(path, stat) === null),
  );
  expect(missing.map(([path]) => path)).toEqual([]);
});

/** Counts and units, of what a calibration was; and what budgets on `due` are held against, which is shown. */
const NOT_NAMED =
  /\.(count|unit|points)$|^stages\.|\.calibration\.of$|^latency\.\w+\.(judged\.|(ok|service)\.unanswered$)/;

test('every figure is in the catalogue, but for counts, units and settings', () => {
  const open = leaves(figures, '').filter(
    (path) => !named.includes(path) && !path.startsWith('stack.') && !NOT_NAMED.test(path),
  );
  expect(open).toEqual([]);
});

test('what a figure cannot exceed is a figure of the same unit', () => {
  const bounds = [...METRICS.values()].flatMap(({ unit, within }) => (within ? [{ unit, within }] : []));
  expect(bounds.length).toBeGreaterThan(0);
  for (const { unit, within } of bounds) {
    expect(METRICS.get(within.metric)).toMatchObject({ unit, stats: null });
  }
});

test('a setting is found by its name, dots and all', () => {
  expect(resolve('stack.applied.shared_buffers', null)).toBe('6GB');
  expect(resolve('stack.applied.no.such', null)).toBeNull();
  expect(metricAt(METRICS, 'stack.applied.anything')?.unit).toBe('setting');
});

test('a path through something that is no figure leads nowhere', () => {
  for (const path of ['constructor.name', 'load.__proto__', 'latency.intent', 'load.peakCcu.toString']) {
    expect(resolve(path, null)).toBeNull();
    expect(metricAt(METRICS, path)).toBeUndefined();
  }
});

const problem = (over: Parameters<typeof budget>[0]): string =>
  checkBudgets([budget(over)], METRICS)[0]?.message ?? '';

test('a budget that no run can rule is found before the run', () => {
  expect(checkBudgets(BUDGETS, METRICS)).toEqual([]);
  expect(problem({ id: 'a', metric: 'latency.intents.due', stat: 'p95' })).toContain('"latency.intent.due"');
  expect(problem({ id: 'a', metric: 'latency.intent.due', stat: 'p97' })).toContain('p95, p99');
  expect(problem({ id: 'a', metric: 'latency.intent.due' })).toContain('got none');
  expect(problem({ id: 'a', metric: 'load.peakCcu', stat: 'p95', metricUnit: 'players' })).toContain(
    'no statistics',
  );
  expect(problem({ id: 'a', metric: 'host.kernel', metricUnit: 'text' })).toContain(
    'expected a limit that is text',
  );
  expect(problem({ id: 'a', metric: 'load.peakCcu', metricUnit: 'players', limit: 'many' })).toContain(
    'expected a limit that is a number',
  );
});

test.each([
  ['latency.intents.due', 'did you mean "latency.intent.due"?'],
  ['Latency.Intent.Due', 'did you mean "latency.intent.due"?'],
  ['latency.due', 'did you mean "latency.intent.due"?'],
  ['latency.intent.due.p95', 'p95 is a statistic: metric: latency.intent.due, stat: p95'],
  ['world.memoryBytes.max', 'metric: world.memoryBytes, stat: max'],
  ['database.hitRatio', 'did you mean "database.hitRatioPercent"?'],
  ['generator.calibration.ownLag', 'did you mean "generator.calibration.ownLagP99Ms"?'],
  ['load.operations.intents.timeouts', 'did you mean "load.operations.intent.timedOut"?'],
  ['load.ccu', 'did you mean "load.peakCcu"?'],
  ['lost', 'did you mean "delivery.lost"?'],
  ['stack.aplied.fsync', 'did you mean "stack.applied.fsync"?'],
  ['target.metric.http_requests_total', 'did you mean "target.metrics.http_requests_total"?'],
  ['target.process.api.cpu', 'expected target.process.<name> and one of cpuPercentOfCore, cpuPercentOfHost'],
  ['target.process.Api.threads', 'is not a figure of a process'],
  ['target.proces.api.threads', 'did you mean "target.process.api.threads"?'],
  ['outage.redis.recovery', 'expected outage.<component> and one of count, downSecondsMax'],
  ['outage.redis.operations.intents.okPercent', 'is not a figure of outages'],
  ['nothing.of.the.kind', 'is not a figure of report.json; capbench metrics lists them all'],
  ['load.colour', 'is not a figure of report.json; capbench metrics lists them all'],
])('%s is answered with what is nearest', (metric, hint) => {
  expect(problem({ id: 'a', metric })).toContain(hint);
});

test('so are a statistic and a unit, and of a stage what stages have', () => {
  const due = { id: 'a', metric: 'latency.intent.due' };
  expect(problem({ ...due, stat: 'p59' })).toMatch(/got p59; did you mean p\d+\?$/);
  expect(problem({ ...due, stat: 'avg' })).toContain('did you mean mean?');
  expect(problem({ ...due, stat: 'median' })).toContain('did you mean p50?');
  expect(problem({ ...due, stat: 'p95', metricUnit: 'sec' })).toMatch(/with sec; expected ms or s$/);
  expect(problem({ id: 'a', metric: 'load.peakCcu', metricUnit: 'users' })).toMatch(/expected players$/);
  const staged = { stage: 'spike', metricUnit: 'players' };
  expect(problem({ id: 'a', metric: 'network.leave', ...staged })).toContain('"network.left"');
  expect(problem({ id: 'a', metric: 'latency.intent.due.p95', ...staged })).toContain('stat: p95');
  const page = { id: 'a', metric: 'target.metrics.queue', metricUnit: 'x' };
  expect(problem({ ...page, stat: 'avg' })).toContain('did you mean mean?');
  expect(problem(page)).toContain('has the statistics mean, min, max, last, rate, increase');
});

test('a row write is never compared with a batch', () => {
  const over = { id: 'a', metric: 'throughput.batchesPerSecond' };
  expect(problem({ ...over, metricUnit: 'rows/s' })).toContain('cannot be compared');
  expect(problem({ ...over, metricUnit: 'batches/s' })).toBe('');
});
