import type { Micros } from '../units.ts';
import { micros } from '../units.ts';
import type { Budget } from './budget.ts';
import { type Finding, found } from './finding.ts';
import { duration, list, map, quantity, word } from './leaf.ts';
import { nearest } from './nearest.ts';
import type { Path } from './problem.ts';

/** Players who leave and join again while the load goes on. */
export interface Churn {
  /** So many leave a second, and so many join. */
  readonly perSecond: number;
  /** From leaving to joining again. */
  readonly away: Micros;
}

/** A part of the measure phase with a load of its own. */
export interface Stage {
  readonly name: string;
  readonly lasting: Micros;
  /** Times the scenario's rates, of both operations. */
  readonly rate: number;
  /** In which the rate goes there, linearly, from that of the stage before. */
  readonly over: Micros;
  /** In place of the load's. */
  readonly churn?: Churn | undefined;
  /** A share of the players is cut off when the stage begins, and connects again. */
  readonly reconnect?: { readonly sharePercent: number } | undefined;
  /** In place of `rules.sentPercent`. */
  readonly sentPercent?: number | undefined;
}

/** Each keeps histograms of its own in every worker. */
const MOST_STAGES = 20;
const MOST_RATE = 100;
const MOST_CHURN = 100_000;
const SHORTEST = 100_000;

export const stageName = () =>
  word(/^[a-z][a-z0-9-]{0,31}$/, "a stage's name of lower-case letters, digits and '-'");

export const churnSchema = map({
  perSecond: quantity(0, MOST_CHURN, 'a rate per second').describe(
    'Players who leave, and join, in a second',
  ),
  away: duration('10ms', '1h').prefault('1s').describe('From leaving to joining again'),
});

const stage = map({
  name: stageName(),
  lasting: duration('100ms', '24h').describe('The sum is the measure phase'),
  rate: quantity(0, MOST_RATE, 'a multiple of the rates').default(1).describe('Times the rates of the load'),
  over: duration('0s', '24h').prefault('0s').describe('In which the rate goes there, linearly'),
  churn: churnSchema.optional(),
  reconnect: map({
    sharePercent: quantity(0.001, 100, 'a percentage').default(100).describe('Of the players'),
  })
    .optional()
    .describe('Cut off at the beginning of the stage'),
  sentPercent: quantity(0, 100, 'a percentage').optional().describe('In place of that of the rules'),
});

export const stagesSchema = list(stage, MOST_STAGES, 'stages', 1);

/** The part of a load that has a shape. */
export interface Shaped {
  readonly players: number;
  readonly duration: Micros;
  readonly stages?: readonly Stage[] | undefined;
  readonly churn?: Churn | undefined;
}

/** The measure phase that stages make together. */
export const lengthOf = (stages: readonly Stage[]): Micros =>
  micros(stages.reduce((sum, { lasting }) => sum + lasting, 0));

/** The highest of the stages' rates, or that of the ramp's end: 1. */
export const peakOf = (stages: readonly Pick<Stage, 'rate'>[] | undefined): number =>
  Math.max(1, ...(stages ?? []).map(({ rate }) => rate));

/** Another duration: every stage as much longer or shorter, to the microsecond. */
export function stretched(stages: readonly Stage[], duration: Micros): readonly Stage[] {
  const factor = duration / lengthOf(stages);
  let [before, after] = [0, 0];
  return stages.map((one) => {
    before += one.lasting;
    const end = Math.round(before * factor);
    const lasting = micros(end - after);
    after = end;
    return { ...one, lasting, over: micros(Math.min(lasting, one.over * factor)) };
  });
}

/** More players, more of them who leave and join. */
export const scaledChurn = (churn: Churn, factor: number): Churn => ({
  ...churn,
  perSecond: churn.perSecond * factor,
});

/** What no key alone can get wrong. */
export function stageFindings({ players, duration: length, stages, churn }: Shaped): readonly Finding[] {
  const findings: Finding[] = [];
  const away = (one: Churn | undefined, path: Path): void => {
    if (one === undefined || one.perSecond * (one.away / 1e6) <= players / 2) return;
    findings.push(
      found(
        [...path, 'perSecond'],
        `${one.perSecond} a second, each away for ${one.away / 1e6} s, expected half of the ${players} players to be there at least`,
        'fewer a second, or a shorter away',
      ),
    );
  };
  away(churn, ['load', 'churn']);
  if (stages === undefined) return findings;
  const path = (i: number, key: keyof Stage): Path => ['load', 'stages', i, key];
  for (const [i, one] of stages.entries()) {
    away(one.churn, path(i, 'churn'));
    if (stages.findIndex(({ name }) => name === one.name) < i) {
      findings.push(found(path(i, 'name'), `${one.name} is there twice, expected once`));
    }
    if (one.over > one.lasting) {
      findings.push(
        found(
          path(i, 'over'),
          `${one.over / 1e6} s, expected at most the ${one.lasting / 1e6} s of the stage`,
        ),
      );
    }
    if (one.lasting < SHORTEST) {
      findings.push(
        found(path(i, 'lasting'), `${one.lasting / 1e6} s, expected 0.1 s at least`, 'a longer --duration'),
      );
    }
  }
  if (peakRateOf(stages) === 0) {
    findings.push(found(['load', 'stages'], 'nothing is ever due, expected a rate above 0 in one of them'));
  }
  const sum = lengthOf(stages);
  if (length !== sum) {
    findings.push(
      found(
        ['load', 'duration'],
        `${length / 1e6} s is there beside stages that last ${sum / 1e6} s together, expected the same`,
        'leave load.duration out: the stages are the measure phase; --duration scales them',
      ),
    );
  }
  return findings;
}

const peakRateOf = (stages: readonly Stage[]): number => Math.max(...stages.map(({ rate }) => rate));

/** Budgets of a stage that is not there. */
export function budgetStageFindings(
  budgets: readonly Budget[],
  stages: readonly Stage[] | undefined,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const names = (stages ?? []).map(({ name }) => name);
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || budget.stage === undefined || names.includes(budget.stage)) return [];
    const meant = nearest(budget.stage, names);
    const known = names.length === 0 ? 'load.stages has none' : `expected one of ${names.join(', ')}`;
    return [
      found(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `${budget.stage} is no stage of this load; ${known}`,
        meant === undefined ? null : `did you mean ${meant}?`,
      ),
    ];
  });
}
