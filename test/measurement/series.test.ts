import { expect, it } from 'vitest';
import { rateOf, spreadOf, valuesAt } from '../../src/measurement/readings.ts';
import { MOST_POINTS, openSeriesRecorder } from '../../src/measurement/series.ts';
import { micros } from '../../src/units.ts';

const DAY = 86_400;

/** A point each second: a counter that grows by 3, a gauge of 1 with one point of 50, connections with one of 0. */
function book(seconds: number) {
  const open = openSeriesRecorder();
  for (let second = 1; second <= seconds; second++) {
    open.add(micros(second * 1e6), [
      { series: 'load.intent.ok', kind: 'counter', value: 3 * second },
      { series: 'generator.0.loopDelayMs', kind: 'gauge', value: second === 5001 ? 50 : 1 },
      { series: 'load.connected', kind: 'gauge', value: second === 7000 ? 0 : 60 },
      { series: 'load.intent.slice.answered', kind: 'gauge', value: second % 2 },
    ]);
  }
  return open.close(micros(0));
}

it('a run of four hours keeps every point', () => {
  const series = book(MOST_POINTS);
  for (const { points, thinned } of Object.values(series)) {
    expect(points).toHaveLength(MOST_POINTS);
    expect(thinned).toBeUndefined();
  }
});

it('a run of a day is thinned out, and its figures stay the same', () => {
  const series = book(DAY);
  for (const { points, thinned } of Object.values(series)) {
    expect(points.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(points.length).toBeGreaterThan(MOST_POINTS / 2);
    expect(thinned).toBe(8);
    expect(points.at(-1)?.[0]).toBe(DAY);
  }
  const { 'load.intent.ok': counter, 'generator.0.loopDelayMs': delay } = series;
  const { 'load.connected': connected, 'load.intent.slice.answered': answered } = series;
  expect(rateOf(counter, { from: 100, to: 80_000 })).toBeCloseTo(3, 9);
  const seconds = Array.from({ length: DAY - 10 }, (_, i) => i + 10);
  expect(valuesAt(counter, seconds)).toEqual(seconds.map((second) => expect.closeTo(3 * second, 6)));
  // Of neighbouring points the worse one is kept, and a counter keeps its growth.
  expect(spreadOf(valuesAt(delay, seconds)).max).toBe(50);
  expect(spreadOf(valuesAt(connected, seconds)).min).toBe(0);
  expect(spreadOf(valuesAt(answered, seconds))).toEqual({ mean: 0.5, min: 0.5, max: 0.5 });
});

it('a missing second stays a gap', () => {
  const open = openSeriesRecorder();
  for (const second of [1, 2, 3, 10, 11]) {
    open.add(micros(second * 1e6), [
      { series: 'a', kind: 'gauge', value: Number.NaN },
      { series: 'b', kind: 'gauge', value: 1 },
    ]);
  }
  const series = open.close(micros(0));
  expect(Object.keys(series)).toEqual(['b']);
  expect(valuesAt(series.b, [3, 8, 10])).toEqual([1, null, 1]);
});
