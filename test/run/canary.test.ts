import { expect, test } from 'vitest';
import { measureCanary, measureCanaryAfter } from '../../src/run/canary.ts';

test('the canary measures its own work, and yields to other work between pieces', async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const before = process.cpuUsage();
  const start = performance.now();
  const quartile = await measureCanary();
  const took = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  clearInterval(timer);
  expect(quartile).toBeGreaterThan(0);
  // Three quarters of the pieces took at least the quartile.
  expect(took).toBeGreaterThan(quartile * 4);
  expect(user + system).toBeGreaterThan(10_000);
  expect(turns).toBeGreaterThan(3);
});

test.each([
  ['as before', [10.1], 10.1],
  ['slow for a moment', [14, 10], 10],
  ['slow for good', [14, 13, 15, 14.5], 14.5],
  ['faster than before', [7], 7],
])('after the run it is measured again where it is %s', async (_, answers, expected) => {
  const left = [...answers];
  expect(await measureCanaryAfter(10, 2, async () => left.shift() ?? Number.NaN)).toBe(expected);
  expect(left).toEqual([]);
});
