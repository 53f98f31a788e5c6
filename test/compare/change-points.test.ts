import { expect, test } from 'vitest';
import { changePoints, type Detection } from '../../src/compare/change-points.ts';
import { normal, steps } from './noisy-steps.ts';

const DETECTION: Detection = { window: 50, significance: 0.001, leastPercent: 5 };

const found = (values: readonly number[], detection: Partial<Detection> = {}) =>
  changePoints(values, { ...DETECTION, ...detection });

test.each<
  [
    what: string,
    levels: readonly (readonly [number, number])[],
    changes: readonly (readonly [at: number, percent: number])[],
  ]
>([
  [
    'a step up',
    [
      [20, 100],
      [20, 110],
    ],
    [[20, 10]],
  ],
  [
    'a step down',
    [
      [12, 100],
      [9, 80],
    ],
    [[12, -20]],
  ],
  [
    'the newest three runs',
    [
      [17, 100],
      [3, 130],
    ],
    [[17, 30]],
  ],
  [
    'the oldest three runs',
    [
      [3, 100],
      [17, 130],
    ],
    [[3, 30]],
  ],
  [
    'two steps',
    [
      [15, 100],
      [15, 120],
      [15, 90],
    ],
    [
      [15, 20],
      [30, -25],
    ],
  ],
  [
    'a change that was taken back',
    [
      [20, 100],
      [8, 115],
      [22, 100],
    ],
    [
      [20, 15],
      [28, 100 * (100 / 115 - 1)],
    ],
  ],
  [
    'beyond one window',
    [
      [70, 100],
      [60, 110],
      [50, 121],
    ],
    [
      [70, 10],
      [130, 10],
    ],
  ],
  [
    'a step of less than asked for',
    [
      [20, 100],
      [20, 104],
    ],
    [],
  ],
  ['nothing', [[40, 100]], []],
  [
    'two runs of another level, which may be outliers',
    [
      [20, 100],
      [2, 130],
    ],
    [],
  ],
  [
    'too few runs',
    [
      [2, 100],
      [3, 200],
    ],
    [],
  ],
])('without noise, exact: %s', (_what, levels, changes) => {
  const points = found(steps(levels, 0));
  expect(points.map(({ at }) => at)).toEqual(changes.map(([at]) => at));
  for (const [i, [, percent]] of changes.entries()) {
    expect(points[i]?.changePercent).toBeCloseTo(percent, 9);
    expect(points[i]?.chance).toBe(0);
  }
});

test('a series may be empty, of zeros, or rise from zero', () => {
  expect(found([])).toEqual([]);
  expect(found(Array.from({ length: 30 }, () => 0))).toEqual([]);
  expect(
    found(
      steps(
        [
          [10, 0],
          [10, 5],
        ],
        0,
      ),
    ),
  ).toMatchObject([{ at: 10, meanBefore: 0, meanAfter: 5, changePercent: null }]);
});

test('rounding is no change', () => {
  const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 0.1 + 0.2 : 0.3));
  expect(found(values, { leastPercent: 0 })).toEqual([]);
});

/** The share of noisy series of which this is true, in percent. */
function share(series: number, make: (seed: number) => boolean): number {
  let count = 0;
  for (let seed = 1; seed <= series; seed++) if (make(seed)) count += 1;
  return (100 * count) / series;
}

test.each([
  [12, 5, 300],
  [50, 5, 300],
  [50, 1, 600],
])('of noise alone, %d runs: a change in about %d%% of the series', (runs, level, series) => {
  const alarms = share(
    series,
    (seed) => found(steps([[runs, 100]], 3, seed), { significance: level / 100, leastPercent: 0 }).length > 0,
  );
  // About three standard errors, and the half again by which recursion exceeds the level.
  const error = Math.sqrt((level * (100 - level)) / series);
  expect(alarms).toBeGreaterThan(Math.max(0, 0.3 * level - 3 * error) - 1e-9);
  expect(alarms).toBeLessThan(1.6 * level + 3 * error);
});

test.each([
  [
    '10% in the newest five of 25 runs, CV 2.66%',
    [
      [20, 100],
      [5, 110],
    ],
    2.66,
    20,
    90,
  ],
  [
    '10% in the newest ten of 30 runs, CV 5%',
    [
      [20, 100],
      [10, 110],
    ],
    5,
    20,
    45,
  ],
  [
    '30% for ten runs, CV 10%',
    [
      [20, 100],
      [10, 130],
      [20, 100],
    ],
    10,
    20,
    80,
  ],
] as const)('found, within one run of its place: %s', (_what, levels, cv, at, least) => {
  const hits = share(200, (seed) =>
    found(steps(levels, cv, seed)).some((point) => Math.abs(point.at - at) <= 1),
  );
  expect(hits).toBeGreaterThanOrEqual(least);
});

test('a trend is steps in its direction, one that is slight is none', () => {
  const noise = normal(7);
  const trend = (perRun: number) => Array.from({ length: 50 }, (_, i) => 100 + perRun * i + noise());
  const points = found(trend(1));
  expect(points.length).toBeGreaterThan(0);
  expect(points.every(({ changePercent }) => (changePercent ?? 0) > 0)).toBe(true);
  expect(found(trend(0.05))).toEqual([]);
});

test('single outliers are no changes, and do not hide one', () => {
  const outliers = share(200, (seed) => {
    const values = steps([[40, 100]], 2.66, seed);
    for (const at of [5, 17, 33]) values[at] = 180;
    return found(values).length > 0;
  });
  expect(outliers).toBeLessThanOrEqual(1);
  const values = steps(
    [
      [20, 100],
      [20, 130],
    ],
    2.66,
  );
  values[8] = 160;
  expect(found(values).map(({ at }) => at)).toEqual([20]);
});
