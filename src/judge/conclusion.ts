import { EXIT, type ExitCode } from '../errors.ts';
import { counted } from '../units.ts';
import type { Proof } from './proof.ts';
import {
  because,
  finding,
  glossedFinding,
  isOfRule,
  type JudgedRule,
  observedAndLimit,
  sentence,
} from './rules/rule.ts';
import type { Ruling } from './ruling.ts';

/** What follows from rules and rulings together. */
export interface Conclusion {
  /** A budget, or a rule of the load, was breached, and no disturbance explains it. */
  readonly breached: boolean;
  readonly breachedBecause: readonly string[];
  readonly dataLost: boolean;
  readonly invalidBecause: readonly string[];
  /** The rulings that stand. Where a run failed, a breach that a disturbance may explain is not judged. */
  readonly rulings: readonly Ruling[];
  /** What the reader should know although it does not change the verdict. */
  readonly notes: readonly string[];
}

/** How the run ended. */
export interface Beside {
  /** Why it was stopped early: too much of the load was missed. Null where it was not. */
  readonly stopped: string | null;
  /** Why this ending allows no conclusion. */
  readonly invalidBecause: readonly string[];
  /** The ending allows a conclusion. */
  readonly ranOn: boolean;
}

export function conclude(
  rules: readonly JudgedRule[],
  rulings: readonly Ruling[],
  proof: Proof,
  beside: Beside,
): Conclusion {
  const broken = rules.filter(({ state }) => state === 'broken');
  const of = (wanted: JudgedRule['consequence']): JudgedRule[] =>
    broken.filter(({ consequence }) => consequence === wanted);
  const isProven = proof.undisturbed || proof.shares.length + proof.rulings.size > 0;
  const unproven = of('breached').filter((rule) => !proof.shares.includes(rule));
  const disturbance = because(proof.disturbed);
  const breachedBecause = [
    ...(beside.stopped !== null && isProven ? [beside.stopped] : []),
    ...of('data-lost').map(sentence),
    ...proof.shares.map(sentence),
  ];
  const breached = breachedBecause.length + proof.rulings.size > 0;
  const noPass = of('no-pass').map(sentence);
  const invalidBecause = [
    ...of('invalid').map(sentence),
    ...beside.invalidBecause,
    // A breach that no disturbance explains stands, whether or not what was met is proven.
    ...(breached
      ? []
      : [
          ...disturbance,
          ...(beside.stopped === null ? [] : [`${beside.stopped}; and the run was disturbed`]),
          ...unproven.map(sentence),
          ...noPass,
        ]),
  ];
  if (beside.ranOn && !breached && !rulings.some(({ state }) => state === 'met' || state === 'breached')) {
    invalidBecause.push('no budget was met or breached: there is nothing to conclude from');
  }
  return {
    ...{ breached, breachedBecause, invalidBecause },
    rulings: breached && proof.disturbed.length > 0 ? rulings.map(judgedIn(proof)) : rulings,
    dataLost: of('data-lost').length > 0,
    notes: [
      ...of('note').map(sentence),
      ...(breached ? [...disturbance, ...unproven.map(sentence), ...noPass] : []),
    ],
  };
}

/** A breach that the disturbance may explain is not judged. */
const judgedIn =
  ({ rulings, disturbed }: Proof) =>
  (ruling: Ruling): Ruling =>
    ruling.state !== 'breached' || rulings.has(ruling)
      ? ruling
      : {
          ...ruling,
          ...({ state: 'unmeasured', cause: 'disturbance' } as const),
          reason: `not judged, because of ${disturbed.map(({ id }) => id).join(', ')}`,
        };

/** One sentence: what the run has shown, or why it has shown nothing. The reports add what to do. */
export function headlineOf(
  exitCode: ExitCode,
  concluded: Pick<Conclusion, 'rulings' | 'invalidBecause' | 'breachedBecause'>,
  rules: readonly JudgedRule[],
  proof: Proof,
): string {
  const { rulings, invalidBecause, breachedBecause } = concluded;
  const of = (state: string): Ruling[] => rulings.filter((ruling) => ruling.state === state);
  const [met, breached, unmeasured] = [of('met'), of('breached'), of('unmeasured')];
  const judged = met.length + breached.length;
  switch (exitCode) {
    case EXIT.pass: {
      const open = unmeasured.length === 0 ? '' : `; ${unmeasured.length} could not be measured`;
      return `${met.length} of ${counted(judged, 'budget')} met${open}`;
    }
    case EXIT.breached: {
      const worst = proof.shares.toSorted((a, b) => carriedOf(a) - carriedOf(b))[0];
      const names = worst === undefined ? namesOf(breached.map(({ budget }) => budget.id)) : '';
      const budgets = `${breached.length} of ${counted(judged, 'budget')} breached${names}`;
      const parts = [
        worst === undefined ? budgets : shareText(worst),
        ...(worst === undefined || breached.length === 0 ? [] : [budgets]),
        ...notJudged(proof),
      ];
      return parts.join('; ');
    }
    case EXIT.dataLost:
      return `acknowledged data was lost: ${findingOf(breachedBecause[0], rules)}`;
    default:
      return `no conclusion: ${findingOf(invalidBecause[0], rules)}`;
  }
}

/** More budgets than this are counted, and not named. */
const NAMED = 3;

function namesOf(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const rest = ids.length - NAMED;
  return `: ${ids.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** A reason with the words of its rule in place of the advice, and with the ids of the rules that follow from it. */
function findingOf(reason = 'see the rules of the run', rules: readonly JudgedRule[] = []): string {
  const rule = rules.find((one) => one.state === 'broken' && reason.startsWith(`${finding(one)}: `));
  if (rule === undefined) return reason;
  const followers = rules.filter((one) => one !== rule && one.state === 'broken' && isOfRule(one.id, reason));
  const others = followers.length === 0 ? '' : `; with it ${followers.map(({ id }) => id).join(', ')}`;
  return `${glossedFinding(rule)}${others}`;
}

const carriedOf = ({ share }: JudgedRule): number => share?.carried ?? 100;

/** For each rule, what its breach shows and what the share of the operations is. */
const CARRIED: Readonly<Record<string, readonly [shows: string, done: string]>> = {
  answered: ['overloaded or failing', 'answered'],
  rejected: ['refusing', 'accepted'],
  'load-sustained': ['overloaded', 'sent in time'],
  'saves-reported': ['not saying what is saved', 'reported'],
  'deliveries-complete': ['losing messages', 'heard'],
};

function shareText(rule: JudgedRule): string {
  const [name = '', , stage] = rule.id.split('.');
  const percent = carriedOf(rule);
  const shown =
    percent > 99 && percent < 100 ? percent.toFixed(2) : Number(percent.toPrecision(3)).toString();
  const where = stage === undefined ? '' : ` in stage ${stage}`;
  const of = `${shown}% of the ${rule.share?.of ?? ''}`;
  const words = CARRIED[name];
  if (words === undefined) return `${of} were connected (${rule.id})`;
  return `${words[0]}: ${of} were ${words[1]}${where} (at least ${leastOf(rule)}%)`;
}

const leastOf = ({ share }: JudgedRule): number => Number((share?.least ?? 100).toFixed(3));

/** Why the latencies of a run that failed in spite of a disturbance were not judged. */
function notJudged({ disturbed, latencyJudged }: Proof): string[] {
  if (latencyJudged) return [];
  const causes = disturbed.map((rule) =>
    typeof rule.observed === 'number' ? `${rule.id} is ${observedAndLimit(rule)}` : rule.id,
  );
  return [`latency not judged, because ${causes.join(' and ')}`];
}
