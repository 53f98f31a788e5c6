import type { Calibration, RuleLimits } from './scenario.ts';

/** The run rules' limits where a scenario names none; one that is easier to keep is a relaxed rule. */
export const DEFAULT_RULES: RuleLimits = {
  sentPercent: 99,
  steadyThroughputPercent: 3,
  steadyP95Percent: 25,
  confidencePercent: 99,
  generatorLoopDelayMs: 100,
  generatorStalledPercent: 5,
  generatorUtilisationPercent: 90,
  generatorLagMs: null,
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

export const DEFAULT_CALIBRATION: Calibration = { seconds: 2, factor: 1.5 };
