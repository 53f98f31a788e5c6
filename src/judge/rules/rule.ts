import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import type { RuleLimits } from '../../scenario/rules.ts';
import { DEFAULT_RULES } from '../../scenario/rules.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Ruling } from '../ruling.ts';

export type RuleState = 'held' | 'broken' | 'not-applicable';

/**
 * What a broken rule means for the verdict.
 *
 * - `invalid`: no conclusion.
 * - `disturbed`: no conclusion, unless a breach is larger than the disturbance explains (proof.ts).
 * - `no-pass`: what was met is not proven; what was breached is breached all the same.
 * - `breached`: the world did not carry the load; no conclusion where a disturbance explains it.
 * - `data-lost`: graver than all that.
 * - `ending`: the ending of the run speaks for itself.
 * - `note`: reported, and decides nothing.
 * - `none`: kept for those who read it; decides nothing, and is said nowhere else.
 */
export type Consequence =
  | 'invalid'
  | 'disturbed'
  | 'no-pass'
  | 'breached'
  | 'data-lost'
  | 'ending'
  | 'note'
  | 'none';

/** One rule of the run, as it was kept. */
export interface Rule {
  readonly id: string;
  readonly state: RuleState;
  /** Where the rule was not applicable: why. */
  readonly observed: number | string | null;
  readonly limit: number | string | null;
  /** What the limit is where a scenario names none. */
  readonly defaultLimit: number | string | null;
  /** The scenario's limit is easier to keep than the default. */
  readonly relaxed: boolean;
  /** What to do when it is broken. */
  readonly advice: string;
}

export interface JudgedRule extends Rule {
  readonly consequence: Consequence;
  /** Of a rule whose consequence is `breached`: the share of the load that was carried, and the least that has to be; percent. */
  readonly share?: {
    readonly carried: number;
    readonly least: number;
    /** What it is a share of, in a sentence: `players that were asked for`. */
    readonly of: string;
  };
  /** The stage that sets the limit for itself. */
  readonly stage?: string;
}

/** What the rules look at. */
export interface Evidence {
  readonly m: Measurements;
  readonly s: Scenario;
  readonly figures: Figures;
  readonly rulings: readonly Ruling[];
}

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
