import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { Metronome } from '../../src/load/fleet/metronome.ts';
import { readWaitedSeconds, waitedSecondsIn } from '../../src/load/fleet/vitals.ts';

const spin = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

test('what blocks the loop for more than 10 ms is added up, in a turn and between turns', async () => {
  let blocks = [60, 0];
  const metronome = new Metronome(
    {
      nextWake: () => monotonic() + 5_000,
      turn: () => {
        spin(blocks.shift() ?? 0);
        return false;
      },
    },
    () => monotonic(),
  );
  metronome.start();
  await sleep(100);
  expect(metronome.takeStalled()).toBeGreaterThanOrEqual(50_000);
  spin(80);
  await sleep(30);
  expect(metronome.takeLongestBlock()).toBeGreaterThanOrEqual(60_000);
  expect(metronome.takeStalled()).toBeGreaterThanOrEqual(50_000);
  blocks = [0];
  metronome.stop();
  expect([metronome.takeStalled(), metronome.takeLongestBlock()]).toEqual([0, 0]);
});

test("the kernel's account of waiting for a CPU", () => {
  expect(waitedSecondsIn('1000000000 2500000000 17\n')).toBe(2.5);
  // Without an account, all is zero.
  expect(waitedSecondsIn('0 0 0\n')).toBeNull();
  expect(waitedSecondsIn('')).toBeNull();
  const waited = readWaitedSeconds();
  if (waited !== null) expect(waited).toBeGreaterThanOrEqual(0);
});
