import { expect, test } from 'vitest';
import { holmLevels } from '../../src/compare/holm.ts';

/** Which hypotheses are rejected. */
const rejected = (tails: readonly number[], alpha: number): readonly boolean[] =>
  holmLevels(tails, alpha).map((level, i) => (tails[i] ?? 1) <= level);

test.each([
  // The usual example of four p-values at 5%: 0.005 and 0.01 are below 0.0125 and 0.0167, 0.03 is not below 0.025.
  [[0.01, 0.04, 0.03, 0.005], 0.05, [true, false, false, true]],
  // Bonferroni (0.0167) would reject only the first of these.
  [[0.01, 0.02, 0.03], 0.05, [true, true, true]],
  // What comes after the first that is kept is kept, however small its own step would have been.
  [[0.02, 0.02, 0.049], 0.05, [false, false, false]],
  [[0.05], 0.05, [true]],
  [[], 0.05, []],
])('%j at %d', (tails, alpha, expected) => {
  expect(rejected(tails, alpha)).toEqual(expected);
});

test('each has the level of its step, and what was not reached that of the last one tested', () => {
  const levels = holmLevels([0.03, 0.0001, 0.5, 0.004], 0.01);
  // In the order of the p-values: 0.01 / 4, then 0.01 / 3, at which the second one stops.
  expect(levels).toEqual([0.01 / 3, 0.0025, 0.01 / 3, 0.01 / 3]);
});

test('false alarms of all together stay at the level, where every hypothesis is true', () => {
  // Independent and uniform p-values: a lattice of 200 x 200 of two of them.
  const n = 200;
  let alarms = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) if (rejected([(i + 0.5) / n, (j + 0.5) / n], 0.05).includes(true)) alarms++;
  // 1 - 0.975^2
  expect(alarms / n ** 2).toBeCloseTo(0.049_375, 3);
});
