import { expect, test } from 'vitest';
import { rule } from '../../src/judge/ruling.ts';
import { unseenTraffic } from '../../src/judge/verdict.ts';
import type { Tally } from '../../src/load/engine.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import { RunRecord } from '../../src/measurement/run-record.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import type { Micros } from '../../src/units.ts';
import { budget, measurementsOf as recorded, scenarioOf } from '../fixtures/recorded-run.ts';
import { workload } from '../scenario/scenario-text.ts';

const workloadOf = (timeline: Workload['timeline']): Workload => ({ ...workload(scenarioOf()), timeline });
const at = (seconds: number): Micros => (seconds * 1e6) as Micros;

test.each([true, false])(
  'whether generator and servers share a host is taken from the options of the run: %s',
  (colocated) => {
    const { capbench, scenarioHash, commit, startedAt, stackKind, engine, host } = recorded();
    const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated, engine, host };
    const timeline = { rampEnd: at(1), measureStart: at(2), end: at(3) };
    const record = new RunRecord(identity, workloadOf(timeline), at(0));
    const facts = record.close({ state: 'completed' }, at(4), 0);
    expect(facts.colocated).toBe(colocated);
  },
);

test.each([
  [[true, true], true],
  [[true, false], true],
  [[false, false], false],
])('load workers at agents of this host, or of others: %j', (onThisHost, colocated) => {
  const { capbench, scenarioHash, commit, startedAt, stackKind, engine, host } = recorded();
  const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated: true, engine, host };
  const timeline = { rampEnd: at(1), measureStart: at(2), end: at(3) };
  const record = new RunRecord(identity, workloadOf(timeline), at(0));
  const agents = onThisHost.map((isHere, i) => ({
    ...{ address: `10.0.0.${i}:7400`, workers: 2, onThisHost: isHere, clockOffsetMs: 1 },
    ...{ clockUncertaintyMs: 0.123456, driftMs: i === 0 ? 0.01 : null, roundTripMs: 0.2 },
  }));
  const tally = { operations: {}, errors: [], ledger: { breaches: {} }, endedAt: at(3), agents };
  record.note({ go: at(0), tally: tally as unknown as Tally });
  const facts = record.close({ state: 'completed' }, at(4), 0);
  expect(facts.agents).toEqual(agents);
  expect(facts.colocated).toBe(colocated);
  const where = (isHere = false) => (isHere ? ' on this machine' : '');
  expect(facts.remarks).toEqual([
    `the load came from 10.0.0.0:7400 (2 load processes${where(onThisHost[0])}, clock known to 0.12 ms, drift 0.01 ms) and 10.0.0.1:7400 (2 load processes${where(onThisHost[1])}, clock known to 0.12 ms, not read again after the run)`,
  ]);
});

test.each([undefined, 'the module opened connections of its own'])(
  'bytes of players that were not all seen are no figure: %s',
  (because) => {
    const { capbench, scenarioHash, commit, startedAt, stackKind, engine, host } = recorded();
    const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated: true, engine, host };
    const timeline = { rampEnd: at(1), measureStart: at(2), end: at(6) };
    const record = new RunRecord(identity, workloadOf(timeline), at(0));
    record.note({ go: at(0) });
    for (const second of [1, 2, 3, 4, 5, 6]) {
      record.samples(at(second), [
        { series: 'load.connected', kind: 'gauge', value: 10 },
        ...['load.bytesIn', 'load.bytesOut', 'load.framesIn', 'load.commandBytes'].map(
          (series) => ({ series, kind: 'counter', value: 0 }) as const,
        ),
      ]);
    }
    const tally = {
      ...{ operations: {}, errors: [], ledger: { breaches: {} }, endedAt: at(6) },
      ...(because === undefined ? {} : { unseenTraffic: because }),
    } as unknown as Tally;
    record.note({ tally });
    const facts = record.close({ state: 'completed' }, at(7), 0);
    // The record is closed, so late additions change nothing.
    record.note({ tally: null });
    record.samples(at(8), [{ series: 'load.late', kind: 'gauge', value: 1 }]);
    record.error('late');
    record.absent('integrity', 'late');
    expect(record.close({ state: 'completed' }, at(7), 0)).toEqual(facts);
    const { network } = figuresOf(facts, scenarioOf());
    const expected = because === undefined ? 0 : null;
    expect(network.bytesPerPlayerSecondIn).toBe(expected);
    expect(network.bytesPerPlayerSecondOut).toBe(expected);
    expect(network.bytesPerSecond).toBe(expected);
    expect(Object.keys(facts.series).includes('load.bytesIn')).toBe(because === undefined);

    if (because === undefined) return;
    const metric = 'network.bytesPerPlayerSecondOut';
    const cheap = budget({ id: 'cheap', metric, stat: null, op: '<', limit: 1000, unit: 'bytes/s' });
    const ruling = rule(cheap, figuresOf(facts, scenarioOf()), facts, []);
    expect(ruling).toMatchObject({ state: 'unmeasured', reason: because });
  },
);

const TOLD = {
  ...{ seconds: 4, kernel: { in: 3_960, out: 400 }, load: { in: 5_000, out: 440 } },
  unseen: { in: 1_000, out: 0 },
};
const KERNEL = 'network.kernel.disagreePercentIn';

/** The facts of a run whose tally has these. */
function factsWith(tally: Pick<Tally, 'kernelTraffic' | 'unseenTraffic'>) {
  const { capbench, scenarioHash, commit, startedAt, stackKind, engine, host } = recorded();
  const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated: true, engine, host };
  const record = new RunRecord(
    identity,
    workloadOf({ rampEnd: at(1), measureStart: at(2), end: at(6) }),
    at(0),
  );
  record.note({ go: at(0) });
  for (const second of [1, 2, 3, 4, 5, 6])
    record.samples(at(second), [{ series: 'load.connected', kind: 'gauge', value: 10 }]);
  const rest = { operations: {}, errors: [], ledger: { breaches: {} }, endedAt: at(6) };
  record.note({ tally: { ...rest, ...tally } as unknown as Tally });
  return record.close({ state: 'completed' }, at(7), 0);
}

test('what the kernel counted, for each player and second, and how far the load is from it', () => {
  const { kernel } = figuresOf(factsWith({ kernelTraffic: TOLD }), scenarioOf()).network;
  expect(kernel.bytesPerPlayerSecondIn).toBeCloseTo(99, 9);
  expect(kernel.bytesPerPlayerSecondOut).toBeCloseTo(10, 9);
  expect(kernel.disagreePercentIn).toBeCloseTo((100 * 40) / 3_960, 9);
  expect(kernel.disagreePercentOut).toBeCloseTo(10, 9);
  expect(kernel.seenPercent).toBeCloseTo((100 * 4_440) / 5_440, 9);
});

test.each([
  ['the kernel did not tell', { kernelTraffic: { because: 'ss is not here' } }, 'platform', 'ss is not here'],
  ['the load had not seen all', { kernelTraffic: TOLD, unseenTraffic: 'datagrams' }, 'engine', 'datagrams'],
  [
    ...(['both', { kernelTraffic: { because: 'ss is not here' }, unseenTraffic: 'datagrams' }] as const),
    ...(['engine', 'datagrams'] as const),
  ],
] as const)('there is no figure of the kernel where %s', (_what, tally, cause, reason) => {
  const facts = factsWith(tally);
  const figures = figuresOf(facts, scenarioOf());
  expect(new Set(Object.values(figures.network.kernel))).toEqual(new Set([null]));
  const agree = budget({ id: 'agree', metric: KERNEL, stat: null, op: '<', limit: 2, unit: '%' });
  expect(rule(agree, figures, facts, [])).toMatchObject({ state: 'unmeasured', cause, reason });
  // That the kernel does not tell is no hole in what the load has counted.
  expect(unseenTraffic(facts)).toHaveLength(cause === 'engine' ? 1 : 0);
});

test('k6 opens connections that capbench does not know', () => {
  const { kernelTraffic: _, ...facts } = { ...recorded(), engine: 'k6' };
  const agree = budget({ id: 'agree', metric: KERNEL, stat: null, op: '<', limit: 2, unit: '%' });
  expect(rule(agree, figuresOf(facts, scenarioOf()), facts, [])).toMatchObject({
    ...{ state: 'unmeasured', cause: 'engine', reason: 'k6 does not tell what connections it opens' },
  });
});
