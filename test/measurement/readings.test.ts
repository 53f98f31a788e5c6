import { expect, test } from 'vitest';
import { bucketQuantile, largestBucket } from '../../src/measurement/buckets.ts';
import type { Series } from '../../src/measurement/measurements.ts';
import {
  gaugeOf,
  increaseOf,
  numbered,
  rateOf,
  ratesAt,
  ratio,
  secondsOf,
  sumColumns,
  valuesAt,
} from '../../src/measurement/readings.ts';

const counter = (...points: (readonly [number, number])[]): Series => ({ kind: 'counter', points });
const gauge = (...points: (readonly [number, number])[]): Series => ({ kind: 'gauge', points });

test('a rate is taken between the first and the last point inside, by their own times', () => {
  const series = counter([0, 0], [1, 100], [2.5, 400], [3, 900], [9, 5000]);
  expect(rateOf(series, { from: 1, to: 3 })).toBe(400);
  expect(increaseOf(series, { from: 1, to: 3 })).toBe(800);
});

test('one point, or no series, is no rate and not zero', () => {
  expect(rateOf(counter([1, 5]), { from: 0, to: 9 })).toBeNull();
  expect(rateOf(undefined, { from: 0, to: 9 })).toBeNull();
  expect(increaseOf(counter([1, 5], [20, 9]), { from: 0, to: 9 })).toBeNull();
});

test('a counter that falls began again at 0: what follows counts whole', () => {
  const restarted = counter([0, 100], [1, 200], [2, 250], [4, 30], [5, 130], [6, 20], [7, 20]);
  expect(increaseOf(restarted, { from: 0, to: 7 })).toBe(100 + 50 + 30 + 100 + 20);
  expect(increaseOf(restarted, { from: 2, to: 5 })).toBe(30 + 100);
  expect(rateOf(restarted, { from: 0, to: 6 })).toBe(50);
  expect(ratesAt(restarted, [1, 2, 3, 4, 5, 6, 7])).toEqual([100, 50, 15, 15, 100, 20, 0]);
  expect(valuesAt(restarted, [0, 4, 6.5])).toEqual([100, 280, 400]);
  // A window of one point between its neighbours.
  expect(rateOf(restarted, { from: 3.5, to: 4.5 })).toBeCloseTo(0.5 * 15 + 0.5 * 100);
});

test('a counter that begins below where it was, with a hole, is no rate inside the hole', () => {
  const restarted = counter([0, 100], [1, 200], [6, 50], [7, 150]);
  expect(ratesAt(restarted, [1, 2, 6, 7])).toEqual([100, null, null, 100]);
  expect(increaseOf(restarted, { from: 0, to: 7 })).toBe(250);
});

test('a gauge may fall', () => {
  expect(valuesAt(gauge([0, 9], [1, 2]), [0, 1])).toEqual([9, 2]);
});

test('a gauge is described by its points inside alone', () => {
  expect(gaugeOf(gauge([0, 100], [1, 2], [2, 4], [3, 900]), { from: 1, to: 2 })).toEqual({
    mean: 3,
    min: 2,
    max: 4,
  });
  expect(gaugeOf(gauge([0, 1]), { from: 1, to: 2 })).toEqual({ mean: null, min: null, max: null });
});

test('counters are read between their points, gauges as last seen, holes not at all', () => {
  expect(valuesAt(counter([0.5, 0], [1.5, 10], [9.5, 90]), [0, 1, 2, 9])).toEqual([null, 5, null, null]);
  expect(valuesAt(gauge([0.5, 7], [1.5, 8]), [0, 1, 2, 9])).toEqual([null, 7, 8, null]);
});

test('probes that answer at different instants add up second by second', () => {
  const seconds = secondsOf({ from: 0.2, to: 3.9 });
  expect(seconds).toEqual([1, 2, 3]);
  const a = counter([0, 0], [1, 10], [2, 20], [3, 30]);
  const b = counter([-0.5, 0], [0.5, 4], [1.5, 8], [2.5, 12], [3.5, 16]);
  expect(sumColumns([ratesAt(a, seconds), ratesAt(b, seconds)])).toEqual([14, 14, 14]);
});

test('a sum has no value where one part has none', () => {
  expect(
    sumColumns([
      [1, 2],
      [null, 3],
    ]),
  ).toEqual([null, 5]);
  expect(sumColumns([])).toEqual([]);
  expect(ratio(1, 0)).toBeNull();
});

test('numbered series come in the order of their numbers', () => {
  const all = {
    'world.10.batches': counter([0, 10]),
    'world.2.batches': counter([0, 2]),
    'world.x.batches': counter(),
  };
  expect(numbered(all, 'world', 'batches').map(({ points }) => points[0]?.[1])).toEqual([2, 10]);
});

test('a quantile lies inside its bucket, and above the last bound it is that bound', () => {
  const data = { bounds: [10, 20, 40], counts: [0, 50, 50, 0] };
  expect(bucketQuantile(data, 25)).toBe(15);
  expect(bucketQuantile(data, 75)).toBe(30);
  expect(bucketQuantile({ bounds: [10], counts: [1, 99] }, 95)).toBe(10);
  expect(bucketQuantile({ bounds: [10], counts: [0, 0] }, 95)).toBeNull();
});

test('the largest bucket is the last that is not empty; beyond the last bound it is not known', () => {
  expect(largestBucket({ bounds: [10, 20, 40], counts: [3, 1, 0, 0] })).toBe(20);
  expect(largestBucket({ bounds: [10], counts: [3, 1] })).toBeNull();
});

test('what a counter grew is not known where its points do not reach from end to end of the window', () => {
  const points = Array.from({ length: 8 }, (_, i) => [i, 10 * i] as const);
  const series = { kind: 'counter', points } as const;
  expect(increaseOf(series, { from: 0, to: 10 })).toBe(70);
  expect(increaseOf(series, { from: 0, to: 11 })).toBeNull();
  expect(increaseOf(series, { from: -4, to: 7 })).toBeNull();
  expect(rateOf(series, { from: 0, to: 11 })).toBeNull();
  // Of a short window less may be missing.
  expect(increaseOf(series, { from: 5, to: 10 })).toBeNull();
  expect(increaseOf(series, { from: 5, to: 8.5 })).toBe(20);
  // Of a long run a point stands for several.
  expect(increaseOf({ ...series, thinned: 2 }, { from: 0, to: 14 })).toBe(70);
});
