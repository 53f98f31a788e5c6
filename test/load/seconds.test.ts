import { expect, test } from 'vitest';
import { EMPTY_HISTOGRAM } from '../../src/histogram.ts';
import type { LoadSecond, LoadSecondOperation } from '../../src/load/engine.ts';
import type { WorkerReport } from '../../src/load/fleet/messages.ts';
import { Seconds } from '../../src/load/fleet/seconds.ts';
import type { WorkerSlice } from '../../src/load/slices.ts';
import { generatorSamples } from '../../src/probe/generator.ts';
import { type BothSecond, operationsOf } from './a-workload.ts';

const operation = (ok: number): LoadSecondOperation => ({
  ...{
    scheduled: ok,
    ok,
    rejected: 0,
    failed: 0,
    failedUnsent: 0,
    timedOut: 0,
    skipped: 0,
    idle: 0,
    inFlight: 1,
  },
  due: { ...EMPTY_HISTOGRAM, counts: [[10, ok]], min: 10, max: 10, sum: 10 * ok },
});

const slice = (index: number, ...values: number[]): WorkerSlice => ({
  index,
  due: {
    intent: { ...EMPTY_HISTOGRAM, counts: values.map((value) => [value, 1]), max: Math.max(...values) },
    monsterCommand: EMPTY_HISTOGRAM,
  },
});

const report = (
  pid: number,
  second: number,
  ok: number,
  at = second * 1e6,
  slices: WorkerSlice[] = [],
): WorkerReport => ({
  ...{ second, at, slices, connected: 50, disconnects: 2, reconnects: 1 },
  sockets: { open: 60, handshakes: 3 },
  ...{ bytesIn: 100, bytesOut: 10, framesIn: 1, commandBytes: 10 },
  operations: { intent: operation(ok), monsterCommand: operation(0) },
  worker: {
    ...{ pid, maxLoopDelayMs: ok, stalledMs: 5, waitedSeconds: 0.1 },
    ...{ utilisation: 0.5, cpuSeconds: 0.25, memoryBytes: 1000 },
  },
});

function collecting(workers: number): { seconds: Seconds; emitted: BothSecond[] } {
  const emitted: BothSecond[] = [];
  const emit = (second: LoadSecond) => emitted.push(second as BothSecond);
  return { seconds: new Seconds(new Array<number>(workers).fill(50), operationsOf(1, 1), emit), emitted };
}

test('a second is emitted when all workers have reported it', () => {
  const { seconds, emitted } = collecting(2);
  seconds.add(1, report(11, 1, 3));
  expect(emitted).toEqual([]);
  seconds.add(0, report(10, 1, 4));
  expect(emitted).toHaveLength(1);
  expect(emitted[0]).toMatchObject({ at: 1e6, connected: 100, bytesIn: 200, framesIn: 2, commandBytes: 20 });
  expect(emitted[0]?.sockets).toEqual({ open: 120, handshakes: 6 });
  expect(emitted[0]).toMatchObject({ disconnects: 4, reconnects: 2 });
  expect(emitted[0]?.operations.intent).toMatchObject({ ok: 7, inFlight: 2, due: { counts: [[10, 7]] } });
  expect(emitted[0]?.workers.map((worker) => worker?.pid)).toEqual([10, 11]);
});

test('a late worker is not awaited, and none of its counts are lost', () => {
  const { seconds, emitted } = collecting(2);
  seconds.add(0, report(10, 1, 4));
  seconds.add(1, report(11, 1, 3));
  seconds.add(0, report(10, 2, 5));
  seconds.tick(3.4e6);
  expect(emitted).toHaveLength(1);
  seconds.tick(3.6e6);
  expect(emitted).toHaveLength(2);
  expect(emitted[1]).toMatchObject({ at: 2e6, connected: 100 });
  expect(emitted[1]?.operations.intent.ok).toBe(5);
  expect(emitted[1]).toMatchObject({ missing: 1, workers: [{ pid: 10 }, null] });
  seconds.add(1, report(11, 2, 6));
  seconds.add(1, report(11, 3, 7));
  seconds.add(0, report(10, 3, 1));
  expect(emitted).toHaveLength(3);
  expect(emitted[2]?.operations.intent.ok).toBe(14);
  expect(emitted[2]?.workers[1]).toMatchObject({ cpuSeconds: 0.5, maxLoopDelayMs: 7, stalledMs: 10 });
  expect(emitted[2]?.workers[1]).toMatchObject({ waitedSeconds: expect.closeTo(0.2) });
});

test('a worker that is blocked from GO on has the players it had then, and no zeros', () => {
  const { seconds, emitted } = collecting(2);
  const samples = generatorSamples();
  const told = () => new Map(samples(emitted.at(-1)!).map(({ series, value }) => [series, value]));
  seconds.add(1, report(11, 1, 3));
  seconds.tick(2.6e6);
  expect(emitted.at(-1)).toMatchObject({ at: 1e6, connected: 100, missing: 1 });
  const blocked = told();
  expect(blocked.get('load.connected')).toBe(100);
  for (const series of ['bytesIn', 'bytesOut', 'connections', 'handshakes']) {
    expect(blocked.has(`load.${series}`)).toBe(false);
  }
  // The other one keeps its number.
  expect([blocked.has('generator.0.loopDelayMs'), blocked.has('generator.1.loopDelayMs')]).toEqual([
    false,
    true,
  ]);
  seconds.add(1, report(11, 2, 3));
  seconds.add(0, report(10, 2, 3));
  expect(emitted.at(-1)?.missing).toBeUndefined();
  const after = told();
  // What the other one had in the second before is not lost.
  expect(after.get('load.bytesIn')).toBe(300);
  expect(after.get('load.connections')).toBe(120);
  expect(after.get('load.handshakes')).toBe(9);
});

test('a second that a worker has left out while it was blocked is not whole', () => {
  const { seconds, emitted } = collecting(2);
  for (const second of [1, 2, 3]) seconds.add(0, report(10, second, 1));
  seconds.add(1, report(11, 3, 5));
  expect(emitted.map(({ missing = 0, connected }) => [missing, connected])).toEqual([
    [1, 100],
    [1, 100],
    [0, 100],
  ]);
  seconds.add(0, report(10, 4, 1));
  seconds.add(0, report(10, 5, 1));
  seconds.add(1, report(11, 5, 1));
  seconds.done(1);
  seconds.add(0, report(10, 6, 1));
  expect(emitted.slice(3).map(({ missing = 0 }) => missing)).toEqual([1, 0, 0]);
});

test('a finished worker is not awaited, and a partial second has its own end', () => {
  const { seconds, emitted } = collecting(2);
  seconds.add(0, report(10, 1, 1));
  seconds.add(0, report(10, 2, 2, 1.2e6));
  seconds.done(0);
  seconds.add(1, report(11, 1, 1));
  seconds.add(1, report(11, 2, 2, 1.4e6));
  seconds.done(1);
  expect(emitted.map(({ at }) => at)).toEqual([1e6, 1.4e6]);
  expect(emitted.reduce((sum, { operations }) => sum + operations.intent.ok, 0)).toBe(6);
});

test('percentiles are computed after merging slices, five per second', () => {
  const { seconds, emitted } = collecting(2);
  seconds.add(0, report(10, 1, 3, 1e6, [slice(0, 10, 20, 30), slice(4, 5)]));
  // This worker reports late, and its report includes a part of the next second.
  seconds.add(1, report(11, 1, 3, 1e6, [slice(0, 1000), slice(5, 7)]));
  expect(emitted[0]?.slices.map(({ at }) => at)).toEqual([200_000, 400_000, 600_000, 800_000, 1e6]);
  expect(emitted[0]?.slices.map(({ operations }) => operations.intent.answered)).toEqual([4, 0, 0, 0, 1]);
  expect(emitted[0]?.slices[0]?.operations.intent).toEqual({ answered: 4, p95: 1000 });
  expect(emitted[0]?.slices[1]?.operations.intent).toEqual({ answered: 0, p95: null });
  expect(emitted[0]?.slices[0]?.operations.monsterCommand).toEqual({ answered: 0, p95: null });
  seconds.add(0, report(10, 2, 1, 2e6, [slice(5, 9)]));
  seconds.add(1, report(11, 2, 1, 2e6));
  expect(emitted[1]?.slices[0]).toMatchObject({ at: 1.2e6, operations: { intent: { answered: 2, p95: 9 } } });
});

test('a late slice counts at the same position of a later second', () => {
  const { seconds, emitted } = collecting(2);
  seconds.add(0, report(10, 1, 1));
  seconds.tick(2.6e6);
  expect(emitted).toHaveLength(1);
  seconds.add(1, report(11, 1, 2, 1e6, [slice(3, 4, 4)]));
  seconds.add(0, report(10, 2, 1));
  seconds.add(1, report(11, 2, 1));
  expect(emitted[1]?.slices.map(({ operations }) => operations.intent.answered)).toEqual([0, 0, 0, 2, 0]);
  expect(emitted[1]?.operations.intent.ok).toBe(4);
});

test('a partial second has the slices that had started', () => {
  const { seconds, emitted } = collecting(1);
  seconds.add(0, report(10, 1, 1, 0.5e6, [slice(1, 8)]));
  expect(emitted[0]?.slices.map(({ at }) => at)).toEqual([200_000, 400_000, 600_000]);
});
