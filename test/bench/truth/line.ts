import { median } from '../figures.ts';
import { PERCENTS, type Percent, type Percentiles, percentilesOf } from './percentiles.ts';

/** One tool against one model. Milliseconds. */
export interface Line {
  readonly model: string;
  readonly tool: string;
  readonly wire: string;
  readonly ours: boolean;
  readonly perSecond: number;
  readonly reported: Percentiles;
  /** Of the model, for requests that arrive evenly. */
  readonly truth: Percentiles;
  /** Where the law bends, the truth is a range: it ends with what one request in a thousand more makes of it. */
  readonly atMost: Percentiles;
  /** Arrival to answer as the known world measured it while this tool ran. */
  readonly seen: Percentiles;
  /** By how much the known world itself was late at its 99th percentile. */
  readonly lateP99: number;
}

/** What is right: within 1% or 0.5 ms of the truth, whichever is larger. */
const RELATIVE = 0.01;
const ABSOLUTE_MS = 0.5;

/** A server whose own answers are later than that knows no delays: something else uses the host. */
const LATE_MS = 0.5;

/**
 * By how much a tool is off; null where it does not tell. What the known world really took, late as it was by a
 * fraction of a millisecond, is true too; never what is less than the law for even arrivals: a world that saw less
 * was not asked while it stalled.
 */
export function errorAt({ reported, truth, atMost, seen }: Line, percent: Percent): number | null {
  const [value, from, most, took] = [reported[percent], truth[percent], atMost[percent], seen[percent]];
  if (value === null || from === null || most === null || took === null) return null;
  const to = Math.min(Math.max(most, took), most + LATE_MS);
  return value - Math.min(Math.max(value, from), to);
}

/** The middle of several measurements of one tool against one model, figure by figure. */
export function medianOf(lines: readonly Line[]): Line {
  const middle = (figures: (line: Line) => Percentiles): Percentiles =>
    percentilesOf((percent) => {
      const all = lines.map((line) => figures(line)[percent]).filter((value) => value !== null);
      return all.length < lines.length ? null : median(all);
    });
  return {
    ...lines[0]!,
    perSecond: median(lines.map(({ perSecond }) => perSecond)),
    reported: middle(({ reported }) => reported),
    seen: middle(({ seen }) => seen),
    lateP99: median(lines.map(({ lateP99 }) => lateP99)),
  };
}

export const isRight = (line: Line, percent: Percent): boolean => {
  const error = errorAt(line, percent);
  return (
    error !== null && Math.abs(error) <= Math.max(ABSOLUTE_MS, RELATIVE * Math.abs(line.truth[percent] ?? 0))
  );
};

/** In words, where the truth was none while a line of ours was measured. */
export const unknownsOf = (lines: readonly Line[]): string[] =>
  lines
    .filter(({ ours, lateP99 }) => ours && lateP99 > LATE_MS)
    .map(
      ({ model, wire, lateP99 }) =>
        `${model} over ${wire}: the server's own answers were ${format(lateP99)} ms late (p99): see what else uses the host`,
    );

/** In words, where a line of ours is not right. */
export const faultsOf = (lines: readonly Line[]): string[] =>
  lines
    .filter(({ ours }) => ours)
    .flatMap((line) =>
      PERCENTS.filter((percent) => !isRight(line, percent)).map(
        (percent) =>
          `${line.tool} over ${line.wire}, ${line.model}: p${percent} is ${format(line.reported[percent])} ms, and in truth ` +
          `${format(line.truth[percent])} ms`,
      ),
    );

/** Milliseconds, with three digits. */
export const format = (value: number | null): string => {
  if (value === null) return '-';
  if (!Number.isFinite(value)) return 'none';
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
};
