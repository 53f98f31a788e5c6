import { expect, test } from 'vitest';
import { bucketQuantile, largestBucket } from '../../src/buckets.ts';
import type { Series } from '../../src/measurement/measurements.ts';
import {
  gaugeOf,
  growthOf,
  increaseOf,
  NOWHERE,
  numbered,
  paceOf,
  rateOf,
  ratesAt,
  ratio,
  secondsOf,
  sumColumns,
  valuesAt,
} from '../../src/measurement/readings.ts';

const counter = (...points: (readonly [number, number])[]): Series => ({ kind: 'counter', points });
const gauge = (...points: (readonly [number, number])[]): Series => ({ kind: 'gauge', points });

/** A counter that is read each second; each answer comes `late` seconds later, when `count` gives its value. */
const readEach = (late: number, count: (at: number) => number, from = -1, to = 20): Series =>
  counter(...Array.from({ length: to - from }, (_, i) => [from + i + late, count(from + i + late)] as const));
const between = (at: number, from: number, to: number): number => Math.min(to, Math.max(from, at)) - from;
/** Adds readings, in the order of time. */
const also = (series: Series, ...points: (readonly [number, number])[]): Series =>
  counter(...[...series.points, ...points].toSorted(([a], [b]) => a - b));

/** The count of a server with 200 a second during the load, and none before and after. */
const load = (at: number) => 200 * between(at, 2, 14);
test.each<[string, Series, { from: number; to: number }, number, number]>([
  ['read at both ends', readEach(0.004, load), { from: 2, to: 14 }, 2400, 1],
  ['read at both ends, late by 30 ms', readEach(0.03, load), { from: 2, to: 14 }, 2400, 7],
  ['of 4 s', readEach(0.004, (at) => 200 * between(at, 2, 6)), { from: 2, to: 6 }, 800, 1],
  [
    'of 4 s, with ends within a second',
    also(
      readEach(0.004, (at) => 200 * between(at, 2.5, 6.5)),
      [2.504, 0.8],
      [6.504, 800],
    ),
    { from: 2.5, to: 6.5 },
    800,
    4,
  ],
  ['even before and after', readEach(0.7, (at) => 200 * (at + 2)), { from: 2, to: 6 }, 800, 0],
  [
    'a point at each end',
    counter([0, 0], [1, 100], [2.5, 400], [3, 900], [9, 5000]),
    { from: 1, to: 3 },
    800,
    0,
  ],
  ['not read at the end', also(readEach(0.004, load, -1, 14), [14.7, 2400]), { from: 2, to: 14 }, 2400, 83],
  ['no reading inside', counter([0, 0], [3, 300]), { from: 1, to: 2 }, 100, 0],
  [
    'restarted in it',
    readEach(0, (at) => (at < 7 ? 200 * (at + 2) : 200 * (at - 6.5))),
    { from: 2, to: 14 },
    2300,
    0,
  ],
  ['restarted at its end', counter([0, 0], [4, 800], [4.5, 40]), { from: 0, to: 4 }, 800, 0],
  ['a stage of it', readEach(0.002, load), { from: 6, to: 8 }, 400, 1],
])('%s: the growth is complete', (_, series, window, grown, within) => {
  expect(Math.abs((increaseOf(series, window) ?? 0) - grown)).toBeLessThanOrEqual(within);
  const rate = grown / (window.to - window.from);
  expect(Math.abs((rateOf(series, window) ?? 0) - rate)).toBeLessThanOrEqual(
    (within + 0.5) / (window.to - window.from),
  );
});

test('where the reading at an end is missing, the uncertainty of the growth is reported', () => {
  const whole = readEach(0.004, load);
  expect(growthOf(whole, { from: 2, to: 14 })).toMatchObject({
    unreadSeconds: 0,
    off: expect.closeTo(0.8, 1),
  });
  // The reading at the end failed, so the nearest ones are a second away from it.
  const failed = counter(...whole.points.filter(([at]) => at < 13.5 || at > 14.5));
  const growth = growthOf(failed, { from: 2, to: 14 })!;
  expect(growth.unreadSeconds).toBeCloseTo(0.996, 3);
  expect(Math.abs(growth.grown - 2400)).toBeLessThanOrEqual(growth.off);
  // Without a reading after the end, the growth is extrapolated at the rate inside the window.
  const cut = counter(...whole.points.filter(([at]) => at < 13));
  expect(growthOf(cut, { from: 2, to: 14 })).toMatchObject({
    grown: expect.closeTo(2400, -1),
    off: expect.closeTo(398, -1),
  });
  const short = counter(...whole.points.filter(([at]) => at < 10));
  expect(growthOf(short, { from: 2, to: 14 })).toBeNull();
});

test('counts of single events grow by whole numbers', () => {
  // An error occurred in the second before the measure phase, and was read 3 ms after its start.
  const errors = counter([0, 0], [1.003, 1], [2.003, 1], [3.003, 1]);
  expect(increaseOf(errors, { from: 1, to: 3 })).toBe(0);
  expect(increaseOf(counter([0, 0], [1, 0.5], [2, 1]), { from: 0, to: 1 })).toBe(0.5);
});

test('the rate of a counter that the generator reports each second comes from the whole seconds inside the window', () => {
  // The load ends at 2.5 s, and the next report is of 3 s.
  const reported = counter([0, 0], [1, 200], [2, 400], [3, 500], [4, 500]);
  expect(paceOf(reported, { from: 0, to: 2.5 })).toBe(200);
  expect(paceOf(reported, { from: 1.2, to: 1.8 })).toBeCloseTo(200);
  expect(paceOf(reported, { from: 0, to: 9 })).toBeNull();
});

test('with one point or no series there is no rate, which is not a rate of zero', () => {
  expect(rateOf(counter([1, 5]), { from: 0, to: 9 })).toBeNull();
  expect(rateOf(undefined, { from: 0, to: 9 })).toBeNull();
  expect(increaseOf(counter([1, 5], [20, 9]), { from: 0, to: 9 })).toBeNull();
  expect(rateOf(counter([0, 1], [9, 5]), NOWHERE)).toBeNull();
});

test('a counter that falls has restarted at 0, and its next value counts in full', () => {
  const restarted = counter([0, 100], [1, 200], [2, 250], [4, 30], [5, 130], [6, 20], [7, 20]);
  expect(increaseOf(restarted, { from: 0, to: 7 })).toBe(100 + 50 + 30 + 100 + 20);
  expect(increaseOf(restarted, { from: 2, to: 5 })).toBe(30 + 100);
  expect(rateOf(restarted, { from: 0, to: 6 })).toBe(50);
  expect(ratesAt(restarted, [1, 2, 3, 4, 5, 6, 7])).toEqual([100, 50, 15, 15, 100, 20, 0]);
  expect(valuesAt(restarted, [0, 4, 6.5])).toEqual([100, 280, 400]);
  // A window with one point inside, and one on either side.
  expect(rateOf(restarted, { from: 3.5, to: 4.5 })).toBeCloseTo(0.5 * 15 + 0.5 * 100);
});

test('a counter that restarts across a gap has no rate inside the gap', () => {
  const restarted = counter([0, 100], [1, 200], [6, 50], [7, 150]);
  expect(ratesAt(restarted, [1, 2, 6, 7])).toEqual([100, null, null, 100]);
  expect(increaseOf(restarted, { from: 0, to: 7 })).toBe(250);
});

test('a gauge may fall', () => {
  expect(valuesAt(gauge([0, 9], [1, 2]), [0, 1])).toEqual([9, 2]);
});

test('a gauge is described only by its points inside the window', () => {
  expect(gaugeOf(gauge([0, 100], [1, 2], [2, 4], [3, 900]), { from: 1, to: 2 })).toEqual({
    mean: 3,
    min: 2,
    max: 4,
  });
  expect(gaugeOf(gauge([0, 1]), { from: 1, to: 2 })).toEqual({ mean: null, min: null, max: null });
});

test('counters are interpolated between their points, gauges keep their last value, and gaps have no value', () => {
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

test('the maximum lies in the last bucket that is not empty; beyond the last bound it is unknown', () => {
  expect(largestBucket({ bounds: [10, 20, 40], counts: [3, 1, 0, 0] })).toBe(20);
  expect(largestBucket({ bounds: [10], counts: [3, 1] })).toBeNull();
});

test('the growth of a counter is unknown where its points do not cover the window', () => {
  const points = Array.from({ length: 8 }, (_, i) => [i, 10 * i] as const);
  const series = { kind: 'counter', points } as const;
  // Three of ten seconds are missing, and are filled in at the rate of the others.
  expect(increaseOf(series, { from: 0, to: 10 })).toBe(100);
  expect(increaseOf(series, { from: 0, to: 11 })).toBeNull();
  expect(increaseOf(series, { from: -4, to: 7 })).toBeNull();
  expect(rateOf(series, { from: 0, to: 11 })).toBeNull();
  // In a short window less may be missing.
  expect(increaseOf(series, { from: 5, to: 10 })).toBeNull();
  expect(increaseOf(series, { from: 5, to: 8.5 })).toBe(35);
  // In a long run, one point replaces several.
  expect(increaseOf({ ...series, thinned: 2 }, { from: 0, to: 14 })).toBe(140);
});
