import { expect, test } from 'vitest';
import { openBackoff } from '../../src/server/backoff.ts';

test('pauses double up to the cap, and begin again after a success', () => {
  const backoff = openBackoff({ first: 100, most: 2_000 }, () => 0);
  const pauses = Array.from({ length: 7 }, () => backoff.next());
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test('chance takes up to a half of a pause, and no more', () => {
  const numbers = [0.999_999, 0.5];
  const backoff = openBackoff({ first: 100, most: 1_000 }, () => numbers.shift() ?? 0);
  expect(backoff.next()).toBeCloseTo(50, 3);
  expect(backoff.next()).toBe(150);
});
