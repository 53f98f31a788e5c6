import { expect, test } from 'vitest';
import type { Series } from '../../src/measurement/measurements.ts';
import { perPlayerFigures, slopeOf, stageMeans } from '../../src/measurement/per-player-figures.ts';
import { seconds } from '../../src/units.ts';
import { fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { stageFacts } from '../fixtures/recorded-stages.ts';

const NUMBERS = [100, 400, 200, 300];

/** Four stages of 5 s from 5 s after GO, a point a second of a value by its players. */
const byPlayers = (kind: Series['kind'], of: (players: number) => number): Series => {
  let sum = 0;
  return {
    kind,
    points: Array.from({ length: 21 }, (_, i) => {
      const value = of(NUMBERS[Math.min(3, Math.floor(Math.max(0, i - 1) / 5))]!);
      sum += i === 0 ? 0 : value;
      return [5 + i, kind === 'gauge' ? value : sum] as const;
    }),
  };
};

const stages = NUMBERS.map((players, i) => ({
  ...stageFacts(0, { name: `s${i}`, from: 5 + 5 * i, levelFrom: 6 + 5 * i, to: 10 + 5 * i }),
  ...{ playersBefore: NUMBERS[i - 1] ?? players, players },
}));
const series = {
  'load.connected': byPlayers('gauge', (players) => players),
  'load.bytesIn': byPlayers('counter', (players) => 700 * players),
  'load.bytesOut': byPlayers('counter', (players) => 300 * players),
  'world.1.memoryBytes': byPlayers('gauge', (players) => 50e6 + 60_000 * players),
  'world.2.memoryBytes': byPlayers('gauge', (players) => 70e6 + 40_000 * players),
  'world.1.cpuSeconds': byPlayers('counter', (players) => 0.1 + 0.001 * players),
  'world.2.cpuSeconds': byPlayers('counter', (players) => 0.2 + 0.001 * players),
};

test('what one player more costs is the slope over the stages, without what the servers need anyhow', () => {
  const { memoryBytes, cpuPercentOfCore, bytesPerSecond } = perPlayerFigures(
    measurementsOf({ stages, series }),
  );
  expect(memoryBytes.points).toBe(4);
  expect(memoryBytes.slope).toBeCloseTo(100_000, 3);
  expect(memoryBytes.low).toBeCloseTo(100_000, 3);
  expect(cpuPercentOfCore.slope).toBeCloseTo(0.2, 6);
  expect(bytesPerSecond.slope).toBeCloseTo(1000, 3);
});

test('a stage has what its players cost, from the time at which they are there, at the paths of the whole run', () => {
  const { stages: figures } = fluxFiguresOf(measurementsOf({ stages, series }), scenarioOf());
  for (const [i, players] of NUMBERS.entries()) {
    const { world, network } = figures[i]!;
    // Of the server that uses more.
    expect(world.cpuPercentOfCore.mean).toBeCloseTo(20 + 0.1 * players, 6);
    expect(world.memoryBytes.max).toBe(70e6 + 40_000 * players);
    expect(network.bytesPerSecond).toBeCloseTo(1000 * players, 6);
    expect(network.bytesPerPlayerSecondIn).toBeCloseTo(700, 6);
    expect(network.bytesPerPlayerSecondOut).toBeCloseTo(300, 6);
  }
});

test('the processes of a target that a probe names stand for its servers', () => {
  const named = {
    ...series,
    'process.game.memoryBytes': byPlayers('gauge', (players) => 1e6 + 2000 * players),
    'process.redis.memoryBytes': byPlayers('gauge', (players) => 2e6 + 500 * players),
  };
  const { memoryBytes } = perPlayerFigures(measurementsOf({ stages, series: named }));
  expect(memoryBytes.slope).toBeCloseTo(2500, 6);
});

test('the presence of a stage is that of its own players, without the edges of its neighbours', () => {
  const load = { ...scenarioOf().load, players: 400, connectsPerSecond: 1000, duration: seconds(20) };
  const own = NUMBERS.map((players, i) => ({
    ...{ name: `s${i}`, lasting: seconds(5), rate: 1, over: seconds(0), players },
  }));
  const start = load.ramp + load.warmUp;
  expect(start).toBe(5e6);
  // The first reading of a stage is of its beginning, when who leaves or joins has only been asked to.
  const late = { ...series, 'load.connected': byPlayers('gauge', (players) => players) };
  const early = {
    kind: 'gauge',
    points: late['load.connected'].points.map(([at], i) => {
      const players = NUMBERS[Math.min(3, Math.floor(i / 5))] ?? 0;
      const before = NUMBERS[Math.floor(i / 5) - 1] ?? players;
      return [at, i % 5 === 0 ? (players + before) / 2 : players] as const;
    }),
  } satisfies Series;
  const ramped = stages.map((stage) => ({ ...stage, levelFrom: stage.from }));
  for (const connected of [late['load.connected'], early]) {
    const m = measurementsOf({ stages: ramped, series: { ...series, 'load.connected': connected } });
    const { stages: figures } = fluxFiguresOf(m, scenarioOf({ load: { ...load, stages: own } }));
    expect(figures.map(({ load: { presence } }) => presence)).toEqual(
      NUMBERS.map((players) => ({ mean: players, min: players, max: players })),
    );
    expect(stageMeans(m).map(({ players }) => players)).toEqual(NUMBERS);
  }
});

test('fewer than three different numbers of players, or a stage without a reading, give no slope', () => {
  const none = { slope: null, low: null, high: null };
  const two = stages.map((stage, i) => ({ ...stage, players: i < 2 ? 100 : 200 }));
  expect(perPlayerFigures(measurementsOf({ stages: two, series })).memoryBytes).toMatchObject(none);
  const { 'world.1.memoryBytes': _, 'world.2.memoryBytes': __, ...others } = series;
  const figures = perPlayerFigures(measurementsOf({ stages, series: others }));
  expect(figures.memoryBytes).toEqual({ ...none, points: 0 });
  expect(figures.bytesPerSecond.slope).toBeCloseTo(1000, 3);
  expect(stageMeans(measurementsOf({ stages: [stageFacts(0)], series }))).toEqual([]);
});

test("the interval is that of the slope of least squares, with Student's t", () => {
  // By hand: x = 1 2 3 4, y = 2.1 3.9 6.2 7.8: slope 1.94, residuals' sum of squares 0.082.
  const { slope, low, high, points } = slopeOf([
    [1, 2.1],
    [2, 3.9],
    [3, 6.2],
    [4, 7.8],
  ]);
  expect(points).toBe(4);
  expect(slope).toBeCloseTo(1.94, 9);
  const off = 4.302_652_73 * Math.sqrt(0.082 / 2 / 5);
  expect(high).toBeCloseTo(1.94 + off, 6);
  expect(low).toBeCloseTo(1.94 - off, 6);
  expect(
    slopeOf([
      [1, 1],
      [2, 2],
    ]).slope,
  ).toBeNull();
  expect(
    slopeOf([
      [1, 1],
      [1, 2],
      [1, 3],
    ]).slope,
  ).toBeNull();
});
