import { expect, test } from 'vitest';
import { readPoint } from '../../src/model/load-point.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';

test('a load that was answered late, after the measure phase, was not sustained', () => {
  const recorded = reportFrom(measurementsOf(), scenarioOf());
  const due = Object.values(recorded.load.operations).reduce(
    (sum, { scheduled, idle }) => sum + scheduled - idle,
    0,
  );
  const sustained = (share: number): unknown => {
    const operationsPerSecond = (share * due) / 20;
    return readPoint({
      ...recorded,
      load: {
        ...recorded.load,
        durationSeconds: 20,
        total: { ...recorded.load.total, sentPercent: 100, unansweredPercent: 0 },
      },
      throughput: { ...recorded.throughput, operationsPerSecond },
    });
  };
  expect(due).toBeGreaterThan(0);
  expect(sustained(1)).toMatchObject({ sustained: true });
  expect(sustained(0.96)).toMatchObject({ sustained: true });
  expect(sustained(0.8)).toMatchObject({ sustained: false });
});
