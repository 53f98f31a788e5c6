import type { RulingState } from '../judge/ruling.ts';
import type { Proof } from '../scenario/claims.ts';
import {
  type ClaimFinding,
  type ClaimRun,
  type DocumentFindings,
  type Gap,
  isAltered,
  isCounted,
  standingOf,
} from './claim-findings.ts';
import { NOTHING, numberText } from './quantity.ts';
import { scaleText, timeText } from './report-text.ts';
import { limitText, marginText, observedText } from './ruling-text.ts';

/** The states in the order of the columns of counts. */
export const COUNTED: readonly RulingState[] = [
  'met',
  'breached',
  'contradicted',
  'unmeasured',
  'untestable',
];

/** `player intents = 20,000 intents/s`: as the document has it. */
export const promiseText = ({ claim: { quantity, operator, value, unit } }: ClaimFinding): string =>
  `${quantity} ${limitText({ op: operator, limit: typeof value === 'object' ? [value[0], value[1]] : value, unit })}`;

/** `at 20K CCU; Expected Load, line 470`. */
export const placeText = ({ claim: { condition, source } }: ClaimFinding): string =>
  [...(condition === null ? [] : [condition]), `“${source.heading}”, line ${source.line}`].join('; ');

/**
 * `17 ms, 15% below the limit`: the figure of the run that decided; `–` where there is none. Of what is unmeasured no margin, which
 * would say that it is met, or breached.
 */
export function foundText({ ruling }: Pick<ClaimFinding, 'ruling'>): string {
  if (ruling === null) return NOTHING;
  const margin = ruling.state === 'unmeasured' ? '' : marginText(ruling);
  return `${observedText(ruling)}${margin === '' ? '' : `, ${margin}`}`;
}

/** What was judged instead of the claim's own words; empty where it was the same. */
export function judgedText(finding: ClaimFinding): string {
  const { ruling, claim } = finding;
  if (ruling === null || ruling.observed === null) return '';
  const limit = `${claim.quantity} ${limitText(ruling)}`;
  if (limit === promiseText(finding) && ruling.title === claim.quantity) return '';
  return `judged as: ${ruling.title} ${limitText(ruling)}`;
}

/** `met in realm-10 (17 ms, 15% below the limit)`: what other runs say, where it is something else; empty where none does. */
export const othersText = ({ others }: ClaimFinding): string =>
  others
    .map(({ state, scenario, ruling }) =>
      ruling === null || ruling.observed === null
        ? `${state} in ${scenario}`
        : `${state} in ${scenario} (${foundText({ ruling })})`,
    )
    .map((text, i) => (i === 0 ? `but ${text}` : text))
    .join('; ');

/** `mud-small, 2026-11-30 16:02:11 UTC`, and whether it was altered; empty without a run. */
export const runText = ({ run }: Pick<ClaimFinding, 'run'>): string =>
  run === null ? '' : `${run.scenario}, ${timeText(run.startedAt)}${isAltered(run) ? ', altered' : ''}`;

export const machineText = ({ host: { cpuModel, cpus } }: ClaimRun): string =>
  `${cpuModel}, ${numberText(cpus)} cores`;

/** `pass (0)` */
export const outcomeText = ({ outcome, exitCode }: ClaimRun): string => `${outcome} (${exitCode})`;

/** `rules nothing: no conclusion`; empty of a run that counts. `runs` as `newestRuns` gave them. */
export const standingText = (run: ClaimRun, runs: readonly ClaimRun[]): string =>
  isCounted(run, runs) ? '' : `rules nothing: ${standingOf(run) ?? 'another load'}`;

/** What was run instead of what the scenario's file says; empty where it was that. */
export const alterationText = (run: ClaimRun): string => (isAltered(run) ? scaleText(run) : '');

/** What is left to do of a document: a text for each thing. */
export const leftTexts = (of: DocumentFindings): readonly string[] =>
  [gapsText(of), inNoScenarioText(of)].filter((text) => text !== '');

/** `87 unmeasured: 62 in no scenario, 25 in scenarios that were never run`; empty where none is unmeasured. */
const gapsText = ({ counts, gaps }: DocumentFindings): string =>
  counts.unmeasured === 0
    ? ''
    : `${counts.unmeasured} unmeasured: ${[...gaps].map(([gap, count]) => `${count} ${GAP_TEXTS[gap]}`).join(', ')}`;

const GAP_TEXTS: Readonly<Record<Gap, string>> = {
  'in no scenario': 'in no scenario',
  'never run': 'in scenarios that were never run',
  'no conclusion': 'in runs without a conclusion',
  'another stack': 'in runs of another stack',
  // Also where there is one, but of another load than the claim is about.
  'no figure': 'that their runs could not rule',
};

/** `in no scenario: MSL-001, MSL-002`; empty where each id of a run is named by one. */
const inNoScenarioText = ({ inNoScenario: ids }: DocumentFindings): string =>
  ids.length === 0 ? '' : `in no scenario, of those that a run would have to rule: ${ids.join(', ')}`;

const PROOFS: Readonly<Record<Proof, string>> = {
  measure: 'measure: a run under load',
  chaos: 'chaos: a run with faults',
  inspect: 'inspect: the settings',
  compute: 'compute: arithmetic',
  external: 'external: facts from elsewhere',
  none: 'none: a procedure',
};

/** How a claim is proved, with the word that claims.json has for it. */
export const proofText = (proof: Proof): string => PROOFS[proof];
