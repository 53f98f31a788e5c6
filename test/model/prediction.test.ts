import { expect, test } from 'vitest';
import { type Demand, demandOf } from '../../src/model/demand.ts';
import { growthOf } from '../../src/model/growth.ts';
import type { Line, Point } from '../../src/model/line.ts';
import type { LoadPoint } from '../../src/model/load-point.ts';
import {
  type Bound,
  type Box,
  machinesOf,
  memoryForStack,
  predict,
  residualsOf,
} from '../../src/model/prediction.ts';
import { equalWaiting, waitingTime } from '../../src/model/waiting.ts';
import { random } from '../../src/rng.ts';

const GB = 2 ** 30;
const big: Box = { cpus: 2, speed: 1, memoryBytes: 64 * GB };

/** A server that needs `perPlayer` cores for each, whose answers wait `patience` times their service at its bound. */
interface Truth {
  readonly base: number;
  readonly perPlayer: number;
  readonly patience: number;
}

const point = (players: number, cpuCores: number, memory = 0.1 * GB + players * 1e5): LoadPoint => ({
  ...{ scenario: 'x', system: 'own', startedAt: '', outcome: 'pass', players, seconds: 20, sustained: true },
  ...{ operationsPerSecond: players, cpuCores: { servers: cpuCores }, busiestServerCores: null },
  ...{ memoryBytes: { servers: memory }, servers: 1, bytesToPlayer: 1_000, bytesFromPlayer: 100 },
  ...{
    batches: null,
    generatorCores: 0.2,
    limitCpus: null,
    host: { cpus: 2, cpuModel: 'x', memoryBytes: 8 * GB },
    ranOut: null,
  },
});

const demandFor = ({ base, perPlayer }: Truth, loads: readonly number[], noise = () => 1): Demand => {
  const demand = demandOf(loads.map((players) => point(players, (base + perPlayer * players) * noise())));
  if ('because' in demand) throw new Error(demand.because);
  return demand;
};

const lineOf = (base: number, perUnit: number): Line => ({
  ...{ base, perUnit, from: 100, to: 400, points: 3, relativeError: 0 },
});

/** The players at which answers wait as long as they may. */
function knee({ base, perPlayer, patience }: Truth, cpus: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitingTime(cpus, middle) < patience) low = middle;
    else high = middle;
  }
  return (low * cpus - base) / perPlayer;
}

const searched = (truth: Truth, cpus: number, noise = () => 1): Bound => {
  const found = knee(truth, cpus) * noise();
  return { cpus, speed: 1, lastPass: found * 0.975, firstFail: found * 1.025 };
};

const truth: Truth = { base: 0.05, perPlayer: 0.001, patience: 3 };

test('waiting on one core is that of M/M/1, and more cores wait less at the same utilisation', () => {
  expect(waitingTime(1, 0.5)).toBeCloseTo(1, 12);
  expect(waitingTime(1, 0.8)).toBeCloseTo(4, 12);
  // M/M/2 at 0.8: W/S = rho^2 / (1 - rho^2) = 1.78, and the approximation is within 1%.
  expect(waitingTime(2, 0.8)).toBeCloseTo(1.78, 1);
  expect(equalWaiting({ cores: 1, utilisation: 0.8 }, 1)).toBeCloseTo(0.8, 9);
  expect(equalWaiting({ cores: 1, utilisation: 0.8 }, 4)).toBeGreaterThan(0.9);
  expect(equalWaiting({ cores: 4, utilisation: 0.9 }, 1)).toBeLessThan(0.8);
  expect(equalWaiting({ cores: 2, utilisation: 1.3 }, 2)).toBeCloseTo(0.999, 6);
  expect(equalWaiting({ cores: 2, utilisation: 0 }, 1)).toBe(0);
});

test('one machine gives bounds, not an interval, and says so', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const capacity = predict(demand, [searched(truth, 1)], big);
  expect(capacity).toMatchObject({ label: 'bounds only', ranOut: 'cpu', refused: null });
  expect(capacity.because).toContain('not validated: one machine was measured');
  expect(capacity.low).toBeLessThan(knee(truth, 2));
  expect(capacity.high).toBeGreaterThan(knee(truth, 2));
  // Two cores that are always busy.
  expect(capacity.high).toBe(Math.floor((2 - truth.base) / truth.perPlayer));
});

test('two machines give no interval either', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const capacity = predict(demand, [searched(truth, 1), searched(truth, 0.5)], big);
  expect(capacity.label).toBe('bounds only');
  expect(capacity.because).toContain('2 machines were measured');
});

test('three machines predict a fourth, and the interval holds it', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  const capacity = predict(demand, bounds, { ...big, cpus: 1.5 });
  expect(capacity.label).toBe('predicted');
  expect(capacity.low).toBeLessThan(knee(truth, 1.5));
  expect(capacity.high).toBeGreaterThan(knee(truth, 1.5));
  expect((capacity.high ?? 0) / capacity.low).toBeLessThan(1.5);
});

/** Batches: what a machine with cores to spare takes 0.2 + 0.00024 cores for, a full one does for 0.05 + 0.00018. */
const gathering = {
  light: { base: 0.2, perPlayer: 0.00024, patience: 3 },
  full: { base: 0.05, perPlayer: 0.00018 },
};

const fullOf = (cpus: number): Bound => {
  const { lastPass, firstFail } = searched({ ...gathering.full, patience: 30 }, cpus);
  const usedCores = gathering.full.base + gathering.full.perPlayer * lastPass;
  return { cpus, speed: 1, lastPass, firstFail, usedCores };
};

test('a server that costs less where it is full is predicted by the cores used at the bounds', () => {
  const demand = demandFor(gathering.light, [500, 1000, 1500]);
  const held = (cpus: number): number => knee({ ...gathering.full, patience: 30 }, cpus);
  for (const cpus of [0.25, 0.5, 0.75]) {
    const others = [0.25, 0.35, 0.5, 0.75].filter((one) => one !== cpus).map(fullOf);
    const capacity = predict(demand, others, { ...big, cpus });
    expect(capacity.label).toBe('predicted');
    expect(capacity.low).toBeLessThan(held(cpus));
    expect(capacity.high).toBeGreaterThan(held(cpus));
    expect((capacity.high ?? 0) / capacity.low).toBeLessThan(1.3);
  }
  // By what it costs where there are cores to spare it would hold a fifth of that.
  expect((0.25 - gathering.light.base) / gathering.light.perPlayer).toBeLessThan(held(0.25) / 4);
});

test('of one machine only the level of the cost is known: the bounds allow for both ends', () => {
  const demand = demandFor(gathering.light, [500, 1000, 1500]);
  for (const cpus of [0.25, 1]) {
    const capacity = predict(demand, [fullOf(0.5)], { ...big, cpus });
    const held = knee({ ...gathering.full, patience: 30 }, cpus);
    expect(capacity).toMatchObject({ label: 'bounds only', refused: null });
    expect(capacity.low).toBeLessThan(held);
    expect(capacity.high).toBeGreaterThan(held);
  }
});

test('with noise of 3%, intervals of 90% hold what they predict in at least 80% of cases', () => {
  let held = 0;
  const errors: number[] = [];
  const factors: number[] = [];
  const cases = 400;
  for (let seed = 0; seed < cases; seed++) {
    const next = random(seed);
    const noise = (): number => 1 + 0.03 * (next() + next() + next() - 1.5) * 2;
    const own: Truth = { base: 0.1 * next(), perPlayer: 0.0005 + 0.002 * next(), patience: 1 + 8 * next() };
    const quotas = [0.5, 0.75, 1];
    const demand = demandFor(
      own,
      [0.2, 0.4, 0.6].map((share) => share * knee(own, 1)),
      noise,
    );
    const bounds = quotas.map((cpus) => searched(own, cpus, noise));
    const cpus = 1 + next();
    const actual = knee(own, cpus) * noise();
    const { low, high } = predict(demand, bounds, { ...big, cpus });
    if (low <= actual && actual <= (high ?? Number.POSITIVE_INFINITY)) held++;
    errors.push(Math.abs(Math.log(Math.sqrt(low * (high ?? low)) / actual)));
    factors.push(Math.sqrt((high ?? low) / low));
  }
  const median = (of: number[]): number => of.toSorted((a, b) => a - b)[of.length / 2] ?? 0;
  expect(held / cases).toBeGreaterThan(0.85);
  expect(median(errors)).toBeLessThan(0.05);
  expect(median(factors)).toBeLessThan(1.25);
});

test('a faster core is worth more, a slower one less', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  const at = (speed: number): number => predict(demand, bounds, { ...big, cpus: 1, speed }).low;
  expect(at(1.5)).toBeGreaterThan(1.4 * at(1));
  expect(at(0.5)).toBeLessThan(0.6 * at(1));
});

test('nothing is predicted beyond twice what was measured', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  const capacity = predict(demand, bounds, { ...big, cpus: 16 });
  expect(capacity).toMatchObject({ label: 'bounds only', high: null });
  expect(capacity.refused).toContain('more than 2 times the cores');
  // Its low end is that of the farthest machine that can be predicted.
  expect(capacity.low).toBe(
    Math.min(predict(demand, bounds, big).low, Math.round(2 * (bounds[2]?.lastPass ?? 0))),
  );
  const wide = demandFor({ ...truth, perPlayer: 0.0001 }, [100, 200]);
  const few = predict(wide, [{ cpus: 1, speed: 1, lastPass: 200, firstFail: 210 }], { ...big, cpus: 1.9 });
  expect(few.low).toBeLessThanOrEqual(400);
});

test('where memory runs out first, it is named, and no interval is given', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  const box = { ...big, cpus: 1, memoryBytes: 0.4 * GB };
  const capacity = predict(demand, bounds, box);
  expect(capacity).toMatchObject({ label: 'bounds only', ranOut: 'memory' });
  expect(capacity.refused).not.toBeNull();
  const has = memoryForStack(box.memoryBytes);
  expect(0.1 * GB + capacity.low * 1e5).toBeLessThanOrEqual(has);
  expect(predict(demand, bounds, { ...box, memoryBytes: 0.1 * GB }).low).toBe(0);
});

test('a server of one thread cannot use the cores of a larger machine', () => {
  const loads = [100, 200, 400];
  const demand = demandOf(
    loads.map((players) => ({ ...point(players, 0.001 * players), busiestServerCores: 0.001 * players })),
  );
  if ('because' in demand) throw new Error(demand.because);
  const bounds = [searched({ ...truth, base: 0 }, 1)];
  const capacity = predict(demand, bounds, { ...big, cpus: 2 });
  expect(capacity.ranOut).toBe('one server');
  expect(capacity.low).toBeLessThanOrEqual(1_000);
});

test('a machine that was measured less exactly has a larger residual', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  const [exact = 0] = residualsOf(demand, bounds);
  const coarse = bounds.map((one) => ({ ...one, firstFail: one.lastPass * 1.3 }));
  expect(residualsOf(demand, coarse)[0]).toBeGreaterThan(exact);
});

test('a run that did not sustain its load says nothing about its cost', () => {
  expect(demandOf([{ ...point(100, 0.5), sustained: false }])).toMatchObject({
    because: expect.stringContaining('no run sustained its load'),
  });
  expect(demandOf([])).toMatchObject({ because: 'there is no run' });
  expect(demandOf([{ ...point(100, 0.5), cpuCores: {} }])).toMatchObject({
    because: expect.stringContaining('--probe-process'),
  });
});

test('a run that lacks a component is not part of the sum', () => {
  const with2 = (players: number): LoadPoint => ({
    ...point(players, 0.001 * players),
    cpuCores: { servers: 0.001 * players, database: 0.001 * players },
  });
  const demand = demandOf([with2(100), with2(200), point(400, 0.4)]);
  if ('because' in demand) throw new Error(demand.because);
  expect(demand.cpu.perUnit).toBeCloseTo(0.002, 9);
  expect(demand.components.servers?.cpu?.perUnit).toBeCloseTo(0.001, 9);
});

test('where the budgets broke with idle cores, more cores are not said to help', () => {
  // 0.05 + 0.2 of two cores are used where it passes.
  const demand = demandFor(truth, [100, 200, 400]);
  const idle = { cpus: 2, speed: 1, lastPass: 200, firstFail: 210 };
  for (const bounds of [[idle], [idle, idle, idle]]) {
    const larger = predict(demand, bounds, { ...big, cpus: 4 });
    expect(larger).toMatchObject({ label: 'bounds only', low: 200, ranOut: 'unknown' });
    expect(larger.because).toContain('used 12.5% of their cores');
    expect(predict(demand, bounds, { ...big, cpus: 16 })).toMatchObject({ low: 200, high: null });
    expect(predict(demand, bounds, { ...big, cpus: 1 }).low).toBeLessThan(200);
  }
});

test('a machine that was searched three times is one machine, and what is stated is the least of it', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const again = [600, 640, 620].map((lastPass, i) => ({
    ...{ cpus: 1 + 0.02 * i, speed: 1, lastPass, firstFail: lastPass + 30 },
  }));
  expect(machinesOf(again)).toEqual([{ cpus: 1.02, speed: 1, lastPass: 600, firstFail: 670 }]);
  const capacity = predict(demand, again, { ...big, cpus: 1.5 });
  expect(capacity).toMatchObject({ label: 'bounds only', refused: null });
  expect(capacity.because).toContain('one machine was measured');
  expect(predict(demand, again, { ...big, cpus: 1.02 }).low).toBe(600);
  const others = [0.5, 0.75].map((cpus) => searched(truth, cpus));
  expect(machinesOf([...again, ...others])).toHaveLength(3);
});

test.each([
  [1, 800],
  [0.35, 130],
  [0.976, 4_757],
  [1.79, 488],
  [2, 2_063],
  [4, 7],
])('with %d cores that held %d players, the same cores hold as many', (cpus, lastPass) => {
  for (const used of [0.3, 0.5, 0.63, 0.77, 0.94]) {
    const loads = [0.25, 0.5, 1].map((share) => share * lastPass);
    const perPlayer = (used * cpus) / lastPass;
    const demand = demandFor({ base: 0, perPlayer, patience: 1 }, loads);
    const bound = { cpus, speed: 1, lastPass, firstFail: 1.05 * lastPass };
    expect(predict(demand, [bound], { ...big, cpus }).low).toBe(lastPass);
  }
});

test('more cores, faster ones and more memory never hold less, and the upper end is not below the lower', () => {
  const next = random(7);
  for (let i = 0; i < 150; i++) {
    const own: Truth = { base: 0.2 * next(), perPlayer: 10 ** (-4 + 2 * next()), patience: 1 };
    const demand: Demand = {
      ...demandFor(own, [100, 200, 400]),
      ...(next() < 0.5
        ? {}
        : { busiestServer: lineOf(0.5 * own.base, (0.3 + 0.7 * next()) * own.perPlayer) }),
      cpuGrowth: next() < 0.2 ? 1.6 : null,
    };
    const bounds = Array.from({ length: 1 + Math.floor(5 * next()) }, () => {
      const cpus = 0.3 + 2 * next();
      const lastPass = Math.max(1, Math.round(((0.3 + 0.65 * next()) * cpus - own.base) / own.perPlayer));
      return { cpus, speed: 1, lastPass, firstFail: Math.ceil(lastPass * (1.02 + 0.1 * next())) };
    });
    const boxes: readonly (readonly Box[])[] = [
      [0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 16, 64].map((cpus) => ({ ...big, cpus })),
      [0.2, 0.5, 0.8, 1, 1.2, 1.5, 2, 3, 4, 9].map((speed) => ({ ...big, speed })),
      [0.25, 0.5, 1, 2, 8, 64].map((size) => ({ ...big, memoryBytes: size * GB })),
    ];
    for (const larger of boxes) {
      const found = larger.map((box) => predict(demand, bounds, box));
      const lows = found.map(({ low }) => low);
      expect(lows).toEqual(lows.toSorted((one, other) => one - other));
      for (const { low, high } of found) expect(high ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(low);
    }
  }
});

test('of less than half of the smallest machine that was measured no interval is given', () => {
  const demand = demandFor(truth, [100, 200, 400]);
  const bounds = [0.5, 0.75, 1].map((cpus) => searched(truth, cpus));
  expect(predict(demand, bounds, { ...big, cpus: 0.25 }).label).toBe('predicted');
  const small = predict(demand, bounds, { ...big, cpus: 0.2 });
  expect(small).toMatchObject({
    label: 'bounds only',
    high: Math.floor((0.2 - truth.base) / truth.perPlayer),
  });
  expect(small.refused).toContain('less than 1/2 of the cores that were measured (0.5)');
});

test('where a player costs the more the more there are, more cores are not said to hold more than was measured', () => {
  // Everybody hears everybody: 0.6 of a core at 300 players, and 1.07 at 400.
  const demand = demandOf([100, 200, 300].map((players) => point(players, (0.6 * players ** 2) / 300 ** 2)));
  if ('because' in demand) throw new Error(demand.because);
  expect(demand.cpuGrowth).toBeCloseTo(3, 9);
  const bound = { cpus: 1, speed: 1, lastPass: 300, firstFail: 315 };
  const capacity = predict(demand, [bound], big);
  expect(capacity).toMatchObject({ label: 'bounds only', low: 300, high: null });
  expect(capacity.because).toContain('grows with the number of players, by 200%');
  expect(predict(demand, [bound], { ...big, cpus: 32 }).low).toBe(300);
  const three = [0.7, 0.85, 1].map((cpus) => ({ ...bound, cpus, lastPass: 300 * Math.sqrt(cpus) }));
  const validated = predict(demand, three, { ...big, cpus: 1.5 });
  expect(validated).toMatchObject({ label: 'bounds only', high: null });
  expect(validated.low).toBeLessThanOrEqual(300);
});

test.each([
  ['the same for each', [100, 200, 400].map((x): Point => [x, 3 * x]), null],
  ['shared by all', [100, 200, 400].map((x): Point => [x, 50]), null],
  [
    'within noise',
    [
      [100, 100],
      [200, 240],
    ] satisfies Point[],
    null,
  ],
  [
    'of loads that are near to each other',
    [
      [300, 300],
      [400, 600],
    ] satisfies Point[],
    null,
  ],
  ['by everybody to everybody', [100, 200, 400].map((x): Point => [x, x * x]), 4],
  ['with the root of their number', [100, 400].map((x): Point => [x, x ** 1.5]), 2],
  ['of one load', [[100, 5]] satisfies Point[], null],
  ['of none', [], null],
] as const)('growth of a cost: %s', (_, points, growth) => {
  const found = growthOf(points);
  if (growth === null) expect(found).toBeNull();
  else expect(found).toBeCloseTo(growth, 9);
});

test('a cost that grows with the load is not taken for one of which each share grows, though runs differ by a third', () => {
  let taken = 0;
  for (let seed = 0; seed < 300; seed++) {
    const next = random(seed);
    const noise = (): number => 1 + 0.15 * (next() + next() + next() - 1.5) * 2;
    const base = 0.1 * next();
    const loads = [50, 100, 150, 200, 300, 450, 450, 450, 600];
    if (growthOf(loads.map((x): Point => [x, (base + 0.001 * x) * noise()])) !== null) taken++;
  }
  expect(taken).toBeLessThan(3);
});
