import { expect, test } from 'vitest';
import { type BatchCost, type BatchPoint, batchCostOf } from '../../src/model/batcher.ts';
import { readPoint } from '../../src/model/load-point.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';

/** A writer whose flush takes `fixed` ms and so much for each row, with a timer of 10 ms and batches of at most 1,000. */
const fixed = 2;
const perRow = 0.004;
const flush = (rows: number): number => fixed + perRow * rows;

/** Of two servers; an operation is a row, unless several share one. */
function point(perServer: number, over: Partial<BatchPoint> = {}): BatchPoint {
  const [limit, intervalMs] = [1000, 10];
  const batches = Math.max(1e3 / intervalMs, perServer / limit);
  const rows = perServer / batches;
  return {
    ...{ servers: 2, batchesPerSecond: 2 * batches, rowsPerBatch: rows, operationsPerBatch: rows },
    ...{ meanMs: flush(rows), busyPercent: Math.min(100, (batches * flush(rows)) / 10), limit, intervalMs },
    ...over,
  };
}

const costOf = (points: readonly BatchPoint[]): BatchCost => {
  const cost = batchCostOf(points);
  if ('because' in cost) throw new Error(cost.because);
  return cost;
};

test('the cost of a batch is that of any batch and that of its rows', () => {
  const { line, fullFrom, leastAckP95Ms } = costOf([1_000, 4_000, 20_000].map((one) => point(one)));
  expect(line.base).toBeCloseTo(fixed, 9);
  expect(line.perUnit).toBeCloseTo(perRow, 9);
  expect([line.from, line.to]).toEqual([10, 200]);
  // 1,000 operations each 10 ms.
  expect(fullFrom).toBe(100_000);
  expect(leastAckP95Ms).toBeCloseTo(9.5 + fixed, 9);
});

test.each([
  ['rate', [1_000, 4_000, 20_000], {}],
  ['size', [10_000, 50_000, 150_000], { busyPercent: 80 }],
  ['writer', [10_000, 50_000, 90_000], { busyPercent: 95 }],
  // Less comes in than an operation for each interval.
  [null, [1_000, 4_000, 20_000], { batchesPerSecond: 60 }],
  [null, [1_000, 4_000, 20_000], { limit: null }],
] as const)('what begins a batch at the largest load: %s', (binds, loads, last) => {
  const points = loads.map((one, i) => point(one, i === loads.length - 1 ? last : {}));
  expect(costOf(points).binds).toBe(binds);
});

test('a writer does so much at most, in full batches, and no more is said than twice the largest batch', () => {
  const near = costOf([10_000, 50_000, 60_000].map((one) => point(one)));
  // 1,000 rows take 6 ms.
  expect(near.ceiling).toBeCloseTo(1e6 / flush(1_000), 6);
  const coalesced = [10_000, 50_000, 60_000].map((one) => {
    const whole = point(one);
    return { ...whole, operationsPerBatch: 2 * whole.rowsPerBatch };
  });
  // Only 500 rows of 1,000 operations.
  expect(costOf(coalesced).ceiling).toBeCloseTo(1e6 / flush(500), 6);
  expect(costOf([1_000, 4_000, 20_000].map((one) => point(one))).ceiling).toBeNull();
});

test('few runs, or batches of one size, say nothing of the cost of a row', () => {
  expect(batchCostOf([point(1_000), point(4_000)])).toEqual({ because: expect.stringContaining('2 runs') });
  expect(batchCostOf([point(4_000), point(4_400), point(5_000)])).toEqual({
    because: expect.stringContaining('nearly the same size'),
  });
  expect(batchCostOf([])).toEqual({ because: expect.stringContaining('0 runs') });
});

test('a report says how large its batches were, how long they took, and what their servers were set to', () => {
  const recorded = reportFrom(measurementsOf(), scenarioOf());
  const throughput = {
    ...recorded.throughput,
    ...{ batchesPerSecond: 100, rowsPerBatch: 40, operationsPerBatch: 50 },
  };
  const report = {
    ...{ ...recorded, throughput },
    database: { ...recorded.database, writersBusyPercent: 12 },
    world: { ...recorded.world, servers: 2 },
    stack: {
      ...recorded.stack,
      applied: { ...recorded.stack.applied, worldBatchOperations: '1663', worldBatchInterval: '10ms' },
    },
  };
  const read = readPoint(report);
  if ('because' in read) throw new Error(read.because);
  // 50 batches a second of each server, in 12% of its time: 2.4 ms each.
  expect(read.batches).toEqual({
    ...{ servers: 2, batchesPerSecond: 100, rowsPerBatch: 40, operationsPerBatch: 50, busyPercent: 12 },
    ...{ meanMs: expect.closeTo(2.4, 12), limit: 1663, intervalMs: 10 },
  });
  const without = readPoint({ ...report, throughput: { ...throughput, batchesPerSecond: null } });
  expect(without).toMatchObject({ batches: null });
  const foreign = readPoint({ ...report, stack: { ...recorded.stack, applied: {} } });
  expect(foreign).toMatchObject({ batches: { limit: null, intervalMs: null } });
});
