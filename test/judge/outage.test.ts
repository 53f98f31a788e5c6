import { expect, test } from 'vitest';
import type { FaultFacts, Measurements } from '../../src/measurement/measurements.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';

const kill = (from: number, to: number | null): FaultFacts => ({
  ...{ id: `kill-postgres-${from}`, action: 'kill', of: 'postgres', from, to, dropped: null, rows: null },
  error: null,
});

const on = (figure: string, over: Omit<Parameters<typeof budget>[0], 'metric'>) =>
  budget({ ...over, metric: `outage.postgres.${figure}`, stat: null });

const recovery = on('recoverySecondsMax', { id: 'recovery', limit: 10, unit: 's', metricUnit: 's' });
const answered = on('answeredPercent', {
  ...{ id: 'answered', op: '>=', limit: 90, unit: '%', metricUnit: '%' },
});
const lost = on('lost', { id: 'lost', op: '=', limit: 0, unit: 'ops', metricUnit: 'ops' });
const budgets = [recovery, answered, lost];

const rulingsOf = (over: Partial<Measurements>) =>
  reportFrom(measurementsOf(over), scenarioOf({ budgets })).rulings;

test('a fault that did not happen proves nothing', () => {
  const rulings = rulingsOf({ faults: [{ ...kill(20, 21), of: 'world-1' }] });
  expect(rulings.map(({ state }) => state)).toEqual(['unmeasured', 'unmeasured', 'unmeasured']);
  expect(rulings[0]?.reason).toBe('there was no fault of postgres, only of world-1');
});

test('an outage that never ended is longer than any limit', () => {
  const [slow] = rulingsOf({ faults: [kill(20, null)] });
  expect(slow).toMatchObject({ state: 'breached', observed: null });
  expect(slow?.reason).toContain('after 1 of 1 faults of postgres the load had not recovered');
});

test('losses are unmeasured where the rows were not read, and counted where they were', () => {
  const faults = [kill(20, 21)];
  expect(rulingsOf({ faults })[2]).toMatchObject({
    ...{ state: 'unmeasured', reason: expect.stringContaining('not compared with the ledger') },
  });
  const rows = { lost: 3, phantom: 0, duplicated: 0, holes: 0 };
  const [fault] = faults;
  const read = rulingsOf({ faults: fault === undefined ? [] : [{ ...fault, rows }] });
  expect(read[2]).toMatchObject({ state: 'breached', observed: 3 });
});
