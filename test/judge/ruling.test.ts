import { expect, test } from 'vitest';
import { keeps, sameSetting, settingNumber } from '../../src/judge/comparison.ts';
import { rule } from '../../src/judge/ruling.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Operator } from '../../src/scenario/budget.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import {
  budget,
  failedRun,
  fluxFiguresOf,
  measurementsOf,
  probe,
  scenarioOf,
} from '../fixtures/recorded-run.ts';

const ruled = (
  over: Parameters<typeof budget>[0],
  m: Measurements = measurementsOf(),
  s: Scenario = scenarioOf(),
) => rule(budget(over), fluxFiguresOf(m, s), m, s.altered);

test.each<[number, Operator, number | readonly [number, number], boolean]>([
  [19.9, '<', 20, true],
  [20, '<', 20, false],
  [20, '<=', 20, true],
  [20, '>', 20, false],
  [20, '>=', 20, true],
  [1663, '=', 1663, true],
  [1664, '=', 1663, false],
  [0.1 + 0.2, '=', 0.3, true],
  [110, '~', 100, true],
  [90, '~', 100, true],
  [111, '~', 100, false],
  [89, '~', 100, false],
  [40, 'between', [40, 80], true],
  [80, 'between', [40, 80], true],
  [81, 'between', [40, 80], false],
  [39, 'between', [40, 80], false],
  [Number.NaN, '<', 20, false],
  [Number.NaN, '>', 20, false],
  [Number.NaN, '~', 20, false],
  [Number.NaN, 'between', [0, 20], false],
])('%s %s %s: %s', (observed, op, limit, kept) => {
  expect(keeps(observed, op, limit)).toBe(kept);
});

test.each([
  ['32GB', 'GB', 32],
  ['512MB', 'GB', 0.5],
  ['8gb', 'GB', 8],
  ['64mb', 'kB', 65_536],
  ['8Gb', 'GB', undefined],
  ['10min', 'min', 10],
  ['10min', 's', 600],
  ['1000ms', 'ms', 1000],
  ['0.9', 'ratio', 0.9],
  ['100', 'connections', 100],
  ['32GB', 'ms', undefined],
  ['on', 'GB', undefined],
])('the setting %s in %s is %s', (text, unit, value) => {
  expect(settingNumber(text, unit)).toBe(value);
});

test('settings are the same when they mean the same', () => {
  expect(sameSetting('1GB', '1024MB')).toBe(true);
  expect(sameSetting('60s', '1min')).toBe(true);
  expect(sameSetting('on', 'off')).toBe(false);
});

test('a budget is ruled in its own unit', () => {
  const memory = ruled({ id: 'a', metric: 'world.memoryBytes', stat: 'max', limit: 0.1, metricUnit: 'GB' });
  expect(memory.state).toBe('breached');
  expect(memory.observed).toBeCloseTo(0.184, 2);
});

test('a percentile says over how many operations it was taken', () => {
  const { state, samples } = ruled({ id: 'a', metric: 'latency.intent.due', stat: 'p95', limit: 20 });
  expect({ state, samples }).toEqual({ state: 'met', samples: 20_000 });
});

test('no data is never a pass, whatever the operator', () => {
  for (const op of ['<', '>', '=', '~'] as const) {
    const none = ruled(
      { id: 'a', metric: 'database.hitRatioPercent', op, limit: 0, metricUnit: '%' },
      measurementsOf({
        series: {},
        probes: [probe('postgres', { samples: 0, gaps: 9, lastError: 'refused' })],
      }),
    );
    expect(none).toMatchObject({
      state: 'unmeasured',
      observed: null,
      reason: 'probe postgres gave no data: refused',
    });
  }
});

test('a run that never reached its measure phase rules settings, ceilings and the machine alone', () => {
  const failed = failedRun();
  expect(
    ruled({ id: 'a', metric: 'network.disconnects', limit: 5, metricUnit: 'connections' }, failed),
  ).toMatchObject({
    state: 'unmeasured',
    reason: 'the run never reached its measure phase, or ended before it could report its figures',
  });
  expect(ruled({ id: 'a', metric: 'host.cpus', op: '>=', limit: 2, metricUnit: 'cores' }, failed).state).toBe(
    'met',
  );
});

test('a claim about the full load is unmeasured at another scale, and the figure is shown', () => {
  const quarter = ruled(
    { id: 'a', metric: 'load.peakCcu', op: '>=', limit: 10, metricUnit: 'players', fullLoad: true },
    measurementsOf(),
    scenarioOf({ scale: 0.25 }),
  );
  expect(quarter).toMatchObject({ state: 'unmeasured', reason: 'scale 0.25', observed: 1000 });
});

test('a claim about the full load is unmeasured where --set changed the load, and the change is named', () => {
  const over = { id: 'a', metric: 'load.peakCcu', op: '>=', limit: 10, metricUnit: 'players' } as const;
  const altered = ['load.players=400', 'world.servers=1'];
  const fewer = ruled({ ...over, fullLoad: true }, measurementsOf(), scenarioOf({ altered }));
  expect(fewer).toMatchObject({
    state: 'unmeasured',
    reason: 'altered: load.players=400, world.servers=1',
    observed: 1000,
  });
  const both = ruled({ ...over, fullLoad: true }, measurementsOf(), scenarioOf({ altered, scale: 0.5 }));
  expect(both.reason).toBe('scale 0.5; altered: load.players=400, world.servers=1');
  expect(ruled(over, measurementsOf(), scenarioOf({ altered })).state).toBe('met');
});

test('a claim about the full load says when the load was not achieved', () => {
  const short = measurementsOf({ peakCcu: 900 });
  const over = { id: 'a', metric: 'latency.intent.due', stat: 'p95', limit: 20 };
  expect(ruled({ ...over, fullLoad: true }, short)).toMatchObject({
    state: 'met',
    reason: 'at 900 of 1,000 players',
  });
  expect(ruled(over, short).reason).toBeNull();
});

test('a contradicted claim is shown with its figure and decides nothing', () => {
  const over = { id: 'a', metric: 'throughput.batchesPerSecond', metricUnit: 'batches/s', limit: 1 };
  expect(ruled({ ...over, contradicted: 'it says two things' })).toMatchObject({
    state: 'contradicted',
    reason: 'it says two things',
  });
});

test('what this hardware cannot hold is untestable; what was chosen otherwise is unmeasured; else it is ruled', () => {
  const settings = [
    { setting: 'a', documented: '32GB', applied: '6GB', reason: 'too little memory', hardware: true },
    { setting: 'b', documented: '100', applied: '4', reason: 'four are enough', hardware: false },
    { setting: 'c', documented: 'on', applied: 'off', reason: null, hardware: false },
    { setting: 'd', documented: '10min', applied: '600s', reason: null, hardware: false },
  ];
  const m = measurementsOf({ settings });
  const of = (name: string, limit: number | string, metricUnit: string) =>
    ruled(
      {
        id: name,
        metric: `stack.applied.${name}`,
        op: typeof limit === 'string' ? 'is' : '=',
        limit,
        metricUnit,
      },
      m,
    );
  expect(of('a', 32, 'GB')).toMatchObject({ state: 'untestable', observed: 6, reason: 'too little memory' });
  expect(of('b', 100, 'connections')).toMatchObject({ state: 'unmeasured', observed: 4 });
  expect(of('c', 'on', 'enum')).toMatchObject({ state: 'breached', observed: 'off' });
  expect(of('d', 10, 'min')).toMatchObject({ state: 'met', observed: 10 });
  expect(of('e', 1, 'GB')).toMatchObject({ state: 'unmeasured', observed: null });
});

test('more free memory than the host has is out of its reach, and the figure is shown', () => {
  const free = { id: 'a', metric: 'host.memoryAvailableBytes', stat: 'min', metricUnit: 'GB' } as const;
  for (const [op, limit] of [
    ['>', 30],
    ['>=', 24.1],
    ['>', 24],
  ] as const) {
    const ruling = ruled({ ...free, op, limit });
    expect(ruling).toMatchObject({ state: 'untestable', reason: 'this host has 24 GB in all' });
    expect(ruling.observed).toBeCloseTo(18, 0);
  }
  expect(ruled({ ...free, op: '>=', limit: 24 }).state).toBe('breached');
  expect(ruled({ ...free, op: '>', limit: 10 }).state).toBe('met');
  expect(ruled({ ...free, op: '<', limit: 30 }).state).toBe('met');
  expect(ruled({ ...free, op: '>', limit: 30, fullLoad: true }, failedRun())).toMatchObject({
    state: 'untestable',
    observed: null,
  });
});

const withUnanswered = (timedOut: number): Measurements => {
  const m = measurementsOf();
  const { intent } = m.operations;
  const measured = { ...intent.measured, ok: intent.measured.ok - timedOut, timedOut };
  return measurementsOf({ operations: { ...m.operations, intent: { ...intent, measured } } });
};

test('a percentile that falls among the unanswered is breached, and so is the maximum', () => {
  const m = withUnanswered(2000);
  const due = { id: 'a', metric: 'latency.intent.due', limit: 1e9 };
  expect(ruled({ ...due, stat: 'p95' }, m)).toMatchObject({
    state: 'breached',
    observed: null,
    reason: '2,000 operations were never answered',
  });
  expect(ruled({ ...due, stat: 'max' }, withUnanswered(1)).state).toBe('breached');
  expect(ruled({ ...due, stat: 'p50' }, m).state).toBe('met');
});

test('a percentile among the connections that could not be made is breached', () => {
  const { histogram } = measurementsOf().connect;
  const connects = { id: 'a', metric: 'network.connectMs', limit: 1e9 };
  const many = measurementsOf({ connect: { failed: 100, histogram } });
  expect(ruled({ ...connects, stat: 'p95' }, many)).toMatchObject({
    ...{ state: 'breached', observed: null, reason: '100 connections could not be made' },
  });
  expect(ruled({ ...connects, stat: 'p50' }, many).state).toBe('met');
});

test('a claimed range of CPU use is an upper bound, a range of the user’s own has two ends', () => {
  const over = {
    id: 'a',
    metric: 'world.cpuPercentTotal',
    stat: 'mean',
    op: 'between',
    limit: [40, 80] as [number, number],
    metricUnit: '%',
  } as const;
  const claimed = ruled({ ...over, claim: 'FLX-122' });
  expect(claimed.state).toBe('met');
  expect(claimed.reason).toContain('only the high end');
  expect(ruled(over).state).toBe('breached');
});
