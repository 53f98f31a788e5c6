import { expect, test } from 'vitest';
import { quantileOf, summaryOf } from '../../src/score/spread.ts';

test.each([
  [[5], 0.5, 5],
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 3, 2], 0.5, 2.5],
  [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110], 0.9, 100],
  [[1, 2], 0, 1],
  [[1, 2], 1, 2],
])('of %j the quantile %d is %d', (values, share, expected) => {
  expect(quantileOf(values, share)).toBeCloseTo(expected, 9);
});

test('the spread is half the middle 80%, as a share of the median, and one outlier of seven counts little', () => {
  const tens = Array.from({ length: 11 }, (_, i) => 95 + i);
  expect(summaryOf(tens)).toEqual({ value: 100, spread: expect.closeTo(0.04, 9) });
  expect(summaryOf([100, 100, 100, 100, 100, 100, 100])).toEqual({ value: 100, spread: 0 });
  expect(summaryOf([100, 100, 100, 100, 100, 100, 900]).value).toBe(100);
});
