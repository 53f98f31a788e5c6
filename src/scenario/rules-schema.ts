import { z } from 'zod';
import { map, quantity, whole } from './leaf.ts';
import type { OperationSpec } from './operations.ts';
import { DEFAULT_CALIBRATION, DEFAULT_RULES } from './rules.ts';

export const calibrationSchema = map({
  seconds: quantity(0, 60)
    .default(DEFAULT_CALIBRATION.seconds)
    .describe('Against a world that does nothing, before the run; 0 leaves it out'),
  factor: quantity(1, 10).default(DEFAULT_CALIBRATION.factor).describe('Times the target rate'),
});

/** One share for all operations, or one for each. */
const rejectedPercent = (operations: readonly OperationSpec[]) =>
  z
    .union(
      [
        quantity(0, 100),
        map(Object.fromEntries(operations.map(({ id }) => [id, quantity(0, 100).optional()]))),
      ],
      {
        error: `a percentage of 0 to 100, or one for each operation: { ${operations.map(({ id }) => `${id}: 5`).join(', ')} }`,
      },
    )
    .optional()
    .describe('Share of the operations that the game itself refuses; more is a breach. Not declared: 1');

const percent = (of: Exclude<keyof typeof DEFAULT_RULES, 'rejectedPercent'>, why: string, most = 100) =>
  quantity(0, most, 'a percentage')
    .default(DEFAULT_RULES[of] ?? 0)
    .describe(why);

export const rulesSchema = (operations: readonly OperationSpec[]) =>
  map({
    sentPercent: percent(
      'sentPercent',
      'Below this share of the scheduled operations sent, the load was not sustained',
    ),
    rejectedPercent: rejectedPercent(operations),
    steadyThroughputPercent: percent(
      'steadyThroughputPercent',
      'Throughput may have another level at the end than at the beginning, by so much of the lower one',
      1000,
    ),
    steadyP95Percent: percent('steadyP95Percent', 'And so may p95', 1000),
    confidencePercent: quantity(0, 99.99, 'a percentage')
      .default(DEFAULT_RULES.confidencePercent)
      .describe('With which a percentile must be met; 0 leaves the sample size unjudged'),
    generatorLoopDelayMs: quantity(1, 60_000, 'milliseconds')
      .default(DEFAULT_RULES.generatorLoopDelayMs)
      .describe('A load generator blocked for longer is not healthy'),
    generatorStalledPercent: percent('generatorStalledPercent', 'Nor is one late for more of the time'),
    generatorUtilisationPercent: quantity(1, 100, 'a percentage')
      .default(DEFAULT_RULES.generatorUtilisationPercent)
      .describe('Nor is one that is busier'),
    generatorLagMs: quantity(0, 60_000, 'milliseconds')
      .nullable()
      .default(DEFAULT_RULES.generatorLagMs)
      .describe(
        'Nor one whose own lag has a higher p99. Default: a tenth of the tightest p95 budget, 5 at least',
      ),
    calibrationPercent: percent(
      'calibrationPercent',
      'Of the schedule kept against a world that does nothing',
    ),
    stealMeanPercent: percent('stealMeanPercent', 'CPU that the hypervisor took, on average'),
    stealMaxPercent: percent('stealMaxPercent', 'and in any second'),
    throttledPeriods: whole(0, 1_000_000)
      .default(DEFAULT_RULES.throttledPeriods)
      .describe("Of the generator's control group"),
    memoryPressurePercent: percent(
      'memoryPressurePercent',
      'Of the time in which everything waited for memory',
    ),
    cpuPressurePercent: percent(
      'cpuPressurePercent',
      "Of the time in which something waited for the generator's CPU",
    ),
    foreignCpuPercent: percent('foreignCpuPercent', 'Of the host, used by processes that are not of the run'),
    canaryDriftPercent: percent('canaryDriftPercent', 'Between before and after the run', 100_000),
    clockDriftMs: quantity(0, 3_600_000, 'milliseconds')
      .default(DEFAULT_RULES.clockDriftMs)
      .describe('Wall clock against monotonic clock'),
  });
