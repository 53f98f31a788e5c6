import { expect, test } from 'vitest';
import { rule } from '../../src/judge/ruling.ts';
import type { Figures } from '../../src/measurement/figures.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { databaseFigures, redisFigures, targetFigures } from '../../src/measurement/resource-figures.ts';
import type { MeasuredBudget } from '../../src/scenario/budget.ts';
import { budget, fluxFiguresOf, probe, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, gauge, recorded, ruleOf, verdictOf } from './measured.ts';

const TOOK = { bounds: [0.1, 0.5], counts: [90, 8, 2] };
/** A target of two pages, as it was recorded. */
const facts: Partial<Measurements> = {
  stackKind: 'target',
  ceilings: null,
  series: {
    ...recorded.series,
    'redis.operations': counter(250),
    'redis.evictedKeys': counter(0),
    'metrics.1.queue_length': gauge((second) => second),
    'metrics.2.queue_length': gauge(100),
    'metrics.1.requests_total{code="500"}': counter(3),
    'metrics.2.requests_total{code="500"}': counter(4),
    'metrics.1.never_total': counter(0),
  },
  histograms: { took_seconds: TOOK },
  absences: [
    { of: 'ceilings', because: 'they write' },
    { of: 'database', because: 'no URL' },
    { of: 'database.walBytesPerSecond', because: 'no right' },
    { of: 'target.metrics.never_total.values', because: 'no page has it' },
  ],
};

const base = fluxFiguresOf({ ...recorded, ...facts });

/** What these budgets are about, anew; the rest takes its time, and stays. */
const figuresFor = (m: Measurements, one: MeasuredBudget): Figures => ({
  ...base,
  database: databaseFigures(m),
  redis: redisFigures(m),
  target: targetFigures(m, scenarioOf({ budgets: [one] })),
});

type Over = Omit<Parameters<typeof budget>[0], 'id'>;

function ruling(over: Over, about: Partial<Measurements> = facts) {
  const one = budget({ id: 'x', metricUnit: 'x', ...over });
  const m = { ...recorded, ...about };
  const { state, observed, reason } = rule(one, figuresFor(m, one), m, []);
  return { state, observed, reason };
}
const of = (selector: string, stat: string, over: Omit<Over, 'metric'> = {}) =>
  ruling({ metric: `target.metrics.${selector}`, stat, limit: 1e6, ...over });

test('over both pages: gauges are added second by second, counters by their growth', () => {
  const { measured } = recorded;
  expect(of('queue_length', 'max').observed).toBe(100 + Math.floor(measured?.to ?? 0));
  expect(of('queue_length', 'last').observed).toBe(100 + Math.floor(measured?.to ?? 0));
  expect(of('queue_length', 'min').observed).toBe(100 + Math.ceil(measured?.from ?? 0));
  expect(of('requests_total{code="500"}', 'rate')).toEqual({ state: 'met', observed: 7, reason: null });
  expect(of('requests_total{code="500"}', 'increase').observed).toBeGreaterThan(50);
});

test('a percentile is in the unit of its name, and of the budget', () => {
  expect(of('took_seconds', 'p50', { metricUnit: 'ms' }).observed).toBeCloseTo(55.6, 1);
  expect(of('took_seconds', 'p95', { metricUnit: 's', limit: 0.4 })).toMatchObject({
    state: 'met',
    observed: 0.35,
  });
});

test('one beyond the largest bucket breaches what is below it, and decides nothing else', () => {
  const unknown = {
    state: 'unmeasured',
    reason: expect.stringContaining('at least 0.5, the largest bucket'),
  };
  const p99 = (op: MeasuredBudget['op'], limit: number) =>
    of('took_seconds', 'p99', { metricUnit: 's', op, limit });
  expect(p99('<', 0.4).state).toBe('breached');
  expect(p99('<', 0.6)).toMatchObject(unknown);
  expect(p99('<=', 0.5)).toMatchObject(unknown);
  expect(p99('>=', 0.5).state).toBe('met');
  expect(p99('>', 0.6)).toMatchObject(unknown);
});

test('what is not there is unmeasured, by name, and never 0', () => {
  const absent = (over: Over, reason: string | RegExp) =>
    expect(ruling({ op: '<=', limit: 0, ...over })).toEqual({
      state: 'unmeasured',
      observed: null,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
  absent({ metric: 'target.metrics.never_total', stat: 'increase' }, 'no page has it');
  absent({ metric: 'target.metrics.queue_length', stat: 'rate' }, /is a gauge: its statistics are mean/);
  absent({ metric: 'target.metrics.requests_total{code="500"}', stat: 'max' }, /is a counter/);
  absent({ metric: 'redis.hitRatioPercent', metricUnit: '%' }, /.+/);
  absent({ metric: 'ceilings.insertsPerSecond', metricUnit: 'rows/s' }, 'they write');
  expect(ruling({ metric: 'redis.operationsPerSecond', metricUnit: 'ops/s', limit: 300 }).observed).toBe(250);
  expect(ruling({ metric: 'redis.evictedKeys', metricUnit: 'keys', op: '=', limit: 0 }).state).toBe('met');
});

test('the most particular reason is the one that is told', () => {
  const series = Object.fromEntries(
    Object.entries(recorded.series).filter(([name]) => !name.startsWith('postgres.')),
  );
  const blind = { ...facts, series, probes: recorded.probes.filter(({ name }) => name !== 'postgres') };
  const reasons = [
    ruling({ metric: 'database.walBytesPerSecond', metricUnit: 'bytes/s' }, blind).reason,
    ruling({ metric: 'database.commitsPerSecond', metricUnit: 'transactions/s' }, blind).reason,
  ];
  expect(reasons).toEqual(['no right', 'no URL']);
});

/** 3 a second, read on the whole seconds but for the last two of the measure phase. */
const unread = () => {
  const to = recorded.measured?.to ?? 0;
  const points = counter(3).points.filter(([at]) => at < to - 1.5 || at > to + 0.5);
  return { 'metrics.1.requests_total': { kind: 'counter' as const, points } };
};

test('where a page was not read at the end, a limit within what it may have grown there decides nothing', () => {
  const about = { ...facts, series: { ...facts.series, ...unread() } };
  const increase = (over: Omit<Over, 'metric'>) =>
    ruling({ metric: 'target.metrics.requests_total', stat: 'increase', ...over }, about);
  const { observed } = increase({ limit: 1e6 });
  if (typeof observed !== 'number') throw new Error('no figure');
  expect(increase({ limit: observed + 10 }).state).toBe('met');
  expect(increase({ limit: observed - 10 }).state).toBe('breached');
  expect(increase({ limit: observed + 1 })).toMatchObject({
    state: 'unmeasured',
    reason: expect.stringMatching(
      /^it is between \d+ and \d+ x: the page was read 1\.\d s away from the ends/,
    ),
  });
  const verdict = verdictOf(about);
  expect(verdict.notes).toEqual([
    expect.stringMatching(
      /^not read when the measure phase began or ended: metrics-1; the nearest .* 1\.\d s away/,
    ),
  ]);
  const series = {
    'metrics.1.requests_total': { kind: 'counter' as const, points: counter(3).points.slice(0, 5) },
  };
  expect(
    ruling({ metric: 'target.metrics.requests_total', stat: 'rate' }, { ...facts, series }).reason,
  ).toContain('was not read near both ends');
});

test('a line of what a budget names that cannot be read makes the run invalid, by name', () => {
  const probesAsked = ['metrics-1'];
  const probes = [...recorded.probes, probe('metrics-1')];
  const about = { ...facts, probesAsked, probes };
  expect(ruleOf(verdictOf(about), 'metrics-readable').state).toBe('held');
  const broken = verdictOf({
    ...about,
    unreadable: [{ of: 'target.metrics.hits_total', because: 'http://x/metrics, line 3: it has no value' }],
  });
  expect(broken).toMatchObject({ exitCode: 90, outcome: 'invalid' });
  expect(broken.invalidBecause.join()).toContain(
    'target.metrics.hits_total: http://x/metrics, line 3: it has no value',
  );
});

test('a local stack has none of it', () => {
  expect(ruling({ metric: 'redis.evictedKeys', metricUnit: 'keys' }, {})).toMatchObject({
    state: 'unmeasured',
    reason: 'only a target has one: --target, with --probe-redis',
  });
});

test('a probe that was asked for has to have been there, and to have told something', () => {
  const answering = (name: string, samples: number) =>
    probe(name, { samples, gaps: 20 - samples, lastError: 'no route' });
  const told = (probesAsked: readonly string[], probes: Measurements['probes']) =>
    ruleOf(verdictOf({ ...facts, probesAsked, probes: [...recorded.probes, ...probes] }), 'probes-gave-data');
  expect(told([], [])).toMatchObject({ state: 'held' });
  expect(told(['redis'], [answering('redis', 20)])).toMatchObject({ state: 'held' });
  expect(told(['redis'], [])).toMatchObject({ state: 'broken', observed: 'redis: no such probe' });
  expect(told(['metrics-1'], [answering('metrics-1', 2)])).toMatchObject({
    state: 'broken',
    observed: 'metrics-1: no route',
  });
});
