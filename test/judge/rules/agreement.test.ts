import { expect, test } from 'vitest';
import type { FaultFacts, Measurements, Series } from '../../../src/measurement/measurements.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { budget, probe, scenarioOf } from '../../fixtures/recorded-run.ts';
import { STAGES, stageFacts } from '../../fixtures/recorded-stages.ts';
import { recorded, ruleOf, verdictOf, withSeries, withTraits } from '../measured.ts';

const { series, operations } = recorded;
/** Some of the recorded series, by the end of their names, with other points. */
const changed = (name: RegExp, points: (of: Series['points']) => Series['points']) =>
  withSeries(
    Object.fromEntries(
      Object.entries(series)
        .filter(([key]) => name.test(key))
        .map(([key, one]) => [key, { ...one, points: points(one.points) }]),
    ),
  );
const times = (factor: number) => (points: Series['points']) =>
  points.map(([at, value]) => [at, factor * value] as const);
const until = (end: number) => (points: Series['points']) => points.filter(([at]) => at < end);
/** Begun again at 0 from there on. */
const restarted = (from: number) => (points: Series['points']) => {
  const base = points.findLast(([at]) => at < from)?.[1] ?? 0;
  return points.map(([at, value]) => [at, at < from ? value : value - base] as const);
};
/** So many were sent and never answered. */
const unanswered = (count: number): Partial<Measurements> => {
  const { intent } = operations;
  const whole = { ...intent.whole, ok: intent.whole.ok - count, timedOut: count };
  return { operations: { ...operations, intent: { ...intent, whole } } };
};
const killed: FaultFacts = {
  ...{ id: 'kill-world-1-1', action: 'kill', of: 'world-1', from: 9, to: 9.5, dropped: null, error: null },
  rows: { lost: 0, phantom: 0, duplicated: 0, holes: 0 },
};

test.each<[what: string, m: Partial<Measurements>, says: string]>([
  [
    '1,000 times all that was sent',
    changed(/^world\.\d\.(operations|batches|rowWrites)$/, times(1000)),
    '504,000,000 operations, and 504,000 operations were sent',
  ],
  ['the row writes alone', changed(/^world\.\d\.rowWrites$/, times(1000)), '456,000,000 row writes'],
  [
    'more row writes than actors and targets',
    changed(/^world\.\d\.rowWrites$/, times(2.3)),
    '1,048,800 row writes',
  ],
  ['the batches alone', changed(/^world\.\d\.batches$/, times(1000)), '4,800,000 batches, and'],
  ['the rejected alone', changed(/^world\.\d\.rejected$/, times(1000)), 'operations that were rejected'],
  [
    '2% more operations',
    changed(/^world\.\d\.operations$/, times(1.02)),
    '514,080 operations, and 504,000 operations were sent',
  ],
  [
    '2% less than was answered',
    changed(/^world\.\d\.operations$/, times(0.98)),
    '493,920 operations, and 504,000 were answered',
  ],
  ['one of two servers, half', changed(/^world\.1\.operations$/, times(0.5)), '378,000 operations'],
  ['nothing at all', changed(/^world\.\d\.operations$/, times(0)), '0 operations, and 504,000 were answered'],
  [
    'a restart that adds up to too much',
    changed(/^world\.\d\.operations$/, (points) =>
      points.map(([at, value], i) => [at, i === 15 ? 0 : value]),
    ),
    'operations were sent',
  ],
  [
    'more than was sent, where not all was answered',
    { ...changed(/^world\.1\.operations$/, times(1.03)), ...unanswered(20_000) },
    '504,000 operations were sent',
  ],
  [
    'buckets of batches that were never flushed',
    { worlds: { ...recorded.worlds!, batchOperations: { bounds: [10], counts: [0, 600_000] } } },
    '600,000 batches by size',
  ],
  [
    'buckets of responses that nobody waited for',
    { worlds: { ...recorded.worlds!, responseMs: { bounds: [10], counts: [0, 600_000] } } },
    '600,000 responses',
  ],
  ['a negative queue', changed(/^world\.1\.queued$/, times(-1)), 'the servers report -'],
  [
    'more connections than players',
    { ...changed(/^world\.1\.connections$/, times(10)), stackKind: 'target' },
    'the servers report 5,500 connections, expected at most 1,000',
  ],
  [
    'more entities than the world has',
    { ...changed(/^world\.1\.entities$/, times(10)), stackKind: 'target' },
    '27,500 entities, expected at most 5,000',
  ],
  [
    'more memory than the host has',
    { ...changed(/^world\.1\.memoryBytes$/, times(1000)), stackKind: 'target' },
    'memoryBytes',
  ],
])('servers that count what cannot be: %s', (_what, m, says) => {
  const verdict = verdictOf(m);
  const rule = ruleOf(verdict, 'server-counts-agree');
  expect(rule.state).toBe('broken');
  expect(rule.observed).toContain(says);
  expect({
    code: verdict.exitCode,
    named: verdict.invalidBecause.join().includes('server-counts-agree'),
  }).toEqual({ code: 90, named: true });
});

test.each<[what: string, m: Partial<Measurements>, s?: Partial<Scenario>]>([
  ['all of it', {}],
  ['half a percent beside it', changed(/^world\.\d\.operations$/, times(1.005))],
  ['what was not answered, counted', unanswered(20_000)],
  [
    'what was not answered, not counted',
    { ...unanswered(20_000), ...changed(/^world\.\d\.operations$/, times(0.96)) },
  ],
  [
    'a server that ran before',
    changed(/^world\.\d\.operations$/, (points) => points.map(([at, value]) => [at, value + 1e9])),
  ],
  ['a server that began again at 0', changed(/^world\.1\./, restarted(12))],
  [
    'a server that was killed before it had counted much',
    { ...changed(/^world\.1\.operations$/, times(0.3)), faults: [killed] },
  ],
  ['a last reading that failed', changed(/^world\.\d\./, until(24.5))],
  ['two writes for each operation', changed(/^world\.\d\.rowWrites$/, times(2.1))],
])('servers that count what was sent are believed: %s', (_what, m, s = {}) => {
  expect(ruleOf(verdictOf(m, s), 'server-counts-agree').state).toBe('held');
});

test.each<[what: string, m: Partial<Measurements>, s: Partial<Scenario>, observed: string]>([
  ['a target that is no flux world', { series: {} }, {}, 'no world server counts its operations'],
  [
    'players of the user’s own',
    {},
    withTraits({ counts: 'players of your own may send more than is counted' }),
    'players of your own',
  ],
  [
    'k6 that was cut off',
    { engine: 'k6', ending: { state: 'stoppedEarly', because: 'x' } },
    {},
    'k6 was ended before it had reported everything',
  ],
  ['a run that never measured', { measured: null }, {}, 'never measured'],
])('nothing is held against %s', (_what, m, s, observed) => {
  expect(ruleOf(verdictOf(m, s), 'server-counts-agree')).toMatchObject({
    state: 'not-applicable',
    observed: expect.stringContaining(observed),
  });
});

test('a breach that the generator saw stands beside servers that miscount, one that they told does not', () => {
  const lying = changed(/^world\.\d\.(operations|batches|rowWrites)$/, times(1000));
  const slow = budget({ id: 'slow', metric: 'latency.intent.due', stat: 'p95', limit: 1 });
  const few = budget({ id: 'few', metric: 'throughput.rowWritesPerSecond', limit: 1, metricUnit: 'rows/s' });
  expect(verdictOf(lying, { budgets: [slow] }).exitCode).toBe(99);
  expect(verdictOf(lying, { budgets: [slow] }).notes.join()).toContain('server-counts-agree');
  expect(verdictOf(lying, { budgets: [few] }).exitCode).toBe(90);
});

const stages = { load: { ...scenarioOf().load, stages: STAGES } };
test.each<[what: string, m: Partial<Measurements>, s: Partial<Scenario>, says: string]>([
  ['players', { peakCcu: 1001 }, {}, '1,001 players were connected at once, of 1,000'],
  [
    'a later beginning',
    { measured: { from: 6, to: 25 } },
    {},
    'measured from 6 to 25 s, planned from 5 to 25 s',
  ],
  ['an earlier end', { measured: { from: 5, to: 24 } }, {}, 'measured from 5 to 24 s'],
  [
    'a stage that it has not',
    { stages: [stageFacts(0, { name: 'other' })] },
    stages,
    'the stage other is not in the scenario',
  ],
  [
    'a stage at another rate',
    { stages: [stageFacts(0, { rate: 2 })] },
    stages,
    'the stage hold went from 5 to 21 s at 1 to 2',
  ],
  [
    'a stage at another time',
    { stages: [stageFacts(0, { to: 20 })] },
    stages,
    'the stage hold went from 5 to 20 s',
  ],
  ['stages, and it has none', { stages: [stageFacts(0)] }, {}, 'the stage hold is not in the scenario'],
  [
    'rows',
    { integrity: { ...recorded.integrity!, entities: 4000 } },
    {},
    'the rows of 4,000 entities, of 5,000',
  ],
  ['world servers', {}, { world: { ...scenarioOf().world, servers: 1 } }, '2 world servers, of 1'],
])('facts that the scenario cannot have led to: %s', (_what, m, s, says) => {
  const verdict = verdictOf(m, s);
  expect(ruleOf(verdict, 'scenario-agrees')).toMatchObject({
    state: 'broken',
    observed: expect.stringContaining(says),
  });
  expect(verdict.exitCode).toBe(90);
});

test('what was cut short is of the scenario all the same', () => {
  const early: Partial<Measurements> = {
    ending: { state: 'stoppedEarly', because: 'x' },
    measured: { from: 5, to: 19.2 },
  };
  const cut = { stages: [stageFacts(0, { to: 19.2 })] };
  expect(ruleOf(verdictOf(early), 'scenario-agrees').state).toBe('held');
  expect(ruleOf(verdictOf({ ...early, ...cut }, stages), 'scenario-agrees').state).toBe('held');
  expect(
    ruleOf(
      verdictOf({ measured: null, phases: { ...recorded.phases, ready: null, go: null } }),
      'scenario-agrees',
    ).state,
  ).toBe('not-applicable');
});

const asMetric = (points: Series['points']): Partial<Measurements> => ({
  ...withSeries({ 'metrics.1.orders_total': { kind: 'counter', points } }),
  probes: [...recorded.probes, probe('metrics-1')],
});
const everySecond = Array.from({ length: 31 }, (_, i) => [i - 2, 5 * i] as const);

test.each<[what: string, m: Partial<Measurements>, says: string | null]>([
  [
    'a counter of a world server, gone before the measure phase',
    changed(/^world\.2\.rowWrites$/, until(4)),
    'world.2.rowWrites was last read 3 s after GO',
  ],
  [
    'one of PostgreSQL, gone in the midst of it',
    changed(/^postgres\.walBytes$/, until(12)),
    'postgres.walBytes was last read 11 s',
  ],
  [
    'one of a page, gone before GO',
    asMetric(everySecond.slice(0, 2)),
    'metrics.1.orders_total was last read -1 s',
  ],
  ['many at once', changed(/^world\.2\.(?!waited|cpu)/, (points) => points.slice(0, 4)), 'and 2 more'],
  ['a gauge', changed(/^world\.2\.queued$/, until(4)), null],
  ['a page that goes on', asMetric(everySecond), null],
  ['one that has only begun', asMetric(everySecond.slice(15)), null],
  [
    'a probe that is gone altogether',
    {
      ...changed(/^world\.2\.(?!waited)/, until(4)),
      probes: recorded.probes.map((probe) =>
        probe.name === 'world-2' ? { ...probe, samples: 6, gaps: 25 } : probe,
      ),
    },
    null,
  ],
  ['what the host tells of a server', changed(/^world\.2\.waitedSeconds$/, () => []), null],
])('a counter that is no longer told has not stood still: %s', (_what, m, says) => {
  const rule = ruleOf(verdictOf(m), 'counters-go-on');
  expect(rule.state).toBe(says === null ? 'held' : 'broken');
  if (says !== null) expect(rule.observed).toContain(says);
  if (says !== null) expect(verdictOf(m).exitCode).toBe(90);
});
