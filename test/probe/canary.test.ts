import { expect, test } from 'vitest';
import { measureCanary } from '../../src/probe/canary.ts';

test('the canary is time that was worked, and lets others work meanwhile', async () => {
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
  // Most of the pieces took at least the quartile.
  expect(took).toBeGreaterThan(quartile * 4);
  expect(user + system).toBeGreaterThan(10_000);
  expect(turns).toBeGreaterThan(3);
});
