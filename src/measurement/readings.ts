import { type BoundaryLimits, readingsAround, soonOf, valueAround } from '../probe/boundary-value.ts';
import type { Spread } from './figures.ts';
import type { Measurements, Series } from './measurements.ts';

/** A span of the run, in seconds after GO, both ends included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** An empty span, for a phase that was never reached. */
export const NOWHERE: Window = { from: 0, to: -1 };

export const NO_SPREAD: Spread = { mean: null, min: null, max: null };

/** Points further apart than this have a hole between them: nothing is read there. Times what a point stands for. */
const HOLE_SECONDS = 3.5;

/** What may be missing of a window at either end, in seconds: a hole, and of a short one less. */
export const mostOpen = ({ from, to }: Window): number =>
  Math.max(1.5, Math.min(HOLE_SECONDS, 0.4 * (to - from)));

const inside = (series: Series | undefined, { from, to }: Window): Series['points'] =>
  series?.points.filter(([at]) => at >= from && at <= to) ?? [];

/** The growth of a counter from one value to the next. A fall means a restart of the server at 0. */
const growth = (before: number, after: number): number => (after < before ? after : after - before);

/** A counter without its restarts: its growth since the first value. */
function continued(points: Series['points']): Series['points'] {
  let value = points[0]?.[1] ?? 0;
  return points.map(([at, now], i) => {
    value += growth(points[i - 1]?.[1] ?? now, now);
    return [at, value] as const;
  });
}

/** The growth of a counter in a window, and its precision. */
export interface Growth {
  /** An integer only where both ends were read on time. */
  readonly grown: number;
  /**
   * The possible error in either direction: where an end was not read on time, the distance to the readings around it;
   * else the growth that was extrapolated for some milliseconds.
   */
  readonly off: number;
  /** Seconds between the ends of the window that were not read on time and their nearest readings. */
  readonly unreadSeconds: number;
}

/** A counter's value at one end of a window. */
interface Boundary extends Omit<Growth, 'grown'> {
  readonly value: number;
}

/** Null where a side has no reading, or readings are missing between the two. */
function boundaryBetween(points: Series['points'], at: number, limits: BoundaryLimits): Boundary | null {
  const times = points.map(([time]) => time);
  const around = readingsAround(times, at, limits);
  if (around === null) return null;
  const read = (index: number): number => points[index]?.[1] ?? Number.NaN;
  const value = valueAround(around, times, at, read);
  const [least, most] = [read(around.before), read(around.after)];
  const { distance } = around;
  const span = (times[around.after] ?? 0) - (times[around.before] ?? 0);
  const off =
    distance === 0
      ? 0
      : distance > limits.soon
        ? Math.max(value - least, most - value)
        : ((most - least) / span) * distance;
  return { value, off, unreadSeconds: distance > limits.soon ? distance : 0 };
}

/**
 * The growth of a counter in a window: its value at the end minus its value at the start. Probes are read at both ends, so
 * only the milliseconds until they answered are interpolated. A missing reading there is interpolated between its
 * neighbours, or extrapolated with the rate inside where none follows. Null where the points do not cover the window. A
 * fall is a restart at 0, as for Prometheus' increase(): growth between the last point and the restart is not known.
 */
export function growthOf(series: Series | undefined, window: Window): Growth | null {
  if (series === undefined || window.to <= window.from) return null;
  const points = continued(series.points);
  const thinned = series.thinned ?? 1;
  const limits = { soon: soonOf(window.to - window.from, 1), hole: HOLE_SECONDS * thinned };
  const within = points.filter(([at]) => at >= window.from && at <= window.to);
  const [first, last] = [within.at(0), within.at(-1)];
  const pace =
    first === undefined || last === undefined || first === last
      ? null
      : (last[1] - first[1]) / (last[0] - first[0]);
  const boundary = (at: number, nearest: Series['points'][number] | undefined): Boundary | null => {
    const between = boundaryBetween(points, at, limits);
    if (between !== null || pace === null || nearest === undefined) return between;
    const unreadSeconds = Math.abs(at - nearest[0]);
    if (unreadSeconds > mostOpen(window) * thinned) return null;
    const added = pace * (at - nearest[0]);
    return { value: nearest[1] + added, off: Math.abs(added), unreadSeconds };
  };
  const [start, end] = [boundary(window.from, first), boundary(window.to, last)];
  if (start === null || end === null) return null;
  return {
    grown: end.value - start.value,
    off: start.off + end.off,
    unreadSeconds: start.unreadSeconds + end.unreadSeconds,
  };
}

/** The growth; rounded for counters of events. */
export function increaseOf(series: Series | undefined, window: Window): number | null {
  const growth = growthOf(series, window);
  if (growth === null) return null;
  return isWhole(series) ? Math.round(growth.grown) : growth.grown;
}

export const isWhole = (series: Series | undefined): boolean =>
  series?.points.every(([, value]) => Number.isInteger(value)) ?? false;

/** A counter's rate per second over the whole window. */
export const rateOf = (series: Series | undefined, window: Window): number | null =>
  ratio(growthOf(series, window)?.grown ?? null, window.to - window.from);

/**
 * The same for a counter that is reported every second and not at the window's ends, such as the generator's: the rate
 * between the first and the last point inside, since a second in which the load begins or ends would distort it. Null
 * with fewer than two points, or where they do not cover the window.
 */
export function paceOf(series: Series | undefined, window: Window): number | null {
  const points = continued(inside(series, window));
  const [first, last] = [points.at(0), points.at(-1)];
  if (first === undefined || last === undefined || first === last) return rateOf(series, window);
  const open = mostOpen(window) * (series?.thinned ?? 1);
  if (first[0] - window.from > open || window.to - last[0] > open) return null;
  return (last[1] - first[1]) / (last[0] - first[0]);
}

export function spreadOf(values: readonly (number | null)[]): Spread {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return NO_SPREAD;
  return {
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    min: known.reduce((least, value) => Math.min(least, value)),
    max: known.reduce((most, value) => Math.max(most, value)),
  };
}

/** Mean, minimum and maximum of a gauge's points in the window. */
export const gaugeOf = (series: Series | undefined, window: Window): Spread =>
  spreadOf(inside(series, window).map(([, value]) => value));

/** The whole seconds of a span: a common grid for sums, since probes answer at different instants. */
export function secondsOf({ from, to }: Window): readonly number[] {
  const first = Math.ceil(from);
  return Array.from({ length: Math.max(0, Math.floor(to) - first + 1) }, (_, i) => first + i);
}

/**
 * The values of a series at the given ascending instants: a counter is interpolated, and continues over restarts; a gauge
 * has its last value. Null where no point is near.
 */
export function valuesAt(series: Series | undefined, instants: readonly number[]): (number | null)[] {
  const points =
    series === undefined ? [] : series.kind === 'gauge' ? series.points : continued(series.points);
  const hole = HOLE_SECONDS * (series?.thinned ?? 1);
  let next = 0;
  return instants.map((instant) => {
    while (next < points.length && (points[next]?.[0] ?? 0) <= instant) next += 1;
    const before = points[next - 1];
    const after = points[next];
    if (before === undefined) return null;
    if (before[0] === instant) return before[1];
    if (series?.kind === 'gauge') return instant - before[0] <= hole ? before[1] : null;
    if (after === undefined || after[0] - before[0] > hole) return null;
    return before[1] + ((after[1] - before[1]) * (instant - before[0])) / (after[0] - before[0]);
  });
}

/** A counter's growth in each second that ends at one of the instants (which are a second apart). */
export function ratesAt(series: Series | undefined, instants: readonly number[]): (number | null)[] {
  const first = instants[0];
  if (first === undefined) return [];
  const values = valuesAt(series, [first - 1, ...instants]);
  return instants.map((_, i) => {
    const before = values[i] ?? null;
    const after = values[i + 1] ?? null;
    return before === null || after === null ? null : after - before;
  });
}

/** The sum of each column; null where a value is missing, so that no sum leaves a server out. */
export function sumColumns(columns: readonly (readonly (number | null)[])[]): (number | null)[] {
  return (columns[0] ?? []).map((_, i) => sumOf(columns.map((column) => column[i] ?? null)));
}

/** Null if any value is null, or without values. */
export const sumOf = (values: readonly (number | null)[]): number | null =>
  values.length === 0
    ? null
    : values.reduce((sum, value) => (sum === null || value === null ? null : sum + value));

/** a / b; null when either is missing or b is 0. */
export const ratio = (a: number | null, b: number | null): number | null =>
  a === null || b === null || b === 0 ? null : a / b;

export const percentOf = (a: number | null, b: number | null): number | null => {
  const share = ratio(a, b);
  return share === null ? null : 100 * share;
};

/** Reads a run's series in its measure phase, by the last part of their names; the part before is given once. */
export function measuredOf(m: Measurements, of: string) {
  const window = m.measured ?? NOWHERE;
  const series = (name: string): Series | undefined => m.series[`${of}.${name}`];
  return {
    window,
    /** The same for each numbered source, such as servers, in order. */
    each: (name: string): readonly Series[] => numbered(m.series, of, name),
    gauge: (name: string): Spread => gaugeOf(series(name), window),
    rate: (name: string): number | null => rateOf(series(name), window),
    pace: (name: string): number | null => paceOf(series(name), window),
    increase: (name: string): number | null => increaseOf(series(name), window),
    /** The growth in each second. */
    perSecond: (name: string): Spread => spreadOf(ratesAt(series(name), secondsOf(window).slice(1))),
    /** In percent of the given amount per second. */
    percents: (name: string, whole: number): Spread =>
      percentsOf(ratesAt(series(name), secondsOf(window).slice(1)), whole),
  };
}

export const percentsOf = (rates: readonly (number | null)[], whole: number): Spread =>
  spreadOf(rates.map((rate) => percentOf(rate, whole)));

/** The series `<room>.<number>.<name>`, in the order of their numbers. */
export function numbered(all: Measurements['series'], room: string, name: string): readonly Series[] {
  const found: [number: number, series: Series][] = [];
  for (const [key, series] of Object.entries(all)) {
    const [first, number, ...rest] = key.split('.');
    if (first === room && rest.join('.') === name && /^\d+$/.test(number ?? '')) {
      found.push([Number(number), series]);
    }
  }
  return found.sort(([a], [b]) => a - b).map(([, series]) => series);
}

/** The names of the processes of a target that were watched, in the order in which they were given. */
export const processNamesOf = ({ series }: Pick<Measurements, 'series'>): readonly string[] =>
  Object.keys(series).flatMap((key) => /^process\.([^.]+)\.cpuSeconds$/.exec(key)?.[1] ?? []);

/** The sum of several gauges, second by second, without seconds in which one is missing. */
export const togetherOf = (all: readonly Series[], window: Window): Spread =>
  spreadOf(sumColumns(all.map((series) => valuesAt(series, secondsOf(window)))));
