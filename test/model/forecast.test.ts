import { expect, test } from 'vitest';
import { forecast } from '../../src/model/forecast.ts';
import type { Forecast } from '../../src/model/interval.ts';
import { leastSquares, leverage } from '../../src/model/least-squares.ts';
import type { Point } from '../../src/model/line.ts';
import { random } from '../../src/rng.ts';

const at = (points: readonly Point[], x: number): Forecast => {
  const found = forecast(points, x);
  if ('refused' in found) throw new Error(found.refused);
  return found;
};

test('points on a line are no reason to claim more than a percent', () => {
  const { value, low, high } = at(
    [
      [100, 0.3],
      [200, 0.5],
      [400, 0.9],
    ],
    800,
  );
  expect(value).toBeCloseTo(1.7, 9);
  expect(value / low).toBeGreaterThan(1.02);
  expect(high / value).toBeLessThan(1.1);
});

test('the interval is the wider the farther from what was measured', () => {
  const points: readonly Point[] = [
    [100, 0.31],
    [200, 0.49],
    [300, 0.71],
    [400, 0.89],
  ];
  const factors = [250, 400, 600, 800].map((x) => {
    const { value, high } = at(points, x);
    return high / value;
  });
  expect(factors).toEqual(factors.toSorted((one, other) => one - other));
  expect(factors[0]).toBeGreaterThan(1);
});

test('two loads, or one beyond twice the largest, are refused', () => {
  const two: readonly Point[] = [
    [100, 1],
    [200, 2],
    [200, 2.1],
  ];
  expect(forecast(two, 150)).toEqual({ refused: expect.stringContaining('2 loads were measured') });
  expect(forecast([...two, [300, 3]], 601)).toEqual({ refused: expect.stringContaining('(300)') });
  expect(forecast([], 1)).toEqual({ refused: expect.stringContaining('0 loads') });
});

test('beyond what was measured, a cost whose share of each player grows is refused; between the loads it is not', () => {
  const heard = [100, 200, 400].map((x): Point => [x, 1e-5 * x * x]);
  expect(forecast(heard, 500)).toEqual({ refused: expect.stringContaining('beyond 400') });
  expect(forecast(heard, 300)).toHaveProperty('value');
});

test('with noise of 3%, intervals of 90% hold twice the load in at least 85% of cases, within a third', () => {
  const cases = 400;
  let held = 0;
  const factors: number[] = [];
  for (let seed = 0; seed < cases; seed++) {
    const next = random(seed);
    const noise = (): number => 1 + 0.03 * (next() + next() + next() - 1.5) * 2;
    const [base, perUnit] = [0.2 * next(), 0.001 + 0.002 * next()];
    const truth = (x: number): number => base + perUnit * x;
    const points = [100, 200, 300, 400].map((x): Point => [x, truth(x) * noise()]);
    const x = 400 + 400 * next();
    const { value, low, high } = at(points, x);
    const actual = truth(x) * noise();
    if (low <= actual && actual <= high) held++;
    factors.push(high / value);
  }
  expect(held / cases).toBeGreaterThan(0.85);
  expect(factors.toSorted((one, other) => one - other)[cases / 2]).toBeLessThan(1.35);
});

test('least squares finds the coefficients, and says how well they are known', () => {
  const fit = leastSquares(
    [1, 2, 3, 4].map((x) => ({ basis: [1, x, x * x], y: 2 - 3 * x + 0.5 * x * x, weight: 1 })),
  );
  const [constant, slope, square] = fit?.coefficients ?? [];
  expect(constant).toBeCloseTo(2, 9);
  expect(slope).toBeCloseTo(-3, 9);
  expect(square).toBeCloseTo(0.5, 9);
  // The mean of four readings has a quarter of their variance.
  const mean = leastSquares([1, 2, 3, 4].map((y) => ({ basis: [1], y, weight: 1 })));
  expect(mean && leverage(mean, [1])).toBeCloseTo(0.25, 12);
  expect(leastSquares([1, 1, 1].map((x) => ({ basis: [1, x], y: x, weight: 1 })))).toBeNull();
  expect(leastSquares([{ basis: [1, 2], y: 1, weight: 1 }])).toBeNull();
});
