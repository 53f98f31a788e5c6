import { expect, test } from 'vitest';
import { rule } from '../../src/judge/ruling.ts';
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
