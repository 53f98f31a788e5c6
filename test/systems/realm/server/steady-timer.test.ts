import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { RateLimit } from '../../../../src/systems/realm/server/rate-limit.ts';
import { every } from '../../../../src/systems/realm/server/steady-timer.ts';

test('acts that were missed are left out, and those after a late one come at their own time', async () => {
  const beats: number[] = [];
  const began = performance.now();
  const stop = every(
    50,
    () => {
      // The second keeps the thread for longer than two beats.
      if (beats.push((performance.now() - began) / 50) === 2) while (performance.now() - began < 230) {}
    },
    20,
  );
  onTestFinished(stop);
  await expect.poll(() => beats.length).toBeGreaterThan(6);
  stop();
  const { length } = beats;
  // No act comes before its beat, but for the timer's millisecond; and two had no time at all.
  const numbers = beats.map((beat) => Math.floor(beat + 0.65));
  expect(numbers[0]).toBeGreaterThan(0);
  expect(length).toBeLessThanOrEqual(numbers.at(-1)! - 2);
  await sleep(120);
  expect(beats).toHaveLength(length);
});

test('within any second so many commands are allowed, and refused ones do not count', () => {
  const limit = new RateLimit(3);
  const allowed = [0, 10, 20, 30, 900, 999, 1_000, 1_005, 1_010, 1_020, 1_021].map((now) =>
    limit.allows(now),
  );
  expect(allowed).toEqual([true, true, true, false, false, false, true, false, true, true, false]);
});
