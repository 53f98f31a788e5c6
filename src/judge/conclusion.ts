import { EXIT, type ExitCode } from '../errors.ts';
import type { Proof } from './proof.ts';
import { because, type JudgedRule, sentence } from './rules/rule.ts';
import type { Ruling } from './ruling.ts';

/** What rules and rulings say together. */
export interface Conclusion {
  /** By a budget, or by what the load did not hold, whatever disturbed the run. */
  readonly breached: boolean;
  readonly breachedBecause: readonly string[];
  readonly dataLost: boolean;
  readonly invalidBecause: readonly string[];
  /** The rulings that stand: of a run that failed, what a disturbance may explain is not judged. */
  readonly rulings: readonly Ruling[];
  /** What is to be known beside a verdict that it cannot change. */
  readonly notes: readonly string[];
}

/** What of a run stands beside its rules and rulings. */
export interface Beside {
  /** It was given up because too much was missed: why. Null: it was not. */
  readonly stopped: string | null;
  /** Why its ending leaves nothing to conclude from. */
  readonly invalidBecause: readonly string[];
  /** It had an end that something can be concluded from. */
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
    // A breach that no disturbance explains stands, and needs no proof of what was met.
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
    invalidBecause.push('no budget was met, and none breached: there is nothing to conclude from');
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

/** A breach that the disturbance may explain is none that was found. */
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

/** One sentence for whoever reads no more: what the run has shown, what it has not, and why. */
export function headlineOf(
  exitCode: ExitCode,
  concluded: Pick<Conclusion, 'rulings' | 'invalidBecause' | 'breachedBecause'>,
  proof: Proof,
): string {
  const { rulings, invalidBecause, breachedBecause } = concluded;
  const count = (state: string): number => rulings.filter((ruling) => ruling.state === state).length;
  const [met, breached, unmeasured] = [count('met'), count('breached'), count('unmeasured')];
  switch (exitCode) {
    case EXIT.pass: {
      const open = unmeasured === 0 ? '' : `, ${unmeasured} could not be measured`;
      const all =
        met === 1 ? 'the one budget that was judged is' : `all ${met} of the budgets that were judged are`;
      return `holds: ${all} met${open}`;
    }
    case EXIT.breached: {
      const worst = proof.shares.toSorted((a, b) => carriedOf(a) - carriedOf(b))[0];
      const budgets = `${breached} of ${breached + met} budgets breached`;
      const parts = [
        worst === undefined ? budgets : shareText(worst),
        ...(worst === undefined || breached === 0 ? [] : [budgets]),
        ...notJudged(proof),
      ];
      return parts.join('; ');
    }
    case EXIT.dataLost:
      return `acknowledged data was lost: ${breachedBecause[0] ?? ''}`;
    default:
      return `no conclusion: ${invalidBecause[0] ?? 'see the rules of the run'}`;
  }
}

const carriedOf = ({ share }: JudgedRule): number => share?.carried ?? 100;

/** By rule: what it shows, and what of the share was done. */
const CARRIED: Readonly<Record<string, readonly [shows: string, done: string]>> = {
  answered: ['overloaded or failing', 'answered'],
  rejected: ['refusing', 'accepted'],
  'load-sustained': ['overloaded', 'could be sent in time'],
};

function shareText(rule: JudgedRule): string {
  const [name = '', , stage] = rule.id.split('.');
  const percent = carriedOf(rule);
  const told = percent > 99 && percent < 100 ? percent.toFixed(2) : Number(percent.toPrecision(3)).toString();
  const where = stage === undefined ? '' : ` in the stage ${stage}`;
  const of = `${told}% of the ${rule.share?.of ?? ''}`;
  const words = CARRIED[name];
  if (words === undefined) return `${of} were connected (${rule.id})`;
  return `${words[0]}: ${of} ${words[1]}${where}, at least ${leastOf(rule)}% have to be`;
}

const leastOf = ({ share }: JudgedRule): number => Number((share?.least ?? 100).toFixed(3));

/** What a disturbance leaves unsaid of a run that failed all the same. */
function notJudged({ disturbed, latencyJudged }: Proof): string[] {
  if (latencyJudged) return [];
  const told = disturbed.map(({ id, observed, limit }) =>
    typeof observed === 'number' ? `${id} is ${Number(observed.toPrecision(4))} (limit ${limit})` : id,
  );
  return [`latency not judged, because ${told.join(' and ')}`];
}
