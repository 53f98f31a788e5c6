import type { Proof } from './proof.ts';
import type { JudgedRule } from './rules/rule.ts';
import { because, sentence } from './rules/sentence.ts';
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
