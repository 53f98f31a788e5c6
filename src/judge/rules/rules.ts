import { agreementRules } from './agreement.ts';
import { budgetsMeasured } from './budgets.ts';
import { generatorRules } from './generator.ts';
import { integrityRules } from './integrity.ts';
import { loadRules } from './load.ts';
import { noiseRules } from './noise.ts';
import type { Evidence, JudgedRule } from './rule.ts';
import { sampleRules } from './samples.ts';
import { steadinessRules } from './steadiness.ts';

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
