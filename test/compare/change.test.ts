import { expect, test } from 'vitest';
import {
  changeOf,
  cvPercentOf,
  type Design,
  detectableOf,
  intervalOf,
  percentOf,
  tailsOf,
  trialsNeeded,
} from '../../src/compare/change.ts';

/** Values whose logarithms are these. */
const exp = (...logs: readonly number[]): readonly number[] => logs.map(Math.exp);

test("Welch's t of separate arms, against a published example", () => {
  // Rosetta Code's first example of the test: p = 0.021378.
  const first = [27.5, 21, 19, 23.6, 17, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19, 21.7, 21.4];
  const second = [27.1, 22, 20.8, 23.4, 23.4, 23.5, 25.8, 22, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
  const change = changeOf(exp(...first), exp(...second), 'separate');
  if (change === null) throw new Error('expected an interval');
  expect(tailsOf(change)).toBeCloseTo(0.021_378, 6);
});

test("Student's t of pairs, against a published example", () => {
  // Student's own data (1908): the additional hours of sleep of ten patients with two drugs; t = 4.0621 at 9 degrees
  // of freedom, p = 0.002833, 95% interval 0.7001 to 2.4599.
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const change = changeOf(exp(...first), exp(...second), 'paired');
  if (change === null) throw new Error('expected an interval');
  expect(change.log).toBeCloseTo(1.58, 9);
  expect(change.log / change.standardError).toBeCloseTo(4.0621, 4);
  expect(change.degreesOfFreedom).toBe(9);
  expect(tailsOf(change)).toBeCloseTo(0.002_833, 6);
  const [low, high] = intervalOf(change, 0.05);
  expect([low, high]).toEqual([expect.closeTo(0.7001, 4), expect.closeTo(2.4599, 4)]);
  // The same without the pairs: t = 1.8608 at 17.776 degrees of freedom, p = 0.07939.
  const apart = changeOf(exp(...first), exp(...second), 'separate');
  if (apart === null) throw new Error('expected an interval');
  expect(apart.log / apart.standardError).toBeCloseTo(1.8608, 4);
  expect(apart.degreesOfFreedom).toBeCloseTo(17.776, 3);
  expect(tailsOf(apart)).toBeCloseTo(0.079_39, 5);
});

// The table of the run rules: percent at 5% one-sided, with a power of 80%.
test.each([
  [2.66, 5, 4.6],
  [2.66, 10, 3.1],
  [2.66, 20, 2.1],
  [5, 5, 8.7],
  [5, 10, 5.8],
  [5, 20, 4.0],
  [10, 5, 17.4],
  [10, 10, 11.6],
  [10, 20, 8.0],
])('a coefficient of variation of %d%% in %d trials of each: %d%% is detected', (cv, n, percent) => {
  const trials = { standardError: cv * Math.sqrt(2 / n), degreesOfFreedom: 2 * (n - 1) };
  const detectable = detectableOf(trials, 0.1);
  expect(detectable).toBeCloseTo(percent, 1);
  // The other way round: so many trials are needed, and not one less.
  expect(trialsNeeded({ deviation: cv }, detectable, 0.1, 'separate')).toBe(n);
  expect(trialsNeeded({ deviation: cv }, 0.9999 * detectable, 0.1, 'separate')).toBe(n + 1);
});

test('the power is what it is said to be, by simulation', () => {
  // 4,000 comparisons of 2 x 8 trials, by a small generator of normal numbers (sums of uniform ones).
  let state = 1;
  const uniform = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const normal = (): number => Array.from({ length: 12 }, uniform).reduce((sum, one) => sum + one, -6);
  const trials = (log: number): readonly number[] =>
    exp(...Array.from({ length: 8 }, () => log + 0.03 * normal()));
  const shown = (log: number): number => {
    let count = 0;
    for (let i = 0; i < 4000; i++) {
      const change = changeOf(trials(0), trials(log), 'separate');
      if (change !== null && tailsOf(change) <= 0.01) count++;
    }
    return count / 4000;
  };
  const detectable = detectableOf({ standardError: 0.03 * Math.sqrt(2 / 8), degreesOfFreedom: 14 }, 0.01);
  expect(shown(detectable)).toBeGreaterThan(0.76);
  expect(shown(detectable)).toBeLessThan(0.84);
  expect(shown(0)).toBeLessThan(0.016);
});

test.each<[base: readonly number[], head: readonly number[], design: Design, log: number, tails: number]>([
  [[7, 7, 7], [7, 7, 7], 'separate', 0, 1],
  [[7, 7, 7], [7, 7, 7], 'paired', 0, 1],
  [[100, 100], [90, 90], 'separate', Math.log(0.9), 0],
  // Noise that both trials of a pair have is in no difference.
  [[10, 20, 30], [11, 22, 33], 'paired', Math.log(1.1), 0],
])('without any spread: %j to %j, %s', (base, head, design, log, tails) => {
  const change = changeOf(base, head, design);
  if (change === null) throw new Error('expected an interval');
  expect(change.log).toBeCloseTo(log, 12);
  expect(change.standardError).toBe(0);
  expect(tailsOf(change)).toBe(tails);
  expect(intervalOf(change, 0.01)).toEqual([change.log, change.log]);
  expect(detectableOf(change, 0.01)).toBe(0);
  expect(trialsNeeded(change, 0.05, 0.01, design)).toBe(2);
});

test('one trial has no interval', () => {
  expect(changeOf([1], [2], 'separate')).toBeNull();
  expect(changeOf([1, 2, 3], [2], 'separate')).toBeNull();
  expect(changeOf([1], [2], 'paired')).toBeNull();
});

test('too much noise: no number of trials up to 1,000', () => {
  expect(trialsNeeded({ deviation: 2 }, Math.log(1.05), 0.002, 'separate')).toBeNull();
});

test('percent of logarithms, and the coefficient of variation', () => {
  expect(percentOf(Math.log(1.05))).toBeCloseTo(5, 9);
  expect(cvPercentOf([98, 100, 102])).toBeCloseTo(2, 9);
  expect([cvPercentOf([5]), cvPercentOf([]), cvPercentOf([0, 0])]).toEqual([null, null, null]);
});
