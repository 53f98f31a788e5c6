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

/** A stage in time: microseconds after GO. */
export interface TimedStage {
  readonly name: string;
  readonly start: Micros;
  /** Where the rate has got to its level. */
  readonly levelFrom: Micros;
  readonly end: Micros;
  /** Times the rates of the load: where the stage begins, and its level. */
  readonly rateBefore: number;
  readonly rate: number;
}

/** A span in which players leave and join. */
export interface ChurnWindow {
  readonly from: Micros;
  readonly to: Micros;
  readonly perSecond: number;
  readonly away: Micros;
}

/** The stages one after another, from the start of the measure phase; none without any. */
export function timedStages({ stages = [] }: Shaped, measureStart: Micros): readonly TimedStage[] {
  let start = measureStart;
  return stages.map(({ name, lasting, rate, over }, i) => {
    const timed = {
      ...{ name, start, rate },
      levelFrom: micros(start + over),
      end: micros(start + lasting),
      // The warm-up before the first is at the load's own rate.
      rateBefore: stages[i - 1]?.rate ?? 1,
    };
    start = timed.end;
    return timed;
  });
}

/** By how many seconds at the load's own rate a stage is worth: the area under its rate. */
export const operationalSeconds = ({ start, levelFrom, end, rateBefore, rate }: TimedStage): number =>
  (((rateBefore + rate) / 2) * (levelFrom - start) + rate * (end - levelFrom)) / 1e6;

/** That of the load from GO to its end, and where a stage says otherwise, its own. */
export function churnWindows(
  { stages = [], churn }: Shaped,
  timed: readonly TimedStage[],
  end: Micros,
): readonly ChurnWindow[] {
  const whole = [{ from: 0 as Micros, to: timed[0]?.start ?? end, churn }];
  const each = timed.map(({ start, end: to }, i) => ({ from: start, to, churn: stages[i]?.churn ?? churn }));
  return [...whole, ...each].flatMap(({ from, to, churn: own }) =>
    own === undefined || own.perSecond === 0 || to <= from ? [] : [{ from, to, ...own }],
  );
}

/** The reconnect storms, in order. */
export const stormsOf = ({ stages = [] }: Shaped, timed: readonly TimedStage[]) =>
  timed.flatMap(({ name, start }, index) => {
    const share = stages[index]?.reconnect?.sharePercent;
    return share === undefined ? [] : [{ stage: name, index, at: start, sharePercent: share }];
  });
