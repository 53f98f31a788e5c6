import { expect, test } from 'vitest';
import type { LoadPoint } from '../../../src/model/load-point.ts';
import { waitingTime } from '../../../src/model/waiting.ts';
import { random } from '../../../src/rng.ts';
import { jobsOf, nameOf } from './job.ts';
import { type Measurement, readMeasurement } from './measurement.ts';
import { checksOf, faultsOf, summaryOf } from './prediction-check.ts';
import { markdownOf, summaryText, textOf } from './table.ts';
import { REFERENCE, type World } from './world.ts';

const world: World = {
  ...{ name: 'known', basePlayers: 100, flags: [], fit: [100, 200, 300, 400], larger: [600, 800, 900] },
  ...{ machines: [0.35, 0.45, 0.55, 0.7, 0.85, 1], fromPerCore: 500 },
};

const pointOf = (players: number, noise: () => number): LoadPoint => ({
  ...{ scenario: 'known', system: 'own', startedAt: '', outcome: 'pass', players, seconds: 10 },
  ...{ sustained: true, operationsPerSecond: players, busiestServerCores: null, servers: 1 },
  cpuCores: { servers: (0.05 + 0.001 * players) * noise() },
  memoryBytes: { servers: (1e8 + 1e5 * players) * noise() },
  ...{ bytesToPlayer: 1_000 * noise(), bytesFromPlayer: 100, batches: null, generatorCores: 0.2 },
  ...{ limitCpus: null, host: { cpus: 2, cpuModel: 'x', memoryBytes: 1e10 }, ranOut: null },
});

/** A machine of which answers wait three times their service when it is full. */
function held(cpus: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitingTime(cpus, middle) < 3) low = middle;
    else high = middle;
  }
  return (low * cpus - 0.05) / 0.001;
}

function recordsOf(noise: () => number): readonly Measurement[] {
  const where = { world: 'known', way: 'quota' } as const;
  const runs = [...world.fit, ...world.larger].map(
    (players): Measurement => ({
      ...{ ...where, kind: 'run', machine: REFERENCE, cpus: REFERENCE, point: pointOf(players, noise) },
    }),
  );
  const searches = world.machines.map((machine): Measurement => {
    const players = held(machine) * noise();
    const [lastPass, firstFail] = [Math.round(players / 1.02), Math.round(players * 1.02)];
    return {
      ...{ ...where, kind: 'search', machine, cpus: machine, lastPass, firstFail },
      points: [pointOf(lastPass, noise), pointOf(lastPass, noise)],
    };
  });
  return [...runs, ...searches];
}

const noisy = (seed: number, size: number) => {
  const next = random(seed);
  return (): number => 1 + size * (next() + next() + next() - 1.5) * 2;
};

test('a world that follows the model is predicted within the aims, and what is too far is refused', () => {
  const checks = checksOf(world, recordsOf(noisy(1, 0.02)));
  const summary = summaryOf(checks);
  if (summary === null) throw new Error('nothing is predicted');
  expect(summary.machines).toBe(world.machines.length);
  expect(summary.medianErrorPercent).toBeLessThan(5);
  expect(summary.medianFactor).toBeLessThan(1.5);
  expect(summary.coveragePercent).toBeGreaterThanOrEqual(80);
  // 900 players are more than twice the largest of the fit.
  const far = checks.filter(({ players, figure }) => players === 900 && figure !== 'capacity');
  expect(far).toHaveLength(3);
  for (const { outcome } of far) expect(outcome).toHaveProperty('refused');
  // One world gives some twenty predictions, and two are enough.
  expect(faultsOf(summary).map((sentence) => sentence.replace(/^\d+ /, ''))).toEqual([
    'predictions, and at least 40 are needed',
  ]);
  expect(faultsOf({ ...summary, predictions: 40 })).toEqual([]);
});

test('what was measured decides: a world that costs more under a larger load is reported as wrong', () => {
  const records = recordsOf(noisy(2, 0.005)).map(
    (record): Measurement =>
      record.kind === 'run' && world.larger.includes(record.point.players)
        ? { ...record, point: { ...record.point, cpuCores: { servers: 3 } } }
        : record,
  );
  const wrong = checksOf(world, records).filter(
    ({ figure, players }) => figure === 'CPU' && world.larger.includes(players),
  );
  const summary = summaryOf(wrong);
  expect(summary?.coveragePercent).toBe(0);
  expect(summary?.medianErrorPercent).toBeGreaterThan(15);
  expect(summary && faultsOf(summary)).toHaveLength(4);
  expect(textOf(wrong)).toContain('outside');
});

test('a load that was not sustained is held against nothing, and without runs nothing is predicted', () => {
  const records = recordsOf(() => 1);
  const unsustained = records.map(
    (record): Measurement =>
      record.kind === 'run'
        ? record
        : { ...record, points: record.points.map((one) => ({ ...one, sustained: false })) },
  );
  const figures = (of: readonly Measurement[]): number =>
    checksOf(world, of).filter(({ figure }) => figure !== 'capacity').length;
  expect(figures(unsustained)).toBe(3 * world.larger.length);
  expect(figures(records)).toBe(3 * (world.larger.length + world.machines.length));
  expect(
    checksOf(
      world,
      records.filter(({ kind }) => kind === 'search'),
    ),
  ).toEqual([]);
  expect(summaryOf([])).toBeNull();
});

test('fewer than three other machines give bounds, which are counted apart', () => {
  const few = recordsOf(() => 1).filter(({ kind, machine }) => kind === 'run' || machine <= 0.55);
  const checks = checksOf(world, few).filter(({ figure }) => figure === 'capacity');
  expect(checks).toHaveLength(3);
  for (const { outcome } of checks) expect(outcome).toHaveProperty('bounds');
  expect(textOf(checks)).toContain('bounds only');
});

test('the table has a row for each check', () => {
  const checks = checksOf(world, recordsOf(noisy(3, 0.02)));
  expect(textOf(checks).split('\n')).toHaveLength(checks.length + 1);
  const rows = markdownOf(checks).split('\n');
  expect(rows).toHaveLength(checks.length + 2);
  for (const row of rows) expect(row.split('|')).toHaveLength(11);
  const summary = summaryOf(checks);
  expect(summary && summaryText(summary)).toMatch(
    /^\d+ predictions with intervals, on 6 machines; .*refused\.$/,
  );
});

test('a measurement is read as it was written, and a torn one is named', () => {
  for (const record of recordsOf(() => 1))
    expect(readMeasurement(JSON.stringify(record), 'x.json')).toEqual(record);
  expect(() => readMeasurement('{"kind":"run"', 'x.json')).toThrow('x.json is no measurement');
  expect(() => readMeasurement('{"kind":"run","world":"a"}', 'x.json')).toThrow('x.json is no measurement');
});

test('every measurement has a name of its own', () => {
  const jobs = jobsOf([world, { ...world, name: 'other' }], 'duty');
  expect(new Set(jobs.map(nameOf)).size).toBe(jobs.length);
  expect(jobs).toHaveLength(2 * (world.fit.length + world.larger.length + world.machines.length));
});
