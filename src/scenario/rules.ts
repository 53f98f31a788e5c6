/**
 * The default limits of the run rules. What each rule checks, and why: judge/README.md; units and
 * ranges: scenarios/README.md.
 */
export const DEFAULT_RULES = {
  sentPercent: 99,
  steadyThroughputPercent: 3,
  steadyP95Percent: 25,
  confidencePercent: 99,
  generatorLoopDelayMs: 100,
  generatorStalledPercent: 5,
  generatorUtilisationPercent: 90,
  /** Null: a tenth of the tightest p95 budget, and at least 5 ms. */
  generatorLagMs: null as number | null,
  calibrationPercent: 99,
  stealMeanPercent: 2,
  stealMaxPercent: 10,
  throttledPeriods: 0,
  memoryPressurePercent: 1,
  cpuPressurePercent: 10,
  foreignCpuPercent: 5,
  canaryDriftPercent: 5,
  clockDriftMs: 50,
};

/** The limits of the run rules. A scenario may relax each; the report shows which are relaxed. */
export interface RuleLimits extends Readonly<typeof DEFAULT_RULES> {
  /** Percentage of operations that the game itself rejects, if the scenario declares one (rejections.ts). */
  /** Percentage of deliveries that may be lost; 0 when absent, so that the hash of a scenario without it stays the same. */
  readonly lostDeliveriesPercent?: number | undefined;
  readonly rejectedPercent?: number | Readonly<Record<string, number | undefined>> | undefined;
}

/** The calibration of the generator before the run: seconds (0 skips it), and the multiple of the target rate. */
export const DEFAULT_CALIBRATION = { seconds: 2, factor: 1.5 };
