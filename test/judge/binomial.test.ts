import { expect, test } from 'vitest';
import { binomialAtMost } from '../../src/judge/binomial.ts';

/** The smallest n for which t over the limit prove the percentile at 99%. */
function smallest(t: number, p: number): number {
  let [low, high] = [t, 2 * t + 1];
  while (binomialAtMost(t, high, p) > 0.01) high *= 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialAtMost(t, middle, p) > 0.01) low = middle;
    else high = middle;
  }
  return high;
}

test.each([
  [0, 0.05, 90],
  [1, 0.05, 130],
  [10, 0.05, 398],
  [100, 0.05, 2504],
  [1000, 0.05, 21_483],
  [0, 0.01, 459],
  [1, 0.01, 662],
  [10, 0.01, 2010],
  [100, 0.01, 12_571],
  [1000, 0.01, 107_569],
])('%s over the limit of a share of %s: %s operations are enough', (t, p, n) => {
  expect(smallest(t, p)).toBe(n);
});

/** By the definition, for numbers that a double holds. */
function summed(k: number, n: number, p: number): number {
  let [sum, choose] = [0, 1];
  for (let i = 0; i <= k; i++) {
    sum += choose * p ** i * (1 - p) ** (n - i);
    choose = (choose * (n - i)) / (i + 1);
  }
  return sum;
}

test('it is the sum of its terms', () => {
  for (const n of [1, 2, 7, 16, 40]) {
    for (const p of [0.001, 0.05, 0.5, 0.73, 0.999]) {
      for (let k = 0; k <= n; k++) expect(binomialAtMost(k, n, p)).toBeCloseTo(summed(k, n, p), 12);
    }
  }
});

test('what is at most k of one kind is at least n - k of the other', () => {
  for (const [k, n, p] of [
    [3, 10, 0.3],
    [480, 1000, 0.5],
    [5_200, 100_000, 0.05],
    [26_000_000, 500_000_000, 0.052],
  ] as const) {
    expect(binomialAtMost(k, n, p) + binomialAtMost(n - k - 1, n, 1 - p)).toBeCloseTo(1, 10);
  }
  expect(binomialAtMost(500, 1001, 0.5)).toBeCloseTo(0.5, 12);
});

test('half a thousand million operations are no more than a normal distribution', () => {
  const [n, p] = [500_000_000, 0.05];
  const sigma = Math.sqrt(n * p * (1 - p));
  expect(binomialAtMost(n * p, n, p)).toBeCloseTo(0.5, 3);
  expect(binomialAtMost(Math.round(n * p - 2 * sigma), n, p)).toBeCloseTo(0.02275, 4);
  expect(binomialAtMost(Math.round(n * p + 2 * sigma), n, p)).toBeCloseTo(0.97725, 4);
  // Far out it is small, and not nothing or not a number.
  expect(binomialAtMost(Math.round(n * p - 30 * sigma), n, p)).toBeLessThan(1e-150);
  expect(binomialAtMost(Math.round(n * p - 30 * sigma), n, p)).toBeGreaterThan(0);
});

test('the ends', () => {
  expect(binomialAtMost(-1, 10, 0.5)).toBe(0);
  expect(binomialAtMost(10, 10, 0.5)).toBe(1);
  expect(binomialAtMost(3, 10, 0)).toBe(1);
  expect(binomialAtMost(3, 10, 1)).toBe(0);
  expect(binomialAtMost(0, 0, 0.5)).toBe(1);
});
