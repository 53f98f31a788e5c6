import { DEFAULT_RULES } from '../../scenario/rules.ts';
import type { RuleLimits } from '../../scenario/scenario.ts';
import type { JudgedRule, Rule, RuleState } from './rule.ts';

/** With the stage, where that sets it for itself. */
export type Limit = Pick<JudgedRule, 'limit' | 'defaultLimit' | 'relaxed' | 'stage'>;
/** One that is a number. */
export type NumericLimit = Limit & { readonly limit: number };
/** The limits that are a number of their own. */
export type LimitName = Exclude<keyof RuleLimits, 'generatorLagMs' | 'rejectedPercent'>;

/** Where more is harder to keep, a lower limit is the easier one. */
const FLOORS: ReadonlySet<LimitName> = new Set(['sentPercent', 'confidencePercent', 'calibrationPercent']);

/** The scenario's limit beside the default. One that is stricter than the default relaxes nothing. */
export function limitOf(limits: RuleLimits, name: LimitName): NumericLimit {
  const [limit, defaultLimit] = [limits[name], DEFAULT_RULES[name]];
  return { limit, defaultLimit, relaxed: FLOORS.has(name) ? limit < defaultLimit : limit > defaultLimit };
}

/** A limit that no scenario changes. */
export const fixed = (limit: Rule['limit']): Limit => ({ limit, defaultLimit: limit, relaxed: false });

export const stateOf = (applicable: boolean, held: boolean): RuleState =>
  applicable ? (held ? 'held' : 'broken') : 'not-applicable';
