import type { RulingState } from '../judge/ruling.ts';
import type { Proof } from '../scenario/claims.ts';
import { type ClaimFinding, type ClaimRun, isAltered, isConclusive } from './claim-findings.ts';
import { NOTHING, numberText } from './quantity.ts';
import { scaleText, timeText } from './report-text.ts';
import { limitText, observedText } from './ruling-text.ts';

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

/** The figure of the run that decided; `–` where there is none. */
export const foundText = ({ ruling }: ClaimFinding): string =>
  ruling === null ? NOTHING : observedText(ruling);

/** What was judged instead of the claim's own words; empty where it was the same. */
export function judgedText(finding: ClaimFinding): string {
  const { ruling, claim } = finding;
  if (ruling === null || ruling.observed === null) return '';
  const limit = `${claim.quantity} ${limitText(ruling)}`;
  if (limit === promiseText(finding) && ruling.title === claim.quantity) return '';
  return `judged as: ${ruling.title} ${limitText(ruling)}`;
}

/** `mud-small, 2026-11-30 16:02:11 UTC`, and whether it was altered; empty without a run. */
export const runText = ({ run }: Pick<ClaimFinding, 'run'>): string =>
  run === null ? '' : `${run.scenario}, ${timeText(run.startedAt)}${isAltered(run) ? ', altered' : ''}`;

export const machineText = ({ host: { cpuModel, cpus } }: ClaimRun): string =>
  `${cpuModel}, ${numberText(cpus)} cores`;

/** `pass (0)`, and of a run without a conclusion that it rules nothing. */
export const outcomeText = (run: ClaimRun): string =>
  `${run.outcome} (${run.exitCode})${isConclusive(run) ? '' : ': rules nothing'}`;

/** What was run instead of what the scenario's file says; empty where it was that. */
export const alterationText = (run: ClaimRun): string => (isAltered(run) ? scaleText(run) : '');

/** `in no scenario: MSL-001, MSL-002`; empty where each id of a run is named by one. */
export const inNoScenarioText = (ids: readonly string[]): string =>
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
