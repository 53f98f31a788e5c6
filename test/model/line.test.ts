import { expect, test } from 'vitest';
import { lineThrough, reaches, valueAt } from '../../src/model/line.ts';

test('a line through points on a line is that line', () => {
  const line = lineThrough([
    [100, 0.3],
    [200, 0.5],
    [400, 0.9],
  ]);
  expect(line?.base).toBeCloseTo(0.1, 9);
  expect(line?.perUnit).toBeCloseTo(0.002, 9);
  expect(line).toMatchObject({ from: 100, to: 400, points: 3 });
  expect(line?.relativeError).toBeCloseTo(0, 9);
  expect(line && reaches(line, 1.1)).toBeCloseTo(500, 6);
  expect(line && valueAt(line, 500)).toBeCloseTo(1.1, 9);
});

test('one point, or one x, gives the line from the origin', () => {
  expect(lineThrough([[100, 0.5]])).toMatchObject({ base: 0, perUnit: 0.005, points: 1 });
  const twice = lineThrough([
    [100, 0.4],
    [100, 0.6],
  ]);
  expect(twice?.base).toBe(0);
  expect(twice?.perUnit).toBeGreaterThan(0.004);
  expect(twice?.perUnit).toBeLessThan(0.006);
});

test('costs neither fall with the load nor begin below zero', () => {
  const falling = lineThrough([
    [100, 0.5],
    [200, 0.4],
  ]);
  expect(falling?.perUnit).toBe(0);
  expect(falling && reaches(falling, 0.6)).toBe(Number.POSITIVE_INFINITY);
  expect(falling && reaches(falling, 0.1)).toBe(0);
  const steep = lineThrough([
    [100, 0.1],
    [200, 0.4],
  ]);
  expect(steep?.base).toBe(0);
});

test('no usable point gives no line', () => {
  expect(lineThrough([])).toBeNull();
  expect(
    lineThrough([
      [0, 1],
      [Number.NaN, 1],
      [5, Number.NaN],
    ]),
  ).toBeNull();
});

test('a memory of nothing but zeros is a line of zeros', () => {
  expect(lineThrough([[10, 0]])).toMatchObject({ base: 0, perUnit: 0, relativeError: 0 });
});
