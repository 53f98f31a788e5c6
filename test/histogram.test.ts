import { expect, test } from 'vitest';
import { fromHdr, MicrosHistogram, toHdr } from '../src/hdr-histogram.ts';
import {
  countAbove,
  countOf,
  EMPTY_HISTOGRAM,
  meanOf,
  mergeHistograms,
  percentileOf,
} from '../src/histogram.ts';
import { random } from '../src/rng.ts';

const values = (seed: number, n: number): number[] => {
  const next = random(seed);
  return Array.from({ length: n }, () => Math.floor(next() ** 4 * 3e6));
};
const recorded = (all: readonly number[]): MicrosHistogram => {
  const histogram = new MicrosHistogram();
  for (const value of all) histogram.record(value, 1);
  return histogram;
};

test('two merged histograms equal the histogram of all values', () => {
  const [a, b] = [values(1, 5000), values(2, 3000)];
  const merged = mergeHistograms([recorded(a).toData(), EMPTY_HISTOGRAM, recorded(b).toData()]);
  expect(merged).toEqual(recorded([...a, ...b]).toData());
  expect(countOf(merged)).toBe(8000);
});

test('percentiles are those of the library, and within 0.1% of the exact ones', () => {
  const all = values(3, 10_000);
  const data = recorded(all).toData();
  const hdr = toHdr(data);
  const sorted = [...all].sort((a, b) => a - b);
  for (const p of [0.1, 1, 50, 90, 95, 99, 99.9]) {
    const exact = sorted[Math.ceil((p / 100) * sorted.length - 1e-9) - 1] ?? Number.NaN;
    const value = percentileOf(data, p) ?? Number.NaN;
    expect(value).toBe(Math.min(hdr.getValueAtPercentile(p), data.max));
    expect(value).toBeGreaterThanOrEqual(exact);
    expect(value).toBeLessThanOrEqual(exact * 1.001 + 1);
  }
  expect(percentileOf(data, 100)).toBe(Math.max(...all));
  expect(meanOf(data)).toBe(all.reduce((sum, value) => sum + value, 0) / all.length);
});

test('every value is in the same bucket as in the library', () => {
  const powers = Array.from({ length: 27 }, (_, magnitude) => 2 ** magnitude);
  const edges = powers.flatMap((power) => [power - 1, power, power + 1, Math.floor(power * 1.37)]);
  const all = [...edges, ...values(5, 3000), 120_000_000].filter((value) => value <= 120_000_000);
  const hdr = toHdr(EMPTY_HISTOGRAM);
  for (const value of all) hdr.recordValue(value);
  expect(recorded(all).toData().counts).toEqual(fromHdr(hdr).counts);
});

test("a conversion to the library's histogram and back keeps every count", () => {
  const data = recorded(values(4, 2000)).toData();
  expect(fromHdr(toHdr(data)).counts).toEqual(data.counts);
  expect(fromHdr(toHdr(EMPTY_HISTOGRAM))).toEqual(EMPTY_HISTOGRAM);
});

test.each([
  // [percent, values 1..n, population, expected]
  [50, 10, 10, 5],
  [95, 100, 100, 95],
  [99.9, 1000, 1000, 999],
  [90, 90, 100, 90],
  [91, 90, 100, null],
  [50, 0, 0, null],
  [50, 0, 10, null],
  [0, 10, 10, 1],
])('p%d of 1..%d in a population of %d is %s', (percent, n, population, expected) => {
  const data = recorded(Array.from({ length: n }, (_, index) => index + 1)).toData();
  expect(percentileOf(data, percent, population)).toBe(expected);
});

test('extremes beyond the buckets are exact', () => {
  const histogram = new MicrosHistogram();
  histogram.record(-5, 1);
  histogram.record(200_000_000, 3);
  const data = histogram.take();
  expect(data).toMatchObject({ min: 0, max: 200_000_000, sum: 600_000_000 });
  expect(countOf(data)).toBe(4);
  expect(countAbove(data, 1000)).toBe(3);
  expect(histogram.take()).toEqual(EMPTY_HISTOGRAM);
});
