import { expect, onTestFinished, test, vi } from 'vitest';
import type { Probe } from '../../src/probe/probe.ts';
import { watch } from '../../src/probe/watch.ts';
import type { Micros } from '../../src/units.ts';

/** Microseconds after GO, which is 0.3 s after the watch begins. */
const planned = (...boundaries: readonly number[]) => ({
  go: 300_000 as Micros,
  boundaries: boundaries.map((second) => (300_000 + second * 1e6) as Micros),
});
/** Milliseconds after GO, of readings that were answered. */
const watching = (probe: Probe, ...boundaries: readonly number[]) => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const readAt: number[] = [];
  const now = (): Micros => (performance.now() * 1e3) as Micros;
  const readings = watch([probe], planned(...boundaries), (at) => readAt.push(at / 1e3 - 300), now);
  return { readAt, readings, tally: () => readings.tallies()[0] };
};
const probeOf = (sample: Probe['sample']): Probe => ({
  name: 'page',
  sample,
  close: () => Promise.resolve(),
});
const after = (ms: number) => new Promise<[]>((resolve) => setTimeout(() => resolve([]), ms));

test('a probe is read on the seconds after GO, and where the measure phase and its stages begin and end', async () => {
  const boundaries: boolean[] = [];
  const { readAt, readings } = watching(
    probeOf((isBoundary = false) => {
      boundaries.push(isBoundary);
      return Promise.resolve([]);
    }),
    ...[1, 2.25, 3.5],
  );
  await vi.advanceTimersByTimeAsync(4500);
  expect(readAt.map(Math.round)).toEqual([-300, 0, 1000, 2000, 2250, 3000, 3500, 4000]);
  expect(boundaries).toEqual([false, false, true, false, true, false, true, false]);
  await readings.finish();
  await vi.advanceTimersByTimeAsync(3000);
  expect(readAt).toHaveLength(9);
});

test('a boundary that passes while a probe is busy, or whose reading fails, is read again at once', async () => {
  let reads = 0;
  const { readAt, tally } = watching(
    probeOf(async () => {
      reads += 1;
      // The second reading takes from 0 s to 1.2 s; the one after the boundary at 2 s fails.
      if (reads === 2) return after(1200);
      await after(2);
      if (reads === 4) throw new Error('the page is gone');
      return [];
    }),
    ...[1, 2],
  );
  await vi.advanceTimersByTimeAsync(2900);
  expect(readAt.map(Math.round)).toEqual([-299, 600, 1201, 2003]);
  expect(tally()).toMatchObject({ gaps: 2, lastError: 'the page is gone' });
});

test('a stopped run is read when it stops', async () => {
  const { readAt, readings, tally } = watching(
    probeOf(() => Promise.resolve([])),
    ...[0, 60],
  );
  await vi.advanceTimersByTimeAsync(1500);
  readings.endPhase();
  await vi.advanceTimersByTimeAsync(3000);
  await readings.finish();
  expect(readAt.map(Math.round)).toEqual([-300, 0, 1000, 1200, 2000, 3000, 4000, 4200]);
  // What is read after the stop does not count for the measure phase.
  expect(tally()?.measured).toEqual({ samples: 3, gaps: 0 });
});

test('gaps of the measure phase are counted separately from the readings before it', async () => {
  let reads = 0;
  const { readAt, readings, tally } = watching(
    probeOf(() => (++reads <= 4 ? Promise.resolve([]) : Promise.reject(new Error('the page is gone')))),
    ...[1.5, 5.5],
  );
  await vi.advanceTimersByTimeAsync(6500);
  await readings.finish();
  // Read at -0.3, 0, 1 and 1.5 s; gone from 2 s on.
  expect(readAt).toHaveLength(4);
  expect(tally()).toMatchObject({ samples: 4, gaps: 7, lastError: 'the page is gone' });
  expect(tally()?.measured).toEqual({ samples: 1, gaps: 5 });
});
