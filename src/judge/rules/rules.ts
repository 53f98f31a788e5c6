import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Ruling } from '../ruling.ts';
import { generatorIsHealthy, generatorRules } from './generator.ts';
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
 * - `no-pass`: what was met is not proven; what was breached is breached all the same.
 * - `breached-if-healthy`: the load was not sustained; with a generator that is not healthy, no conclusion.
 * - `data-lost`: graver than all that.
 * - `ending`: the ending of the run speaks for itself.
 * - `note`: told, and decides nothing.
 */
export type Consequence = 'invalid' | 'no-pass' | 'breached-if-healthy' | 'data-lost' | 'ending' | 'note';

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
  return [
    ...load,
    // Before what it may have caused.
    ...noiseRules(evidence),
    ...generator,
    ...steadinessRules(evidence, isOverloaded(evidence, load, generator)),
    ...sampleRules(evidence),
    ...integrityRules(evidence),
  ];
}

/** The load was not sustained, and not for want of a generator: the queue of such a run grows, it is never steady. */
function isOverloaded({ m }: Evidence, load: readonly JudgedRule[], generator: readonly Rule[]): boolean {
  const unsustained = load.some(
    ({ state, consequence }) => state === 'broken' && consequence === 'breached-if-healthy',
  );
  return generatorIsHealthy(generator) && (unsustained || m.ending.state === 'stoppedEarly');
}
