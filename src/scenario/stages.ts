import type { z } from 'zod';
import { type Micros, micros } from '../units.ts';
import type { churnSchema, stagesSchema } from './sections.ts';

/** Players who leave and join again while the load goes on. */
export type Churn = Readonly<z.output<typeof churnSchema>>;

/** A part of the measure phase with a load of its own. */
export type Stage = Readonly<z.output<typeof stagesSchema>[number]>;

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
