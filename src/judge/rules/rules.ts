import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Ruling } from '../ruling.ts';
import { agreementRules } from './agreement.ts';
import { budgetsMeasured } from './budgets.ts';
import { generatorRules } from './generator.ts';
import { integrityRules } from './integrity.ts';
import { loadRules } from './load.ts';
import { noiseRules } from './noise.ts';
import { sampleRules } from './samples.ts';
import { steadinessRules } from './steadiness.ts';

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
  readonly share?: { readonly carried: number; readonly least: number };
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

/** All rules of a run, in the order in which they are read. */
export function rulesOf(evidence: Evidence): readonly JudgedRule[] {
  const load = loadRules(evidence);
  const generator = generatorRules(evidence);
  const { m, rulings } = evidence;
  const ended = m.ending.state === 'completed' || m.ending.state === 'stoppedEarly';
  return [
    // First: what was to be gated is what the reader asked for.
    budgetsMeasured(rulings, ended && m.measured !== null),
    ...load,
    // Before what it may have caused.
    ...noiseRules(evidence),
    ...generator,
    ...steadinessRules(evidence, isOverloaded(evidence, load)),
    ...sampleRules(evidence),
    ...integrityRules(evidence),
    ...agreementRules(evidence),
  ];
}

/** The load was not carried: the queue of such a run grows, it is never steady. */
const isOverloaded = ({ m }: Evidence, load: readonly JudgedRule[]): boolean =>
  m.ending.state === 'stoppedEarly' ||
  load.some(({ state, consequence }) => state === 'broken' && consequence === 'breached');
