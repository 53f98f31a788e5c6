import { expect, test } from 'vitest';
import { percentileOf } from '../../src/histogram.ts';
import { PlayerFigures } from '../../src/load/player-figures.ts';
import { readMeasurements } from '../../src/measurement/read-measurements.ts';
import { seconds } from '../../src/units.ts';
import { measurementsOf } from '../fixtures/recorded-run.ts';

const PHASE = { measureStart: seconds(10), end: seconds(20) };
const IN = seconds(15);

test('with a unit: the distribution of the measure phase, to three significant digits', () => {
  const figures = new PlayerFigures(PHASE);
  const values = Array.from({ length: 1_000 }, (_, i) => 0.0371 * (i + 1) ** 2);
  for (const value of values) figures.measure('wait', value, 'ms', IN);
  figures.measure('wait', 1e9, 'ms', PHASE.measureStart - 1);
  figures.measure('wait', 1e9, 'ms', PHASE.end);
  const { wait } = figures.tally();
  expect(wait).toMatchObject({ unit: 'ms', count: 1_000 });
  expect(wait?.values?.min).toBe(values[0]);
  expect(wait?.values?.max).toBe(values.at(-1));
  for (const percent of [1, 50, 95, 99]) {
    const exact = values[10 * percent - 1]!;
    const found = percentileOf(wait!.values!, percent)!;
    expect(found).toBeGreaterThanOrEqual(exact);
    expect(found / exact).toBeLessThan(1.001);
  }
});

test('values of any size, and 0', () => {
  const figures = new PlayerFigures(PHASE);
  for (const value of [0, 1e-12, 0.25, 1, 3, 2 ** 40, 1e15]) figures.measure('size', value, 'B', IN);
  const { counts } = figures.tally().size!.values!;
  expect(counts.map(([, count]) => count)).toEqual([2, 1, 1, 1, 1, 1]);
  expect(counts.slice(0, 5).map(([end]) => end)).toEqual([0, 0.25, 1, 3, 2 ** 40]);
});

test.each([
  ...([[1e-12], [Number.MIN_VALUE], [9.99e-10], [-0], [1e-9], [1.0000001e-9], [1e15]] as const),
  Array.from({ length: 2_000 }, () => 1e15),
])('what %s.. leaves in a bundle can be read again', (...values) => {
  const figures = new PlayerFigures(PHASE);
  for (const value of values) {
    figures.measure('size', value, 's', IN);
    figures.measure('sum', value, undefined, IN);
  }
  const m = measurementsOf({ player: figures.tally() });
  expect(readMeasurements(JSON.parse(JSON.stringify(m)))).toMatchObject({ state: 'valid' });
});

test('without a unit: a sum', () => {
  const figures = new PlayerFigures(PHASE);
  figures.measure('hits', 1, undefined, IN);
  figures.measure('hits', 2.5, undefined, IN);
  figures.measure('misses', 1, undefined, 0);
  expect(figures.tally()).toEqual({
    hits: { unit: null, count: 2, total: 3.5, values: null },
    misses: { unit: null, count: 0, total: 0, values: null },
  });
});

test.each([
  ['Upper', 1, 'ms', 'got the name "Upper", expected a letter a-z'],
  [7, 1, 'ms', 'got the name 7'],
  ['wait', Number.NaN, 'ms', 'got NaN for "wait", expected a number of 0 to 1e15'],
  ['wait', -1, 'ms', 'got -1 for "wait"'],
  ['wait', Number.POSITIVE_INFINITY, 'ms', 'got Infinity for "wait"'],
  ['wait', '5', 'ms', 'got "5" for "wait"'],
  ['wait', 1, '<b>', 'got the unit "<b>" for wait'],
  ['wait', 1, 5, 'got the unit 5 for wait'],
  ['known', 1, 's', 'got the unit "s" for known, expected ms as before: a name has one unit'],
  ['known', 1, undefined, 'got no unit for known, expected ms as before'],
])('measure(%j, %j, %j) is refused', (name, value, unit, message) => {
  const figures = new PlayerFigures(PHASE);
  figures.measure('known', 1, 'ms', IN);
  expect(() => figures.measure(name, value, unit, IN)).toThrow(message);
});

test('at most 50 names', () => {
  const figures = new PlayerFigures(PHASE);
  for (let i = 0; i < 50; i++) figures.measure(`n${i}`, 1, undefined, IN);
  figures.measure('n0', 1, undefined, IN);
  expect(() => figures.measure('n50', 1, undefined, IN)).toThrow('expected 50 names at most');
});
