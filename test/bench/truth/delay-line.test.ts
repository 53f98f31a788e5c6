import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { monotonic } from '../../../src/clock.ts';
import { countOf } from '../../../src/histogram.ts';
import { DelayLine } from './delay-line.ts';
import type { DelayModel } from './delays.ts';

const lines: DelayLine[] = [];
afterEach(() => {
  for (const line of lines.splice(0)) line.close();
});

/** Delays in the order given. */
function lineOf(delays: readonly number[]): DelayLine {
  let next = 0;
  const model: DelayModel = {
    name: 'given',
    says: '',
    delay: () => delays[next++]!,
    quantile: () => 0,
    bend: null,
  };
  const line = new DelayLine(model);
  lines.push(line);
  return line;
}

test('each answer leaves once, in the order of the planned times, and never early', async () => {
  // Far enough apart for a host that is busy between two calls.
  const delays = [400_000, 60_000, 0, 200_000, 200_000, 10_000];
  const line = lineOf(delays);
  const left: number[] = [];
  for (const [i, delay] of delays.entries()) {
    const due = monotonic() + delay;
    line.release(() => {
      expect(monotonic()).toBeGreaterThanOrEqual(due);
      left.push(i);
    });
  }
  expect(left).toEqual([2]);
  while (left.length < delays.length) await sleep(5);
  expect(left).toEqual([2, 5, 1, 3, 4, 0]);
  await sleep(20);
  expect(left).toHaveLength(delays.length);
  const [taken, late] = [line.taken.take(), line.late.take()];
  expect([countOf(taken), countOf(late)]).toEqual([delays.length, delays.length]);
  expect(taken.max).toBeGreaterThanOrEqual(400_000);
  // What it says of itself agrees: taken is the delay and what it was late.
  expect(Math.abs(taken.sum - late.sum - delays.reduce((a, b) => a + b))).toBeLessThan(10);
});

test('an answer may add another one', async () => {
  const line = lineOf([2_000, 2_000, 2_000]);
  const left: string[] = [];
  line.release(() => {
    left.push('first');
    line.release(() => line.release(() => left.push('last')));
  });
  while (left.length < 2) await sleep(2);
  expect(left).toEqual(['first', 'last']);
});
