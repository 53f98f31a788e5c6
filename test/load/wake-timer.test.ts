import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { exactMonotonic, monotonic } from '../../src/clock.ts';
import { WakeTimer } from '../../src/load/fleet/wake-timer.ts';
import { WorkerTimer } from '../../src/load/fleet/worker-timer.ts';

function openTimer(): { readonly wakes: number[]; readonly timer: WakeTimer } {
  const wakes: number[] = [];
  const timer = new WakeTimer(() => wakes.push(exactMonotonic()));
  onTestFinished(() => timer.stop());
  return { wakes, timer };
}

async function until(met: () => boolean): Promise<void> {
  for (const start = exactMonotonic(); !met(); ) {
    if (exactMonotonic() - start > 10_000_000) throw new Error('not within 10 s');
    await sleep(5);
  }
}

test('a wake timer fires once each time that it is set, and never early', async () => {
  const { wakes, timer } = openTimer();
  for (let i = 1; i <= 20; i++) {
    const wait = (i % 5) * 700;
    const set = exactMonotonic();
    timer.set(wait);
    await until(() => wakes.length === i);
    expect(wakes.at(-1)! - set).toBeGreaterThanOrEqual(wait);
  }
  await sleep(20);
  expect(wakes).toHaveLength(20);
});

test('setting a wake timer again replaces the earlier setting, whether that was sooner or later', async () => {
  const { wakes, timer } = openTimer();
  timer.set(3_600_000_000);
  await sleep(20);
  const set = exactMonotonic();
  timer.set(1_000);
  await until(() => wakes.length === 1);
  timer.set(60_000_000);
  timer.set(300_000);
  await until(() => wakes.length === 2);
  expect(wakes[1]! - set).toBeGreaterThanOrEqual(300_000);
});

test('a stopped wake timer does not fire', async () => {
  const { wakes, timer } = openTimer();
  timer.set(200_000);
  timer.stop();
  await sleep(400);
  expect(wakes).toEqual([]);
});

test('a precise worker timer wakes for each due time, not before it, and measures blocks of the loop', async () => {
  const dues = Array.from({ length: 50 }, (_, i) => monotonic() + 20_000 + i * 1_730);
  const turns: number[] = [];
  let next = 0;
  const timer = new WorkerTimer(
    {
      nextWake: () => dues[next] ?? Number.POSITIVE_INFINITY,
      turn(now) {
        while (next < dues.length && dues[next]! <= now) next += 1;
        turns.push(next);
        return false;
      },
    },
    () => monotonic(),
    true,
  );
  timer.start();
  await until(() => next === dues.length);
  const until80 = performance.now() + 80;
  while (performance.now() < until80);
  await sleep(100);
  timer.stop();
  expect(timer.takeLongestBlock()).toBeGreaterThanOrEqual(20_000);
  const { length } = turns;
  await sleep(120);
  expect(turns).toHaveLength(length);
});
