import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { figure } from '../../src/measurement/figure-kinds.ts';
import { figuresSchemaOf, metricsOf } from '../../src/measurement/figures.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import type { OperationFacts } from '../../src/measurement/measurements.ts';
import { fluxFigures } from '../../src/systems/flux/figures.ts';
import { OPERATIONS } from '../../src/systems/flux/scenario.ts';
import { DELIVERIES } from '../fixtures/recorded-deliveries.ts';
import { budget, failedRun, fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';

const recorded = measurementsOf();
const figures = fluxFiguresOf(recorded);

/** Every number in a value, at any depth. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

test('the load is the achieved one beside the requested one', () => {
  expect(figures.load).toMatchObject({ requestedCcu: 1000, peakCcu: 1000, scale: 1, durationSeconds: 20 });
  expect(figures.load.sentPercent).toEqual({ intent: 100, monsterCommand: 100 });
});

test('throughput counts acknowledged operations, and batches are not rows', () => {
  const { throughput } = figures;
  expect(throughput.intentsPerSecond).toBeGreaterThan(990);
  expect(throughput.intentsPerSecond).toBeLessThan(1010);
  expect(throughput.rowWritesPerSecond).toBeCloseTo(19_000, 6);
  expect(throughput.batchesPerSecond).toBeCloseTo(200, 6);
  expect(throughput.rowsPerBatch).toBeCloseTo(95, 6);
  expect(throughput.operationsPerBatch).toBeCloseTo(105, 6);
  expect(throughput.coalescing).toBeCloseTo(21_000 / 19_000, 6);
  expect(throughput.flushedOnTimePercent).toBeCloseTo(98, 6);
  expect(throughput.largestBatch).toBe(500);
  expect(throughput.serverSharePercent.max).toBeCloseTo(50, 6);
});

test('every percentage has the denominator that its name states', () => {
  expect(figures.world.cpuPercentOfCore.mean).toBeCloseTo(32, -1);
  expect(figures.world.cpuPercentTotal.mean).toBeCloseTo(31.5, -1);
  expect(figures.database.cpuPercentOfHost.mean).toBeCloseTo(15, -1);
  expect(figures.database.hitRatioPercent).toBeCloseTo(100 * (40_000 / 40_010), 6);
  expect(figures.generator.cpuCores).toBeCloseTo(0.42, 1);
  expect(figures.host.stealPercent).toBeCloseTo(0.05, 6);
  expect(figures.host.nodeMajor).toBe(20);
});

test('cores are percentages of a core by a hundred, and a server has its part of the bytes', () => {
  const { world, database, host, network } = figures;
  expect(world.cpuCores.max).toBeCloseTo((world.cpuPercentOfCore.max ?? 0) / 100, 9);
  expect(database.cpuCores.mean).toBeCloseTo(((database.cpuPercentOfHost.mean ?? 0) * host.cpus) / 100, 9);
  expect(network.bytesPerServerSecond).toBeCloseTo((network.bytesPerSecond ?? 0) / world.servers, 9);
  expect(world.connectionsPerServer.max).toBeLessThan(world.connections.max ?? 0);
});

test('the CPU of load workers on other machines is none of this host’s', () => {
  const agent = {
    ...{ address: '10.0.0.5:7400', onThisHost: false, clockOffsetMs: 0, clockUncertaintyMs: 0.1 },
    ...{ driftMs: 0, roundTripMs: 0.2 },
  };
  const { workers } = recorded;
  const cores = figures.generator.cpuCores ?? Number.NaN;
  const here = (agents: readonly (typeof agent & { readonly workers: number })[]) =>
    fluxFiguresOf(measurementsOf({ agents }));
  const elsewhere = here([{ ...agent, workers }]);
  expect(elsewhere.generator.cpuCores).toBe(cores);
  const shareOf = ({ generator, host }: typeof figures) =>
    ((generator.cpuPercentOfHost ?? 0) * host.cpus) / 100;
  expect(shareOf(figures)).toBeCloseTo(cores, 9);
  // What is left is this process.
  expect(shareOf(elsewhere)).toBeLessThan(cores);
  const half = here([
    { ...agent, workers: 1, onThisHost: true },
    { ...agent, workers: workers - 1 },
  ]);
  expect(shareOf(half)).toBeGreaterThan(shareOf(elsewhere));
  expect(shareOf(half)).toBeLessThan(cores);
  expect(elsewhere.host.otherCpuPercent ?? 0).toBeGreaterThan(figures.host.otherCpuPercent ?? 0);
  expect(elsewhere.generator.agents).toEqual([{ ...agent, workers }]);
  expect(figures.generator).not.toHaveProperty('agents');
});

test('shares of all operations together are weighted by how many were due', () => {
  const { intent, monsterCommand } = recorded.operations;
  const failed = { ...intent.measured, ok: intent.measured.ok - 400, failed: 300, timedOut: 100 };
  const operations = { ...recorded.operations, intent: { ...intent, measured: failed } };
  const { total } = fluxFiguresOf(measurementsOf({ operations })).load;
  const due = intent.measured.scheduled + monsterCommand.measured.scheduled;
  expect(total.errorPercent).toBeCloseTo((100 * 300) / due, 9);
  expect(total.unansweredPercent).toBeCloseTo((100 * 400) / due, 9);
  expect(total.idlePercent).toBe(0);
});

const of = (over: Partial<OperationFacts>) =>
  fluxFiguresOf(
    measurementsOf({
      operations: { ...recorded.operations, intent: { ...recorded.operations.intent, ...over } },
    }),
  ).latency.intent.due;

test('unanswered operations count as slower than all answered ones', () => {
  const { measured } = recorded.operations.intent;
  const few = of({ measured: { ...measured, ok: measured.ok - 400, timedOut: 300, skipped: 100 } });
  expect(few.unanswered).toBe(400);
  expect(few.p95).toBeGreaterThan(figures.latency.intent.due.p95 ?? 0);
  expect(few.p99).toBeNull();
  expect(few.max).toBe(figures.latency.intent.due.max);
});

test('a run that never started has figures that are null, and none that are NaN', () => {
  const nothing = fluxFiguresOf(failedRun());
  expect(nothing.throughput.operationsPerSecond).toBeNull();
  expect(nothing.latency.intent.due).toMatchObject({ p95: null, max: null, mean: null, count: 0 });
  expect(nothing.integrity.lost).toBeNull();
  expect(numbersIn(nothing).filter((value) => !Number.isFinite(value))).toEqual([]);
});

test('without facts about PostgreSQL, foreign CPU is unknown', () => {
  const series = Object.fromEntries(
    Object.entries(recorded.series).filter(([name]) => !name.startsWith('postgres.')),
  );
  const target = fluxFiguresOf(
    measurementsOf({ stackKind: 'target', series, integrity: null }),
    scenarioOf(),
  );
  expect(target.host.otherCpuPercent).toBeNull();
  expect(target.database.rowsUpdatedPerSecond).toBeNull();
  expect(target.integrity.rowWritesDisagreePercent).toBeNull();
});

test('two counts of row writes disagree by a percentage of what PostgreSQL counted', () => {
  const integrity = recorded.integrity;
  if (integrity === null) throw new Error('the recorded run has no integrity');
  const one = fluxFiguresOf(measurementsOf({ integrity: { ...integrity, rowWritesServers: 450_450 } }));
  expect(one.integrity.rowWritesDisagreePercent).toBeCloseTo(1, 9);
});

test('a count of row writes that went backwards agrees with no other', () => {
  const { integrity } = recorded;
  if (integrity === null) throw new Error('no integrity');
  const disagree = (rowWritesServers: number, rowWritesPostgres: number) =>
    fluxFiguresOf(measurementsOf({ integrity: { ...integrity, rowWritesServers, rowWritesPostgres } }))
      .integrity.rowWritesDisagreePercent;
  expect(disagree(100, -5)).toBe(100);
  expect(disagree(-5, -5)).toBe(100);
  expect(disagree(0, 0)).toBe(0);
});

test("the schedule lag is split into the generator's own part and the servers' part", () => {
  const lag = (ms: number) => ({
    counts: [[1000 * ms, 100] as const],
    min: 1000 * ms,
    max: 1000 * ms,
    sum: 1e5 * ms,
  });
  const parted = { lag: lag(12), ownLag: lag(2) };
  const { intent, monsterCommand } = recorded.operations;
  const { generator } = fluxFiguresOf(
    measurementsOf({
      operations: { intent: { ...intent, ...parted }, monsterCommand: { ...monsterCommand, ...parted } },
    }),
  );
  expect(generator).toMatchObject({ lagP99Ms: 12, ownLagP99Ms: 2, pushbackMeanMs: 10 });
});

test('waiting, stalls and noise are shares of the time, or of the host', () => {
  expect(figures.generator.stalledPercent).toBeCloseTo(0.3, 1);
  expect(figures.generator.waitedPercent).toBeCloseTo(2, 0);
  expect(figures.world.waitedPercent).toBeCloseTo(3, 0);
  // Two servers with a hundred flushes a second each, of 2.16875 ms on average, each in the middle of its bucket.
  expect(figures.database.writersBusyPercent).toBeCloseTo(21.6875, 6);
  expect(figures.host.foreignCpuPercent).toBeCloseTo(1, 0);
  expect(figures.host.cpuPressurePercent).toBeCloseTo(20, 0);
  expect(figures.host.canaryDriftPercent).toBeCloseTo(1, 6);
  expect(
    fluxFiguresOf(measurementsOf({ canary: { beforeMs: 20, afterMs: 18 } }), scenarioOf()).host,
  ).toMatchObject({
    canaryDriftPercent: 10,
  });
});

test('a declared histogram without observations is 0; one that did not grow has no percentile', () => {
  const p95 = budget({ id: 'took', metric: 'target.metrics.took', stat: 'p95' });
  const of = (counts: { readonly bounds: readonly number[]; readonly counts: readonly number[] }) =>
    fluxFiguresOf(measurementsOf({ histograms: { took: counts } }), scenarioOf({ budgets: [p95] })).target
      .metrics.took;
  expect(of({ bounds: [], counts: [0] })).toMatchObject({ p95: 0, count: 0 });
  expect(of({ bounds: [1], counts: [0, 0] })).toMatchObject({ p95: null, count: 0 });
});

const lines = (metrics: ReturnType<typeof metricsOf>): string[] =>
  [...metrics]
    .map(
      ([path, { unit, stats, stages }]) => `${path} ${unit} ${stats === null ? '-' : stats.join()} ${stages}`,
    )
    .sort();

test('the metrics of the flux world, with units and statistics, have not changed', () => {
  const known = readFileSync(join(import.meta.dirname, '../fixtures/flux-metrics.txt'), 'utf8');
  expect(lines(metricsOf(OPERATIONS, fluxFigures))).toEqual(known.trim().split('\n'));
});

test('a system without figures of its own has those of every system, for its operations', () => {
  const [intent] = OPERATIONS;
  const roll = { ...intent!, id: 'roll', plural: 'rolls' };
  const metrics = metricsOf([roll]);
  expect(metrics.get('throughput.rollsPerSecond')).toEqual({ unit: 'ops/s', stats: null, stages: 'too' });
  expect(metrics.get('latency.roll.due')).toMatchObject({ unit: 'ms', stages: 'too' });
  for (const path of ['latency.intent.due', 'throughput.batchesPerSecond', 'world.responseMs'])
    expect(metrics.has(path)).toBe(false);
  const operations = { roll: recorded.operations.intent };
  const plain = figuresOf(
    measurementsOf({ operations, deliveries: DELIVERIES }),
    scenarioOf({ operations: [roll] }),
  );
  expect(Object.keys(plain.latency)).toEqual(['roll']);
  expect(plain.database).not.toHaveProperty('writersBusyPercent');
  // Every metric has its figure at its path.
  for (const [path, { stats, stages }] of metrics) {
    const at = path.split('.').reduce<unknown>((value, key) => Reflect.get(Object(value), key), plain);
    if (stages !== 'only') expect(stats === null ? at : Object.keys(Object(at)), path).not.toBeUndefined();
  }
});

test('a section of a system is in its figures, its metrics and the schema of its reports', () => {
  const dice = z.object({ sixesPercent: figure('%') });
  const own = { sections: { dice }, of: () => ({ dice: { sixesPercent: 17 } }) };
  expect(metricsOf([], own).get('dice.sixesPercent')).toEqual({
    ...{ unit: '%', stats: null, stages: 'no', ofSystem: true },
  });
  expect(figuresOf(recorded, scenarioOf(), own)).toMatchObject({ dice: { sixesPercent: 17 } });
  const schema = figuresSchemaOf([{ scenario: { operations: OPERATIONS }, figures: own }]);
  expect(schema.safeParse(figures).success).toBe(true);
  expect(schema.safeParse({ ...figures, dice: { sixesPercent: 'many' } }).success).toBe(false);
});
