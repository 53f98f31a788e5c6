import type { RuleLimits } from './scenario.ts';

/** The run rules' limits where a scenario names none; one that is easier to keep is a relaxed rule. */
export const DEFAULT_RULES: RuleLimits = {
  sentPercent: 99,
  generatorLoopDelayMs: 100,
  generatorUtilisationPercent: 90,
};
