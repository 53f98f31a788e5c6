import { expect, test } from 'vitest';
import { type Comparison, compare } from '../../src/compare/comparison.ts';
import { DEFAULT_GATE, type Gate, gateOf } from '../../src/compare/gate.ts';
import type { Trial } from '../../src/compare/trial.ts';
import { trial, trialsOf } from './trials.ts';

const CPU = 'cpuPerOperation.servers';
/** Only what the test is about decides. */
const only = (...metrics: readonly string[]): Gate => ({ ...DEFAULT_GATE, metrics });

const between = (
  base: readonly Trial[],
  head: readonly Trial[],
  gate: Gate = DEFAULT_GATE,
  design: 'separate' | 'paired' = 'separate',
): Comparison => compare({ name: 'main', trials: base }, { name: 'pr', trials: head }, gate, design);

const metricIn = ({ metrics }: Comparison, name: string) => {
  const found = metrics.find(({ metric }) => metric === name);
  if (found === undefined) throw new Error(`${name} is not in the table`);
  return found;
};

/** Ten values around `mean` with a coefficient of variation of about 1%. */
const around = (mean: number): readonly number[] =>
  [-1.4, 1.1, 0.3, -0.8, 1.5, -1.1, 0.6, -0.2, 0.9, -0.9].map((percent) => mean * (1 + percent / 100));

test.each([
  // One metric at 1%, ten trials of 1% each: 3% is within the threshold, 8% beyond it.
  [100, 'same', 'pass', 0],
  [103, 'same', 'pass', 0],
  [108, 'worse', 'regression', 91],
  [92, 'better', 'pass', 0],
])('CPU per operation from 100 to %d: %s', (head, ruling, outcome, exitCode) => {
  const found = between(trialsOf(CPU, around(100)), trialsOf(CPU, around(head)), only(CPU));
  expect(metricIn(found, CPU)).toMatchObject({ ruling, gated: true, better: 'lower' });
  expect(metricIn(found, CPU).changePercent).toBeCloseTo(head - 100, 6);
  expect(found).toMatchObject({ outcome, exitCode, kind: 'comparison', schemaVersion: 1 });
});

test('of what is better when it is higher, less is worse', () => {
  const found = between(
    trialsOf('operationsPerSecond', around(500)),
    trialsOf('operationsPerSecond', around(450)),
    only('operationsPerSecond'),
  );
  expect(metricIn(found, 'operationsPerSecond')).toMatchObject({ ruling: 'worse', better: 'higher' });
  expect(found.headline).toContain('throughput is 10.0% lower');
  const other = between(
    trialsOf('operationsPerSecond', around(450)),
    trialsOf('operationsPerSecond', around(500)),
    only('operationsPerSecond'),
  );
  expect(other).toMatchObject({ outcome: 'pass', headline: expect.stringContaining('better: throughput') });
});

test('what is exactly at the threshold is not beyond it', () => {
  const found = (head: number) =>
    metricIn(between(trialsOf(CPU, [100, 100]), trialsOf(CPU, [head, head]), only(CPU)), CPU).ruling;
  expect([found(105), found(105.001), found(95), found(94.999)]).toEqual(['same', 'worse', 'same', 'better']);
});

test('too few trials are underpowered, and say how many would be enough', () => {
  const few = between(
    trialsOf(CPU, around(100).slice(0, 3)),
    trialsOf(CPU, around(103).slice(0, 3)),
    only(CPU),
  );
  const { ruling, detectablePercent, trialsNeeded, because } = metricIn(few, CPU);
  expect(ruling).toBe('underpowered');
  expect(detectablePercent).toBeGreaterThan(5);
  expect(because).toBe(`about ${trialsNeeded} trials of each version would be enough`);
  expect(few).toMatchObject({ outcome: 'inconclusive', exitCode: 90 });
});

test.each([
  [1, 1],
  [1, 10],
  [10, 1],
])('%d against %d trials: one has no interval, and is never a pass', (n, m) => {
  const found = between(
    trialsOf(CPU, around(100).slice(0, n)),
    trialsOf(CPU, around(100).slice(0, m)),
    only(CPU),
  );
  expect(metricIn(found, CPU)).toMatchObject({
    ...{ ruling: 'underpowered', lowPercent: null, highPercent: null, detectablePercent: null },
  });
  expect(metricIn(found, CPU).changePercent).not.toBeNull();
  expect(found.exitCode).toBe(90);
});

test('those that there are and do not show it are never enough', () => {
  // One version differs from trial to trial, the other does not: Welch has fewer degrees of freedom than equal ones would.
  const found = between(trialsOf(CPU, [100, 103, 97]), trialsOf(CPU, [100, 100, 100]), only(CPU));
  expect(metricIn(found, CPU)).toMatchObject({ ruling: 'underpowered' });
  expect(metricIn(found, CPU).trialsNeeded).toBeGreaterThan(3);
});

test('a regression counts also where another metric has no ruling', () => {
  const base = trialsOf(CPU, around(100));
  const head = trialsOf(CPU, around(120)).map((one, i) => ({
    ...one,
    metrics: { ...one.metrics, bytesPerOperation: 500 * (1 + 0.3 * (i % 2)) },
  }));
  const found = between(base, head, only(CPU, 'bytesPerOperation'));
  expect(metricIn(found, 'bytesPerOperation').ruling).toBe('underpowered');
  expect(found).toMatchObject({ outcome: 'regression', exitCode: 91 });
  expect(found.headline).toMatch(
    /CPU per operation, servers is 20\.0% higher; too few trials .* bytes per operation/,
  );
});

test.each<[base: readonly number[], head: readonly number[], ruling: string, changePercent: number | null]>([
  [[0, 0, 0], [0, 0, 0], 'same', 0],
  [[0, 0, 0], [1, 1, 1], 'not comparable', null],
  [[2, 2, 2], [0, 0, 0], 'not comparable', null],
  [[2, 2, 2], [2, 0, 2], 'not comparable', null],
  [[2, 2, 2], [2, 2, 2], 'same', 0],
  [[2, 2, 2], [3, 3, 3], 'worse', 50],
])('row writes from %j to %j: %s', (base, head, ruling, changePercent) => {
  const found = between(
    trialsOf('rowWritesPerOperation', base),
    trialsOf('rowWritesPerOperation', head),
    only('rowWritesPerOperation'),
  );
  expect(metricIn(found, 'rowWritesPerOperation')).toMatchObject({ ruling, changePercent });
  // Nothing is NaN or infinite: JSON would make null of it.
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test('the family: what is worse for itself is not worse among many', () => {
  const names = Array.from({ length: 12 }, (_, i) => `cpuPerOperation.c${i}`);
  const others = Object.fromEntries(names.map((name) => [name, 1000]));
  const spread = [-3, 3, -2, 2, -4, 4];
  const base = trialsOf(
    names[0] ?? '',
    spread.map((percent) => 1000 + 10 * percent),
    others,
  );
  const head = trialsOf(
    names[0] ?? '',
    spread.map((percent) => 1080 + 10 * percent),
    others,
  );
  const alone = metricIn(between(base, head, only(names[0] ?? '')), names[0] ?? '');
  const among = metricIn(between(base, head, only(...names)), names[0] ?? '');
  expect(alone.ruling).toBe('worse');
  expect(among.ruling).toBe('underpowered');
  // Its interval says the same as its ruling.
  expect(alone.lowPercent).toBeGreaterThan(0);
  expect(among.lowPercent).toBeLessThan(0);
});

test('pairs cancel what both of their trials have', () => {
  const drift = [100, 130, 90, 160, 120, 110];
  const base = trialsOf(CPU, drift);
  const head = trialsOf(
    CPU,
    drift.map((value, i) => value * (1.08 + 0.004 * (i % 2))),
  );
  expect(metricIn(between(base, head, only(CPU)), CPU).ruling).toBe('underpowered');
  const paired = between(base, head, only(CPU), 'paired');
  expect(metricIn(paired, CPU)).toMatchObject({ ruling: 'worse' });
  expect(paired.design).toBe('paired');
  expect(() => between(base, head.slice(1), only(CPU), 'paired')).toThrow('pairs');
});

const without = (one: Trial): Trial => ({ ...one, outcome: 'invalid', exitCode: 90, headline: 'too noisy' });

test('trials without a conclusion are left out and counted; of a pair both', () => {
  const [base, head] = [trialsOf(CPU, around(100)), trialsOf(CPU, around(100))];
  const some = base.map((one, i) => (i < 2 ? without(one) : one));
  const found = between(some, head, only(CPU));
  expect([found.base.counted, found.head.counted]).toEqual([8, 10]);
  expect(found.base.trials[0]).toMatchObject({ leftOut: 'too noisy', exitCode: 90 });
  expect(metricIn(found, CPU)).toMatchObject({ base: { n: 8 }, head: { n: 10 } });
  expect(found.notes).toEqual(['main: 2 of 10 trials left out, without a conclusion']);
  const paired = between(some, head, only(CPU), 'paired');
  expect([paired.base.counted, paired.head.counted]).toEqual([8, 8]);
  expect(paired.head.trials[1]?.leftOut).toBe('the other trial of its pair has no conclusion');
});

test('without any valid trial there is no comparison', () => {
  const found = between(trialsOf(CPU, around(100)), trialsOf(CPU, around(100)).map(without));
  expect(found).toMatchObject({
    ...{ outcome: 'inconclusive', exitCode: 90 },
    notComparable: [{ what: 'trials with a conclusion', base: '10 of 10', head: '0 of 10' }],
  });
  expect(found.metrics.every(({ ruling }) => ruling === 'not comparable')).toBe(true);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  expect(metricIn(found, CPU)).toMatchObject({ changePercent: null, head: { n: 0, mean: null } });
  expect(between([], []).exitCode).toBe(90);
});

test('a breached budget is a measured run', () => {
  const head = trialsOf(CPU, around(108)).map((one): Trial => ({ ...one, outcome: 'fail', exitCode: 99 }));
  const found = between(trialsOf(CPU, around(100)), head, only(CPU));
  expect(found).toMatchObject({ outcome: 'regression', head: { counted: 10 } });
});

test('another machine is named, with both values, and nothing is ruled', () => {
  const other = (one: Trial): Trial => ({ ...one, identity: { ...one.identity, CPU: 'new', cores: '64' } });
  const found = between(trialsOf(CPU, around(100)), trialsOf(CPU, around(150)).map(other));
  expect(found.notComparable.map(({ what }) => what)).toEqual(['CPU', 'cores']);
  expect(found.notComparable[1]).toMatchObject({ head: '64' });
  expect(found.headline).toMatch(/^not comparable: CPU \(.* against new\), cores/);
  expect(found.exitCode).toBe(90);
  // The figures are shown.
  expect(metricIn(found, CPU)).toMatchObject({
    ruling: 'not comparable',
    changePercent: expect.closeTo(50, 6),
  });
});

test('beside a trial of an earlier capbench the scenario is named once; many differences are counted', () => {
  const earlier = [trial({ conditions: undefined }), trial({ conditions: undefined })];
  const found = between(trialsOf(CPU, around(100)), earlier);
  expect(found.notComparable.map(({ what }) => what)).toEqual(['scenario of an earlier capbench']);
  const other = (one: Trial): Trial => ({
    ...one,
    identity: { ...one.identity, CPU: 'a', cores: '1', engine: 'k6', scale: '9', players: '7' },
  });
  const many = between(trialsOf(CPU, around(100)), trialsOf(CPU, around(100)).map(other));
  expect(many.notComparable).toHaveLength(5);
  expect(many.headline).toMatch(/engine \(native against k6\), and 2 more$/);
});

test('trials of one version must have the same in common', () => {
  const mixed = trialsOf(CPU, around(100)).map((one, i) =>
    i === 0 ? { ...one, identity: { ...one.identity, CPU: 'old' } } : one,
  );
  const [difference] = between(mixed, trialsOf(CPU, around(100))).notComparable;
  expect(difference).toMatchObject({ what: 'CPU', base: expect.stringMatching(/^old and /) });
});

test('a metric of one version only is not comparable, by name; one of neither is not in the table', () => {
  const lacking = (one: Trial): Trial => {
    const { [CPU]: _, ...metrics } = one.metrics;
    return { ...one, metrics };
  };
  const base = trialsOf(CPU, around(100));
  const found = between(base, trialsOf(CPU, around(100)).map(lacking), only(CPU));
  expect(metricIn(found, CPU)).toMatchObject({ ruling: 'not comparable', because: 'no figure in head' });
  expect(found).toMatchObject({ exitCode: 90, headline: 'not comparable: CPU per operation, servers' });
  // New ones, too: their cost is unknown.
  expect(metricIn(between(base.map(lacking), base, only(CPU)), CPU).because).toBe('no figure in base');
  const partly = base.map((one, i) => (i < 3 ? lacking(one) : one));
  expect(metricIn(between(partly, base, only(CPU)), CPU).because).toBe('no figure in 3 of 10 trials of base');
  expect(
    between(base, base)
      .metrics.map(({ metric }) => metric)
      .join(),
  ).not.toContain('redis');
});

test('a metric that the gate names must be there, unless it is one of the default', () => {
  const [base, head] = [trialsOf(CPU, around(100)), trialsOf(CPU, around(100))];
  const named = between(base, head, gateOf(null, { metrics: ['default', 'latencyP95.teleport'] }));
  expect(metricIn(named, 'latencyP95.teleport')).toMatchObject({ gated: true, ruling: 'not comparable' });
  expect(named.exitCode).toBe(90);
  const none = between(base, head, only('cpuPerOperation.redis'));
  expect(metricIn(none, 'cpuPerOperation.redis').ruling).toBe('not comparable');
});

test('a component that uses next to nothing does not decide, unless it is named', () => {
  const redis = 'cpuPerOperation.redis';
  const [base, head] = [
    trialsOf(CPU, around(1000), { [redis]: 10 }),
    trialsOf(CPU, around(1000), { [redis]: 20 }),
  ];
  const found = metricIn(between(base, head), redis);
  expect(found).toMatchObject({ gated: false, because: expect.stringContaining('below 5%') });
  expect(metricIn(between(base, head, only('cpuPerOperation', redis)), redis)).toMatchObject({
    ...{ gated: true, ruling: 'worse' },
  });
  // From next to nothing to something is a change.
  const grown = trialsOf(CPU, around(1000), { [redis]: 300 });
  expect(metricIn(between(base, grown), redis)).toMatchObject({ gated: true, ruling: 'worse' });
});

test('without a metric that decides there is no conclusion', () => {
  const bare = [trial(), trial()].map((one): Trial => ({ ...one, metrics: { operationsPerSecond: 5 } }));
  expect(between(bare, bare)).toMatchObject({
    ...{ exitCode: 90, headline: 'no metric of the gate was measured' },
  });
});

test.each([
  [null, {}, DEFAULT_GATE],
  [{ threshold: '10%' }, {}, { ...DEFAULT_GATE, thresholdPercent: 10 }],
  [
    { threshold: '10%', confidence: '95%' },
    { thresholdPercent: 3 },
    { ...DEFAULT_GATE, thresholdPercent: 3, confidencePercent: 95 },
  ],
  [{ metrics: ['latencyP95'] }, {}, only('latencyP95')],
  [{ metrics: ['default', 'latencyP95'] }, {}, only(...DEFAULT_GATE.metrics, 'latencyP95')],
  [{ metrics: ['latencyP95'] }, { metrics: ['default', 'answeredPercent'] }, DEFAULT_GATE],
])('the gate of %j with %j', (settings, flags, expected) => {
  expect(gateOf(settings, flags)).toEqual(expected);
});

test('false alarms of a whole comparison stay below the confidence', () => {
  // A against A, 400 times: eight metrics with noise of 2%, six trials of each version.
  let state = 7;
  const uniform = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const normal = (): number => Array.from({ length: 12 }, uniform).reduce((sum, one) => sum + one, -6);
  const names = Array.from({ length: 8 }, (_, i) => `cpuPerOperation.c${i}`);
  const one = trial();
  const arm = (slower: number): readonly Trial[] =>
    Array.from({ length: 6 }, () => ({
      ...one,
      metrics: Object.fromEntries(
        names.map((name, i) => [name, 100 * (1 + 0.02 * normal()) * (i === 0 ? slower : 1)]),
      ),
    }));
  const gate = { ...only('cpuPerOperation'), thresholdPercent: 0.1 };
  const alarms = (slower: number, rounds: number): number => {
    let count = 0;
    for (let i = 0; i < rounds; i++) if (between(arm(1), arm(slower), gate).exitCode === 91) count++;
    return count / rounds;
  };
  expect(alarms(1, 400)).toBeLessThan(0.02);
  expect(alarms(1.2, 40)).toBeGreaterThan(0.95);
});

test('another release of a program is said, and compared', () => {
  const head = trialsOf(CPU, around(100)).map(
    (one): Trial => ({
      ...one,
      versions: { ...one.versions, Node: 'v20.99.0' },
    }),
  );
  const found = between(trialsOf(CPU, around(100)), head, only(CPU));
  expect(found.exitCode).toBe(0);
  expect(found.notes).toEqual([expect.stringMatching(/^Node: v\S+ in base, v20\.99\.0 in head$/)]);
});
