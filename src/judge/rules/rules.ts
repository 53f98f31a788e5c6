import { isRequired } from '../../scenario/budget.ts';
import type { Ruling } from '../ruling.ts';
import { WHY } from '../unmeasured.ts';
import { agreementRules } from './agreement.ts';
import { deliveryRules } from './deliveries.ts';
import { generatorRules } from './generator.ts';
import { integrityRules } from './integrity.ts';
import { loadRules } from './load.ts';
import { noiseRules } from './noise.ts';
import { type Evidence, fixed, type JudgedRule, stateOf } from './rule.ts';
import { sampleRules } from './samples.ts';
import { steadinessRules } from './steadiness.ts';

/** All rules of a run, in the order in which they are read. */
export function rulesOf(evidence: Evidence): readonly JudgedRule[] {
  const load = loadRules(evidence);
  const generator = generatorRules(evidence);
  const { m, rulings } = evidence;
  const ended = m.ending.state === 'completed' || m.ending.state === 'stoppedEarly';
  const rules = [
    // First, because the reader's own budgets matter most.
    budgetsMeasured(rulings, ended && m.measured !== null),
    ...load,
    ...deliveryRules(evidence),
    // Before the rules on its effects.
    ...noiseRules(evidence),
    ...generator,
    ...steadinessRules(evidence, isOverloaded(evidence, load)),
    ...sampleRules(evidence),
    ...integrityRules(evidence),
    ...agreementRules(evidence),
  ];
  return m.summaries === undefined ? rules : rules.map(withoutRecording);
}

/** Rules of what only a run of capbench records: seconds, windows, probes, the machine, the rows. */
const OF_RECORDING =
  /^(steady|samples|probes|metrics|steal|memory|cpu|foreign|generator-(?!lag)|throttled$|canary$|clock$|integrity|row-writes|server-counts|counters)/;

/** Summaries of k6 have no data for these rules. */
const withoutRecording = (rule: JudgedRule): JudgedRule =>
  OF_RECORDING.test(rule.id)
    ? { ...rule, state: 'not-applicable', observed: WHY.notInSummary, relaxed: false, consequence: 'note' }
    : rule;

/** Which rules were not checked for that reason, in one note. */
export function notChecked(rules: readonly JudgedRule[]): readonly string[] {
  const names = rules.filter(({ observed }) => observed === WHY.notInSummary).map(({ id }) => id);
  return names.length === 0 ? [] : [`not checked, since ${WHY.notInSummary}: ${names.join(', ')}`];
}

/** The load was not carried. The queue of such a run grows, so that it is never steady. */
const isOverloaded = ({ m }: Evidence, load: readonly JudgedRule[]): boolean =>
  m.ending.state === 'stoppedEarly' ||
  load.some(({ state, consequence }) => state === 'broken' && consequence === 'breached');

/** Only so many budgets are named with their reasons. */
const NAMED = 5;

/**
 * The user's own budget does not count as passed where this run could have measured it and has no figure.
 *
 * @param ranOn the run had an end that something can be concluded from, and a measure phase
 */
function budgetsMeasured(rulings: readonly Ruling[], ranOn: boolean): JudgedRule {
  const required = rulings.filter(({ budget }) => isRequired(budget));
  const dead = required.filter(({ cause }) => cause === 'run');
  const named = dead.slice(0, NAMED).map(({ budget: { id }, reason }) => `${id} (${reason})`);
  const rest = dead.length - named.length;
  return {
    id: 'budgets-measured',
    state: stateOf(ranOn && required.length > 0, dead.length === 0),
    observed:
      required.length === 0
        ? 'no budget of your own'
        : !ranOn
          ? 'never measured'
          : dead.length === 0
            ? required.length
            : `no figure for ${[...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')}`,
    ...fixed('a figure for each budget of your own'),
    advice:
      'give the run what is missing, correct the name, or write "optional: true" in the budget; `capbench check` with the same options shows what each needs',
    consequence: 'invalid',
  };
}
