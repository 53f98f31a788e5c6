import { expect, test } from 'vitest';
import type { Point } from '../../src/model/line.ts';
import { type Scaling, scalingOf, throughputAt } from '../../src/model/usl.ts';
import { random } from '../../src/rng.ts';

const truth = { lambda: 100, sigma: 0.05, kappa: 0.004 };
const law = (n: number, { lambda, sigma, kappa } = truth): number =>
  (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));
const pointsAt = (numbers: readonly number[], of = truth, noise = () => 1): readonly Point[] =>
  numbers.map((n): Point => [n, law(n, of) * noise()]);
const scalingAt = (numbers: readonly number[], of = truth, noise = () => 1): Scaling => {
  const scaling = scalingOf(pointsAt(numbers, of, noise));
  if ('because' in scaling) throw new Error(scaling.because);
  return scaling;
};

test('points on the law give its coefficients, and the number of servers that does most', () => {
  const scaling = scalingAt([1, 2, 4, 8]);
  expect(scaling.lambda).toBeCloseTo(100, 6);
  expect(scaling.sigma).toBeCloseTo(0.05, 8);
  expect(scaling.kappa).toBeCloseTo(0.004, 8);
  expect(scaling.most).toBeCloseTo(Math.sqrt(0.95 / 0.004), 4);
  const there = throughputAt(scaling, 16);
  expect('value' in there && there.value).toBeCloseTo(law(16), 4);
});

test('fewer than four different numbers of servers are refused, however many runs there are', () => {
  const points = [...pointsAt([1, 2, 4]), ...pointsAt([1, 2, 4])];
  expect(scalingOf(points)).toEqual({ because: expect.stringContaining('3 different numbers') });
  expect(scalingOf([])).toEqual({ because: expect.stringContaining('0 different numbers') });
});

test('nothing is predicted beyond twice the servers that were measured', () => {
  expect(throughputAt(scalingAt([1, 2, 3, 4]), 9)).toEqual({ refused: expect.stringContaining('(4)') });
  expect(throughputAt(scalingAt([1, 2, 3, 4]), 8)).toMatchObject({ value: expect.any(Number) });
});

test('servers that help each other have neither contention nor coherence below zero', () => {
  const scaling = scalingAt([1, 2, 4, 8], { lambda: 100, sigma: -0.02, kappa: 0 });
  expect(scaling).toMatchObject({ sigma: 0, kappa: 0, most: null });
  const contended = scalingAt([1, 2, 4, 8], { ...truth, kappa: -0.001 });
  expect(contended.kappa).toBe(0);
  expect(contended.sigma).toBeGreaterThan(0);
});

test('where servers only wait for each other, one does as much as all', () => {
  expect(scalingAt([1, 2, 3, 4], { lambda: 100, sigma: 1.2, kappa: 0 }).most).toBe(1);
});

test('with noise of 3%, intervals of 90% hold what they predict in at least 80% of cases, and are wide', () => {
  const cases = 300;
  let held = 0;
  let factors = 0;
  for (let seed = 0; seed < cases; seed++) {
    const next = random(seed);
    const noise = (): number => 1 + 0.03 * (next() + next() + next() - 1.5) * 2;
    const own = { lambda: 50 + 100 * next(), sigma: 0.1 * next(), kappa: 0.005 * next() };
    const scaling = scalingAt([1, 2, 3, 4, 6, 8], own, noise);
    const servers = 9 + Math.floor(8 * next());
    const there = throughputAt(scaling, servers);
    if ('refused' in there) throw new Error(there.refused);
    const actual = law(servers, own);
    if (there.low <= actual && actual <= there.high) held++;
    factors += there.high / there.value;
  }
  expect(held / cases).toBeGreaterThan(0.8);
  // Extrapolation is treacherous: an interval that did not say so would be a lie.
  expect(factors / cases).toBeGreaterThan(1.05);
});
