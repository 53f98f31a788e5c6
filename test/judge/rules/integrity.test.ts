import { expect, test } from 'vitest';
import type { FaultFacts } from '../../../src/measurement/measurements.ts';
import type { Fault } from '../../../src/scenario/scenario.ts';
import { seconds } from '../../../src/units.ts';
import { fluxFiguresOf } from '../../fixtures/recorded-run.ts';
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

test('a target that sends unexpected answers leaves no conclusion', () => {
  const stray = verdictOf({ strayAnswers: 1 });
  expect(stray.exitCode).toBe(90);
  expect(stray.invalidBecause.join()).toContain('the target sent unexpected answers');
});

test.each([
  ['none', 0, 99],
  ['too few', 70, 99],
  ['nearly all', 95, 0],
])('what is saved has to be reported: %s', (_, saved, exitCode) => {
  const integrity = recorded.integrity && { ...recorded.integrity, saved, unreported: 100 - saved };
  const verdict = verdictOf({ integrity });
  expect(ruleOf(verdict, 'saves-reported').observed).toBe(saved);
  expect(verdict.exitCode).toBe(exitCode);
});

test.each([
  ['forgot what it had acknowledged', { forgotten: 12, invented: 0 }, 'lost'],
  ['names numbers that nobody sent', { forgotten: 0, invented: 3 }, 'phantom'],
] as const)('a server whose welcome %s has lost data, also where nobody reads the rows', (_, told, kind) => {
  const welcomes = { ...told, examples: ['entity 5: welcomed with 0, and 12 was acknowledged before'] };
  const many = told.forgotten + told.invented;
  for (const facts of [{ integrity: null, stackKind: 'target' as const }, {}]) {
    const verdict = verdictOf({ ...facts, welcomes });
    expect(verdict).toMatchObject({ outcome: 'fail', exitCode: 92 });
    expect(verdict.breachedBecause.join()).toContain(`${many} ${kind}`);
    expect(verdict.breachedBecause.join()).toContain('entity 5: welcomed with 0');
    const { integrity } = fluxFiguresOf({ ...recorded, ...facts, welcomes });
    expect(integrity[kind]).toBe(many);
  }
});

test('welcomes that keep their word prove nothing of rows that nobody read', () => {
  const welcomes = { forgotten: 0, invented: 0, examples: [] };
  const verdict = verdictOf({ integrity: null, stackKind: 'target', welcomes });
  expect(ruleOf(verdict, 'integrity').state).toBe('not-applicable');
  expect(fluxFiguresOf({ ...recorded, integrity: null, welcomes }).integrity.lost).toBeNull();
});

test.each([
  [{ hashed: true, open: 0 }, 'held', /^every number$/],
  [{ hashed: false, open: 0 }, 'broken', /^only count, sum and last number of each entity,/],
  [{ hashed: true, open: 3 }, 'broken', /^bounds for 3 of \d+ entities/],
])('rows that prove %o are noted, and decide nothing', (proof, state, words) => {
  const integrity = recorded.integrity && { ...recorded.integrity, ...proof };
  const verdict = verdictOf({ integrity });
  expect(ruleOf(verdict, 'integrity-proof')).toMatchObject({ state, observed: expect.stringMatching(words) });
  expect(verdict.exitCode).toBe(0);
  expect(verdict.notes.join().includes('integrity-proof')).toBe(state === 'broken');
});

test('what an outage cost within the stated window is shown, and is no loss', () => {
  const windows = [{ of: 'cache', withinSeconds: 6 }];
  const within = (lostInWindow: number) =>
    verdictOf({
      integrity: recorded.integrity && {
        ...{ ...recorded.integrity, windows, lostInWindow, saved: 503_000 },
        applied: recorded.integrity.acked - 17,
      },
    });
  expect(ruleOf(within(17), 'integrity')).toMatchObject({
    state: 'held',
    observed: expect.stringMatching(/^0 lost, .* holes, 17 lost within the stated window of 6 s \(cache\)$/),
  });
  expect(within(17).exitCode).toBe(0);
  // The counts do not add up: one more is missing than was found.
  expect(ruleOf(within(16), 'integrity').state).toBe('broken');
  expect(within(16).exitCode).toBe(90);
});
