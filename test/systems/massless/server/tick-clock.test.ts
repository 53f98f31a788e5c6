import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noTicks, renderTicks, TickClock } from '../../../../src/systems/massless/server/tick-clock.ts';

/** Added to the present time of the fake clock: what ticks took. */
let spent = 0;

beforeEach(() => {
  spent = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + spent);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A clock at 20 Hz whose n-th tick takes so many milliseconds. */
function clock(took: (tick: number) => number) {
  const counts = noTicks();
  const starts: number[] = [];
  const began = performance.now();
  const ticks = new TickClock(20, counts, () => {
    starts.push(performance.now() - began);
    spent += took(starts.length);
  });
  return { counts, starts, ticks };
}

test('ticks come at their times, and a stopped clock has none', () => {
  const { counts, starts, ticks } = clock(() => 0);
  vi.advanceTimersByTime(1_000);
  expect(starts).toEqual(Array.from({ length: 20 }, (_, i) => 50 * (i + 1)));
  expect(counts).toMatchObject({ ticks: 20, late: 0, overruns: 0, skipped: 0 });
  ticks.stop();
  vi.advanceTimersByTime(1_000);
  expect(counts.ticks).toBe(20);
  expect(renderTicks(counts)).toContain('capbench_massless_tick_seconds_bucket{le="0.05"} 20');
  const bounds = [...renderTicks(counts).matchAll(/le="([\d.]+)"/g)].map(([, bound]) => Number(bound));
  expect(bounds).toEqual(bounds.toSorted((one, other) => one - other));
});

test('a tick that takes longer than its period is counted, and the next ones make up for it', () => {
  const { counts, starts } = clock((tick) => (tick === 3 ? 120 : 10));
  vi.advanceTimersByTime(500);
  expect(starts.slice(0, 8)).toEqual([50, 100, 150, 271, 282, 300, 350, 400]);
  expect(counts).toMatchObject({ late: 1, overruns: 1, skipped: 0 });
});

test('after a long delay ticks are left out, and counted', () => {
  const { counts, starts } = clock((tick) => (tick === 2 ? 1_000 : 0));
  vi.advanceTimersByTime(200);
  // Due at 150 to 1,100: of these the last is carried out, as soon as a timeout can be.
  expect(starts.slice(0, 5)).toEqual([50, 100, 1_101, 1_150, 1_200]);
  expect(counts).toMatchObject({ late: 1, overruns: 1, skipped: 19 });
});
