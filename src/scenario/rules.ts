/** The run rules' limits where a scenario names none; one that is easier to keep is a relaxed rule. */
export const DEFAULT_RULES = {
  /** R4: below this share of the scheduled operations sent, the load was not sustained. */
  sentPercent: 99,
  /** R5: the levels at the beginning and at the end may differ by so much of the lower one (judge/mser.ts), in percent. */
  steadyThroughputPercent: 3,
  steadyP95Percent: 25,
  /** R6: with which confidence a percentile's budget must be met, in percent; 0 leaves the sample size unjudged. */
  confidencePercent: 99,
  /** G: a generator process whose event loop was blocked for longer than this is not healthy. */
  generatorLoopDelayMs: 100,
  /** G: nor is one whose loop was late for this share of the time (beyond 10 ms a turn). */
  generatorStalledPercent: 5,
  /** G: nor is one busier than this, as event-loop utilisation. */
  generatorUtilisationPercent: 90,
  /** G: p99 of the lag that the generator itself caused; null: 10% of the tightest p95 budget, and at least 5 ms. */
  generatorLagMs: null as number | null,
  /** G: share of the calibration's schedule that the generator must keep against servers that do nothing. */
  calibrationPercent: 99,
  /** N: of the host's CPU time, over the measure phase and in any second of it. */
  stealMeanPercent: 2,
  stealMaxPercent: 10,
  /** N: periods in which the generator's own control group was throttled. */
  throttledPeriods: 0,
  /** N: PSI memory, `full`, of the time. */
  memoryPressurePercent: 1,
  /** N: PSI cpu, `some`, of the time; judged where the generator has a host of its own. */
  cpuPressurePercent: 10,
  /** N: CPU of processes that are not of the run, of the host. */
  foreignCpuPercent: 5,
  /** N: the same piece of work before and after the run. */
  canaryDriftPercent: 5,
  /** N: wall clock minus monotonic clock, over the run. */
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
