import { expect, test } from 'vitest';
import { backoff } from '../../src/load/player/reconnector.ts';

test('reconnects back off from 50 ms, doubling up to 1 s, with jitter', () => {
  const means = [50, 100, 200, 400, 800, 1000, 1000, 1000];
  for (const [attempt, mean] of means.entries()) {
    const waits = Array.from({ length: 500 }, (_, actor) => backoff(7, actor, attempt) / 1e3);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(mean * 0.75);
    expect(Math.max(...waits)).toBeLessThanOrEqual(mean * 1.25);
    expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(15);
    const sum = waits.reduce((total, wait) => total + wait, 0);
    expect(sum / waits.length / mean).toBeCloseTo(1, 1);
  }
  expect(backoff(7, 3, 60)).toBeLessThanOrEqual(1.25e6);
  expect(backoff(7, 3, 2)).toBe(backoff(7, 3, 2));
  expect(backoff(8, 3, 2)).not.toBe(backoff(7, 3, 2));
});
