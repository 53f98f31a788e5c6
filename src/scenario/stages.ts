import { type Micros, micros } from '../units.ts';

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
  /** Times the scenario's rates, of all operations. */
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
    // Rounding is not to make it longer than its stage; a file that says so keeps its mistake.
    const longest = one.over > one.lasting ? Number.POSITIVE_INFINITY : lasting;
    return { ...one, lasting, over: micros(Math.min(longest, one.over * factor)) };
  });
}

/** More players, more of them who leave and join. */
export const scaledChurn = (churn: Churn, factor: number): Churn => ({
  ...churn,
  perSecond: churn.perSecond * factor,
});
