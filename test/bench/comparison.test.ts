import { expect, test } from 'vitest';
import { type Comparison, lineOf, tableOf } from './comparison.ts';
import { median } from './figures.ts';

const comparison: Comparison = {
  ...{ measure: 'rows', unit: 'rows/s', yardstick: 'a bare loop', aim: { operator: '>=', limit: 0.8 } },
  ours: [90, 50, 3000],
  theirs: [100, 100, 1000],
};

test('the median of odd and even numbers of values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('the ratio is the median of the ratios of the rounds, not the ratio of the medians', () => {
  const swapped = lineOf({ ...comparison, ours: [10, 40, 90], theirs: [100, 10, 30] });
  expect(swapped).toMatchObject({ ours: 40, theirs: 30, ratio: 3, least: 0.1, most: 4, rounds: 3 });
});

test('a line of the table has medians, ratio, range, aim and yardstick', () => {
  const [head, row] = tableOf([lineOf(comparison)]).split('\n');
  expect(head?.split(/\s{2,}/)).toEqual(['measure', 'capbench', 'yardstick', 'ratio', 'min..max', 'aim']);
  expect(row?.split(/\s{2,}/)).toEqual([
    ...['rows', '90.0 rows/s', '100 rows/s', '0.90', '0.50..3.00', '>= 0.8', 'a bare loop'],
  ]);
});
