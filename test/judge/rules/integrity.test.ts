import { expect, test } from 'vitest';
import type { FaultFacts } from '../../../src/measurement/measurements.ts';
import type { Fault } from '../../../src/scenario/scenario.ts';
import { seconds } from '../../../src/units.ts';
import { recorded, ruleOf, verdictOf } from '../measured.ts';

const planned = (over: Partial<Fault> = {}): Pick<Parameters<typeof verdictOf>[1] & object, 'faults'> => ({
  faults: [
    {
      action: 'kill',
      of: 'postgres',
      at: seconds(5),
      phase: 'measure',
      lasting: seconds(1),
      sharePercent: 100,
      times: 1,
      every: seconds(10),
      ...over,
    },
  ],
});
const fault = (over: Partial<FaultFacts> = {}): FaultFacts => ({
  id: 'kill-postgres-1',
  action: 'kill',
  of: 'postgres',
  from: 10,
  to: 12,
  dropped: null,
  rows: { lost: 0, phantom: 0, duplicated: 0, holes: 0 },
  error: null,
  ...over,
});

test('a fault that went as planned decides nothing', () => {
  const verdict = verdictOf({ faults: [fault()] }, planned());
  expect(verdict.exitCode).toBe(0);
  expect(ruleOf(verdict, 'faults-injected')).toMatchObject({ state: 'held', observed: '1 of 1' });
});

test.each([
  ['lost', 92],
  ['phantom', 92],
  ['duplicated', 92],
] as const)('one operation %s after a fault is data lost, whatever the rows say at the end', (kind, code) => {
  const rows = { lost: 0, phantom: 0, duplicated: 0, holes: 0, [kind]: 1 };
  const verdict = verdictOf({ faults: [fault({ rows })] }, planned());
  expect(verdict).toMatchObject({ outcome: 'fail', exitCode: code });
  expect(verdict.breachedBecause.join()).toContain('after kill-postgres-1');
});

test.each([
  ['that did not happen', []],
  ['from which nothing came back', [fault({ to: null })]],
  ['that met an error', [fault({ error: 'no such process' })]],
])('a planned fault %s leaves no conclusion', (_, faults) => {
  const verdict = verdictOf({ faults }, planned());
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'faults-injected').state).toBe('broken');
});

test('who was killed forgot its counters: they are not compared', () => {
  const integrity = recorded.integrity && { ...recorded.integrity, rowWritesPostgres: 1000 };
  const killed = verdictOf({ integrity, faults: [fault()] }, planned());
  expect(ruleOf(killed, 'row-writes-agree').state).toBe('not-applicable');
  expect(killed.exitCode).toBe(0);
  const stop = fault({ id: 'stop-postgres-1', action: 'stop' });
  expect(verdictOf({ integrity, faults: [stop] }, planned({ action: 'stop' })).exitCode).toBe(90);
});

test('a target that answers what was never asked leaves no conclusion', () => {
  const stray = verdictOf({ strayAnswers: 1 });
  expect(stray.exitCode).toBe(90);
  expect(stray.invalidBecause.join()).toContain('answers what was never asked');
});
