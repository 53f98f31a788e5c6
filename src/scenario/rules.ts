/**
 * The limits of the run rules where a scenario names none. What each rule checks, and why: judge/README.md; units and
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

/** The limits of the run rules; each may be relaxed by a scenario, and the report prints what was. */
export interface RuleLimits extends Readonly<typeof DEFAULT_RULES> {
  /**
   * Share of the operations that the game itself refuses, in percent, as far as the scenario declares one
   * (rejections.ts).
   */
  readonly rejectedPercent?: number | Readonly<Record<string, number | undefined>> | undefined;
}

/** The generator's own ceiling, before the run: seconds (0 leaves it out), and times the target rate. */
export const DEFAULT_CALIBRATION = { seconds: 2, factor: 1.5 };
