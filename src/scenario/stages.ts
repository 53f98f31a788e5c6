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
  /** At this rate players join and leave where a stage has another number of them. */
  readonly connectsPerSecond: number;
  readonly duration: Micros;
  readonly stages?: readonly Stage[] | undefined;
  readonly churn?: Churn | undefined;
}

/** The length of all stages together. */
export const lengthOf = (stages: readonly Stage[]): Micros =>
  micros(stages.reduce((sum, { lasting }) => sum + lasting, 0));

/** The highest rate of the stages for one player, at least that of the ramp's end: 1. */
export const peakOf = (stages: readonly Pick<Stage, 'rate'>[] | undefined): number =>
  Math.max(1, ...(stages ?? []).map(({ rate }) => rate));

/** The number of players in a stage. */
export const playersIn = (
  { players: ofStage }: Pick<Stage, 'players'>,
  { players }: Pick<LoadShape, 'players'>,
) => ofStage ?? players;

/** The largest number of players that a load wants at once. */
export const mostPlayers = (load: Pick<LoadShape, 'players' | 'stages'>): number =>
  load.stages === undefined ? load.players : Math.max(...load.stages.map((stage) => playersIn(stage, load)));

/** The highest rate of the load as a multiple: of the rates of the stages, times the share of the players there. */
export function peakLoadOf(load: LoadShape): number {
  const timed = timedStages(load, micros(0));
  if (timed[0]?.players === undefined) return peakOf(load.stages);
  const first = timed[0].players.before / load.players;
  const pieces = timed.flatMap((stage) => ratePieces(stage, load.players));
  return Math.max(first, ...pieces.flatMap(({ before, after }) => [before, after]));
}

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
  /** Absent where every stage has all players. */
  readonly players?: StagePlayers | undefined;
}

/** How many players are meant to be connected during a stage. */
export interface StagePlayers {
  /** In the stage before. */
  readonly before: number;
  readonly at: number;
  /** When the last of them has been asked to join or to leave; microseconds after GO. */
  readonly from: Micros;
}

/** When a stage has its rate and its players. */
export const levelOf = ({ levelFrom, players }: Pick<TimedStage, 'levelFrom' | 'players'>): Micros =>
  micros(Math.max(levelFrom, players?.from ?? 0));

/** A period in which players leave and rejoin. */
export interface ChurnWindow {
  readonly from: Micros;
  readonly to: Micros;
  readonly perSecond: number;
  readonly away: Micros;
}

/** The stages in time, from the start of the measure phase. */
export function timedStages(load: LoadShape, measureStart: Micros): readonly TimedStage[] {
  const { stages = [] } = load;
  const changes = stages.some(({ players }) => players !== undefined);
  let start = measureStart;
  return stages.map((stage, i) => {
    const { name, lasting, rate, over } = stage;
    const timed = {
      ...{ name, start, rate },
      levelFrom: micros(start + over),
      end: micros(start + lasting),
      // The warm-up before the first stage has rate 1.
      rateBefore: stages[i - 1]?.rate ?? 1,
      // It has the players of the first stage.
      ...(changes ? { players: stagePlayers(load, stages[i - 1] ?? stage, stage, start) } : {}),
    };
    start = timed.end;
    return timed;
  });
}

function stagePlayers(load: LoadShape, previous: Stage, stage: Stage, start: Micros): StagePlayers {
  const [before, at] = [playersIn(previous, load), playersIn(stage, load)];
  return {
    before,
    at,
    from: micros(start + Math.round((Math.abs(at - before) / load.connectsPerSecond) * 1e6)),
  };
}

/** A span in which the rate changes linearly, as a multiple of the load's; microseconds after GO. */
export interface RatePiece {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
}

/** Where the rate and the players change together, their product is taken as linear in this many parts. */
const PARTS = 32;

/**
 * The rate of a stage in linear pieces, without those of no length. `players`: of the load, for the rate of all together,
 * which follows the players that are meant to be there; absent: the rate of one player.
 */
export function ratePieces(stage: TimedStage, players?: number): readonly RatePiece[] {
  const { start, levelFrom, end, rateBefore, rate } = stage;
  const there = players === undefined ? undefined : stage.players;
  const towards = (from: number, to: number, before: number, after: number, at: number): number =>
    at >= to ? after : before + ((after - before) * (at - from)) / (to - from);
  const shareAt = (at: number): number =>
    there === undefined ? 1 : towards(start, there.from, there.before, there.at, at) / (players ?? 1);
  const rateAt = (at: number): number => towards(start, levelFrom, rateBefore, rate, at) * shareAt(at);
  const both = there === undefined ? start : Math.min(levelFrom, there.from);
  const cuts = [
    ...Array.from({ length: PARTS }, (_, part) => start + ((both - start) * part) / PARTS),
    ...[both, levelFrom, ...(there === undefined ? [] : [there.from]), end],
  ].sort((a, b) => a - b);
  return cuts.flatMap((from, i) => {
    const to = cuts[i + 1] ?? from;
    // A rate that changes at once has its new level from there on.
    return to <= from ? [] : [{ from, to, before: rateAt(from), after: rateAt(to) }];
  });
}

/** How many seconds at the load's own rate a stage equals, for a load of so many players: the area under its rate. */
export const operationalSeconds = (stage: TimedStage, players?: number): number =>
  ratePieces(stage, players).reduce(
    (sum, { from, to, before, after }) => sum + ((before + after) / 2) * (to - from),
    0,
  ) / 1e6;

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
