import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { readWaitedSeconds, waitedSecondsIn } from '../../src/load/fleet/worker-health.ts';
import { WorkerTimer } from '../../src/load/fleet/worker-timer.ts';

const spin = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

test('blocks of the loop beyond 10 ms are added up, within a turn and between turns', async () => {
  let blocks = [60, 0];
  const timer = new WorkerTimer(
    {
      nextWake: () => monotonic() + 5_000,
      turn: () => {
        spin(blocks.shift() ?? 0);
        return false;
      },
    },
    () => monotonic(),
  );
  timer.start();
  await sleep(100);
  expect(timer.takeStalled()).toBeGreaterThanOrEqual(50_000);
  spin(80);
  await sleep(30);
  expect(timer.takeLongestBlock()).toBeGreaterThanOrEqual(60_000);
  expect(timer.takeStalled()).toBeGreaterThanOrEqual(50_000);
  blocks = [0];
  timer.stop();
  expect([timer.takeStalled(), timer.takeLongestBlock()]).toEqual([0, 0]);
});

test("the kernel's count of time spent waiting for a CPU", () => {
  expect(waitedSecondsIn('1000000000 2500000000 17\n')).toBe(2.5);
  // A kernel that does not count waiting time reports zeros.
  expect(waitedSecondsIn('0 0 0\n')).toBeNull();
  expect(waitedSecondsIn('')).toBeNull();
  const countedByKernel = (): number | null =>
    existsSync('/proc/self/schedstat') ? waitedSecondsIn(readFileSync('/proc/self/schedstat', 'utf8')) : null;
  const [before, waited, after] = [countedByKernel(), readWaitedSeconds(), countedByKernel()];
  expect(waited === null).toBe(before === null);
  expect(waited ?? 0).toBeGreaterThanOrEqual(before ?? 0);
  expect(waited ?? 0).toBeLessThanOrEqual(after ?? 0);
});
