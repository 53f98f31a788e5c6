import { expect, test } from 'vitest';
import { openRising, openTotal } from '../../src/probe/total.ts';

test('the count of a source that disappeared stays in the total, and a new source counts from zero', () => {
  const total = openTotal();
  const steps = [{ eth0: 1000 }, { eth0: 1010, veth1: 5 }, { eth0: 1010 }, { eth0: 1012, veth1: 3 }];
  expect(steps.map((readings) => total(Object.entries(readings)))).toEqual([0, 15, 15, 20]);
});

test('a count that is lower than before comes from a restart', () => {
  const total = openTotal();
  expect([50, 60, 4, 6].map((one) => total([['a', one]]))).toEqual([0, 10, 14, 16]);
});

test('a counter that slips back keeps its value', () => {
  const rising = openRising();
  expect([5, 4.99, 5, 6].map((value) => rising('steal', value))).toEqual([5, 5, 5, 6]);
  expect(rising('other', 1)).toBe(1);
});
