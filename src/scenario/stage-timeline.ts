import type { Micros } from '../units.ts';
import { micros } from '../units.ts';
import type { Shaped } from './stages.ts';

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

/** Share of the players that is cut off, and when. */
export interface Storm {
  readonly stage: string;
  /** In `stages`. */
  readonly index: number;
  readonly at: Micros;
  readonly sharePercent: number;
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
export const stormsOf = ({ stages = [] }: Shaped, timed: readonly TimedStage[]): readonly Storm[] =>
  timed.flatMap(({ name, start }, index) => {
    const share = stages[index]?.reconnect?.sharePercent;
    return share === undefined ? [] : [{ stage: name, index, at: start, sharePercent: share }];
  });
