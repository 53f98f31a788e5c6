import { readTrial, type Trial } from '../../src/compare/trial.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';

const recorded = reportFrom(measurementsOf(), scenarioOf());
const mean = (value: number) => ({ mean: value, min: value, max: value });

/** report.json of a run with round figures: 1,000 players, 500 operations/s. */
export const reported = (over: object = {}) => ({
  ...recorded,
  ...{ scenario: 'my-world', outcome: 'pass', exitCode: 0 },
  load: {
    ...recorded.load,
    ...{ requestedCcu: 1000 },
    operations: {
      intent: { ...recorded.load.operations.intent, scheduled: 20_100, idle: 100, ok: 19_700, rejected: 200 },
      monsterCommand: { ...recorded.load.operations.monsterCommand, scheduled: 0, ok: 0, rejected: 0 },
    },
  },
  throughput: { ...recorded.throughput, operationsPerSecond: 500 },
  world: {
    ...recorded.world,
    ...{ servers: 2, cpuPercentTotal: mean(10), memoryTotalBytes: mean(2e8) },
  },
  database: {
    ...recorded.database,
    ...{ cpuCores: mean(0.05), memoryBytes: mean(1e8), rowWritesPerSecond: 1000 },
  },
  network: { ...recorded.network, bytesPerSecond: 250_000 },
  ...over,
});

let minute = 0;

/** A trial of such a run, each begun at another time. */
export const trial = (over: object = {}, name = 'a/report.json'): Trial => {
  minute++;
  const startedAt = new Date(Date.UTC(2026, 10, 30, 0, minute)).toISOString();
  return readTrial(JSON.stringify({ ...reported(), startedAt, ...over }), name);
};

/** Trials with these figures; what is not named is as it is in `reported`. */
export const trialsOf = (
  metric: string,
  values: readonly number[],
  others: Readonly<Record<string, number>> = {},
): readonly Trial[] =>
  values.map((value) => {
    const one = trial();
    return { ...one, metrics: { ...one.metrics, ...others, [metric]: value } };
  });
