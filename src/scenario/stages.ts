import type { z } from 'zod';
import { type Micros, micros } from '../units.ts';
import type { churnSchema, stagesSchema } from './sections.ts';

/** Players who leave and rejoin during the load. */
export type Churn = Readonly<z.output<typeof churnSchema>>;

/** A part of the measure phase with its own rate. */
export type Stage = Readonly<z.output<typeof stagesSchema>[number]>;

/** The keys of a load that shape it over time. */
export interface LoadShape {
  readonly players: number;
  readonly duration: Micros;
  readonly stages?: readonly Stage[] | undefined;
  readonly churn?: Churn | undefined;
}

/** The length of all stages together. */
export const lengthOf = (stages: readonly Stage[]): Micros =>
  micros(stages.reduce((sum, { lasting }) => sum + lasting, 0));

/** The highest rate of the stages, at least that of the ramp's end: 1. */
export const peakOf = (stages: readonly Pick<Stage, 'rate'>[] | undefined): number =>
  Math.max(1, ...(stages ?? []).map(({ rate }) => rate));

/** The stages stretched to another total duration, to the microsecond. */
export function stretched(stages: readonly Stage[], duration: Micros): readonly Stage[] {
  const factor = duration / lengthOf(stages);
  let [before, after] = [0, 0];
  return stages.map((one) => {
    before += one.lasting;
    const end = Math.round(before * factor);
    const lasting = micros(end - after);
    after = end;
    // Rounding must not make `over` longer than its stage; where it already is, the error stays to be reported.
    const longest = one.over > one.lasting ? Number.POSITIVE_INFINITY : lasting;
    return { ...one, lasting, over: micros(Math.min(longest, one.over * factor)) };
  });
}

/** Churn grows with the number of players. */
export const scaledChurn = (churn: Churn, factor: number): Churn => ({
  ...churn,
  perSecond: churn.perSecond * factor,
});

/** A stage in time: microseconds after GO. */
export interface TimedStage {
  readonly name: string;
  readonly start: Micros;
  /** When the rate has reached its level. */
  readonly levelFrom: Micros;
  readonly end: Micros;
  /** Multiples of the load's rates: when the stage starts, and at its level. */
  readonly rateBefore: number;
  readonly rate: number;
}

/** A period in which players leave and rejoin. */
export interface ChurnWindow {
  readonly from: Micros;
  readonly to: Micros;
  readonly perSecond: number;
  readonly away: Micros;
}

/** The stages in time, from the start of the measure phase. */
export function timedStages({ stages = [] }: LoadShape, measureStart: Micros): readonly TimedStage[] {
  let start = measureStart;
  return stages.map(({ name, lasting, rate, over }, i) => {
    const timed = {
      ...{ name, start, rate },
      levelFrom: micros(start + over),
      end: micros(start + lasting),
      // The warm-up before the first stage has rate 1.
      rateBefore: stages[i - 1]?.rate ?? 1,
    };
    start = timed.end;
    return timed;
  });
}

/** How many seconds at rate 1 a stage equals: the area under its rate. */
export const operationalSeconds = ({ start, levelFrom, end, rateBefore, rate }: TimedStage): number =>
  (((rateBefore + rate) / 2) * (levelFrom - start) + rate * (end - levelFrom)) / 1e6;

/** The churn from GO to the end: a stage's own, or that of the load. */
export function churnWindows(
  { stages = [], churn }: LoadShape,
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
export const stormsOf = ({ stages = [] }: LoadShape, timed: readonly TimedStage[]) =>
  timed.flatMap(({ name, start }, index) => {
    const share = stages[index]?.reconnect?.sharePercent;
    return share === undefined ? [] : [{ stage: name, index, at: start, sharePercent: share }];
  });
