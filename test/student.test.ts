import { expect, test } from 'vitest';
import { studentLimit, studentQuantile, studentTails } from '../src/student.ts';

test.each([
  // From published tables of Student's t.
  [0.95, 1, 12.706],
  [0.95, 2, 4.303],
  [0.95, 3, 3.182],
  [0.95, 10, 2.228],
  [0.95, 18, 2.101],
  [0.9, 1, 6.314],
  [0.9, 2, 2.92],
  [0.9, 4, 2.132],
  [0.9, 5, 2.015],
  [0.9, 30, 1.697],
  [0.99, 4, 4.604],
  [0.99, 120, 2.617],
  [0.999, 5, 6.869],
  [0.6, 8, 0.889],
])('within %d at %d degrees of freedom: %d', (share, freedom, table) => {
  expect(studentQuantile(share, freedom)).toBeCloseTo(table, 3);
});

// Closed forms: 1 - (2/pi) atan t, 1 - t/sqrt(2 + t^2), and the normal distribution for many degrees of freedom.
test.each([
  [1, 1, 0.5],
  [12.706_204_736, 1, 0.05],
  [1e6, 1, 6.366_197_723_7e-7],
  [2, 2, 1 - 2 / Math.sqrt(6)],
  [40, 2, 1 - 40 / Math.sqrt(1602)],
  [1.959_963_985, 1e6, 0.050_000_28],
])('beyond %d at %d degrees of freedom: %d', (t, freedom, tails) => {
  expect(studentTails(t, freedom) / tails).toBeCloseTo(1, 6);
  expect(studentTails(-t, freedom)).toBe(studentTails(t, freedom));
});

test('degrees of freedom need not be whole: the limit falls from each to the next', () => {
  const limits = [3, 3.25, 3.5, 3.75, 4].map((freedom) => studentLimit(0.01, freedom));
  expect(limits).toEqual(limits.toSorted((a, b) => b - a));
  expect(new Set(limits).size).toBe(5);
  for (const freedom of [0.7, 3.37, 41.9])
    expect(studentTails(studentLimit(0.002, freedom), freedom)).toBeCloseTo(0.002, 12);
});

test('far out it has digits left, and at the ends it is 1 and 0', () => {
  expect(studentTails(0, 5)).toBe(1);
  expect(studentTails(Number.POSITIVE_INFINITY, 5)).toBe(0);
  // 5 degrees of freedom fall off with the fifth power.
  expect(studentTails(1e5, 5) / studentTails(1e4, 5)).toBeCloseTo(1e-5, 9);
});
