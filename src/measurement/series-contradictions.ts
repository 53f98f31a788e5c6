import { countOf } from '../histogram.ts';
import { DELIVERY_SERIES } from '../load/deliveries.ts';
import { COUNTED } from '../probe/generator.ts';
import type { Measurements, Series } from './measurements.ts';
import { isOnThisHost } from './resource-figures.ts';
import { answeredOf } from './sent.ts';
import { MOST_POINTS, probeOf } from './series.ts';

/** Tolerance in seconds, since clocks are read one after another and times are rounded. */
export const SLACK_SECONDS = 5;
/** Points beyond one for each interval: the first, the last, and late answers. */
const MORE_POINTS = 5;
/** Where the measure phase and its stages begin and end there may be one more. */
const boundariesOf = ({ stages }: Measurements): number => 2 * (stages.length + 1);
/** A virtual machine accounts CPU time late and unevenly. */
const LATE_ACCOUNTS = 2;
const SLICES_PER_SECOND = 5;
/** Of two values in one bucket, by how many times the higher one is higher. */
const BUCKET = 1 + 1 / 512;
/** Times are whole milliseconds. */
const ROUNDED = 0.001;

/** A target's own series are not checked here, but by the rules of the run. */
const OURS = /^(?:load|delivery|generator|host|runner|process|limits)\./;
const OF_A_LOCAL_STACK = /^(?:world|postgres)\./;

/** Where the series of a run contradict its counts, its length or physical limits; one problem for each series. */
export function seriesContradictions(m: Measurements): readonly string[] {
  return [
    ...Object.entries(m.series).flatMap(([name, series]) => {
      const wrong =
        outOfTime(series, m) ??
        tooMany(name, series, m) ??
        impossible(name, series, m) ??
        unwatched(name, series, m);
      return wrong === null ? [] : [`series.${name}: ${wrong}`];
    }),
    ...(m.measured === null ? [] : [...counts(m), ...slices(m), ...windows(m), ...percentiles(m)]),
    ...connected(m),
    ...probes(m),
  ];
}

/** Seconds after GO, where there was one, else after the start. */
function outOfTime({ points }: Series, { phases: { go, end } }: Measurements): string | null {
  const zero = go ?? 0;
  let before = Number.NEGATIVE_INFINITY;
  for (const [at] of points) {
    if (at < before) return `${at} s comes after ${before} s`;
    if (at < -zero - SLACK_SECONDS || at > end - zero + SLACK_SECONDS) {
      return `a point at ${at} s, of a run that took ${end} s`;
    }
    before = at;
  }
  return null;
}

const spanOf = ({ points }: Series): number => (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);

function tooMany(name: string, series: Series, m: Measurements): string | null {
  const { points, thinned = 1 } = series;
  const perSecond = name.includes('.slice.') ? SLICES_PER_SECOND : 1;
  if (
    points.length * thinned >
    perSecond * (spanOf(series) + 1) + (MORE_POINTS + boundariesOf(m)) * thinned
  ) {
    return `${points.length} points, each of ${thinned}, in ${spanOf(series)} s`;
  }
  // It is halved when it is full, and fills again.
  const halved = thinned > 1;
  if (!Number.isInteger(Math.log2(thinned)) || (halved && points.length < MOST_POINTS / 2)) {
    return `${points.length} points, each of ${thinned}: it was never full`;
  }
  return points.length > MOST_POINTS ? `${points.length} points, of ${MOST_POINTS} at most` : null;
}

/** Values that no machine can produce. */
function impossible(name: string, series: Series, m: Measurements): string | null {
  const { points, kind } = series;
  if (!OURS.test(name) && !(m.stackKind === 'local' && OF_A_LOCAL_STACK.test(name))) return null;
  const negative = points.find(([, value]) => value < 0);
  if (negative !== undefined) return `${negative[1]} at ${negative[0]} s, and none of it is negative`;
  const most = mostOf(name, m);
  const above = most === null ? undefined : points.find(([, value]) => value > most);
  if (above !== undefined) return `${above[1]} at ${above[0]} s, and ${most} is all there is`;
  if (kind === 'gauge') return null;
  if (OURS.test(name)) {
    const fell = points.findIndex(([, value], i) => value < (points[i - 1]?.[1] ?? 0));
    if (fell > 0) return `${points[fell]?.[1]} comes after ${points[fell - 1]?.[1]}, and it is a counter`;
  }
  const rate = fastest(name, m);
  const grown = (points.at(-1)?.[1] ?? 0) - (points[0]?.[1] ?? 0);
  const possible = rate === null ? null : LATE_ACCOUNTS * rate * (spanOf(series) + SLACK_SECONDS);
  return possible !== null && grown > possible
    ? `${grown} s in ${spanOf(series)} s, of ${rate} at most in each`
    : null;
}

/** A load worker of an agent may have more than this host. */
function isElsewhere(name: string, m: Measurements): boolean {
  const worker = /^generator\.(\d+)\./.exec(name)?.[1];
  return worker !== undefined && !isOnThisHost(Number(worker), m);
}

/** The upper limit of a gauge; null where there is none. */
function mostOf(name: string, m: Measurements): number | null {
  const { host } = m;
  if (/^generator\.\d+\.utilisation$/.test(name)) return 1;
  if (isElsewhere(name, m)) return null;
  return /^(?:host\.memoryAvailableBytes|(?:generator\.\d+|world\.\d+|postgres|(?:process|limits)\.[^.]+)\.memoryBytes)$/.test(
    name,
  )
    ? host.memoryBytes
    : null;
}

/** By how much a counter of seconds can grow in a second; null for other counters. */
function fastest(name: string, m: Measurements): number | null {
  const { host } = m;
  if (isElsewhere(name, m)) return null;
  if (/^host\.(?:memoryFullSeconds|cpuSomeSeconds)$|\.busiestThreadSeconds$/.test(name)) return 1;
  return /[cC]pu(?:Busy|Steal)?Seconds$/.test(name) ? host.cpus : null;
}

/** A series is of a worker, or of a probe, that the run had; and there are no more points than readings. */
function unwatched(name: string, { points, thinned = 1 }: Series, m: Measurements): string | null {
  const worker = /^generator\.(\d+)\./.exec(name)?.[1];
  if (worker !== undefined) {
    return Number(worker) < m.workers ? null : `of ${m.workers} workers, numbered from 0`;
  }
  const found = probeOf(name);
  if (found === null) return null;
  const probe = m.probes.find((one) => one.name === found);
  if (probe === undefined) return `there was no probe ${found}`;
  // The last point of a long series may stand for fewer.
  return (points.length - 1) * thinned >= probe.samples + boundariesOf(m)
    ? `${points.length} points, and ${found} gave ${probe.samples} readings`
    : null;
}

const lastOf = (series: Series | undefined): number | null => series?.points.at(-1)?.[1] ?? null;

/** The counts of the seconds add up to the totals. */
function counts(m: Measurements): string[] {
  const wrong: string[] = [];
  const same = (name: string, whole: number, open = 0, without: number | null = null): void => {
    const counted = lastOf(m.series[name]) ?? without;
    if (counted !== null && (counted > whole + open || counted < whole - open)) {
      wrong.push(`series.${name}: ${counted} at its end, and ${whole} in the whole run`);
    }
  };
  for (const [op, { whole }] of Object.entries(m.operations)) {
    // A k6 run that was cut off reports less than it counted; the rest is unfinished or skipped.
    const cut = m.engine === 'k6' ? whole.unfinished + whole.skipped : 0;
    for (const kind of COUNTED) same(`load.${op}.${kind}`, whole[kind], cut);
    // Only where there was any is there a series.
    same(`load.${op}.idle`, whole.idle, cut, m.series[`load.${op}.scheduled`] === undefined ? null : 0);
  }
  for (const name of DELIVERY_SERIES) same(`delivery.${name}`, m.deliveries?.[name] ?? 0);
  same('load.disconnects', m.disconnects);
  same('load.reconnects', m.reconnects);
  return wrong;
}

/** The answers of the slices add up to the total; in a long run slices are averaged. */
function slices({ series, operations }: Measurements): string[] {
  return Object.entries(operations).flatMap(([op, { whole }]) => {
    const name = `load.${op}.slice.answered`;
    const { points, thinned = 1 } = series[name] ?? { points: [] };
    if (points.length === 0) return [];
    const inSlices = thinned * points.reduce((sum, [, value]) => sum + value, 0);
    const rounding =
      thinned === 1 ? 0 : 0.01 * inSlices + thinned * Math.max(...points.map(([, value]) => value));
    // Answers after the last reported second are in no slice.
    const [least, most] = [
      0.99 * answeredOf(whole) - whole.unfinished - MORE_POINTS,
      answeredOf(whole) + whole.unfinished,
    ];
    return inSlices < least - rounding || inSlices > most + rounding
      ? [`series.${name}: ${Math.round(inSlices)} in all, and ${answeredOf(whole)} were answered`]
      : [];
  });
}

/** The windows cover the whole seconds of the measure phase, and have the answers of these seconds. */
function windows({ series, operations, measured, engine, ending, phases }: Measurements): string[] {
  if (measured === null) return [];
  // A stopped run still gets answers during its drain.
  const to = ending.state === 'completed' ? measured.to : phases.end - (phases.go ?? 0);
  return Object.entries(operations).flatMap(([op, { windows: all, whole }]) => {
    const path = `operations.${op}.windows`;
    if (all.length > to - measured.from + 1) {
      return [`${path}: ${all.length} windows in ${to - measured.from} s`];
    }
    const held = all.reduce((sum, window) => sum + countOf(window), 0);
    if (held > answeredOf(whole)) return [`${path}: ${held} values, and ${answeredOf(whole)} were answered`];
    // k6 reports counts and times one after the other, and a long run drops points.
    const [ok, rejected] = [series[`load.${op}.ok`], series[`load.${op}.rejected`]];
    if (engine === 'k6' || ok === undefined || rejected === undefined || ok.thinned !== undefined) return [];
    const grown = (from: number, to: number): readonly [sum: number, seconds: number] =>
      [ok, rejected].reduce<readonly [number, number]>(
        ([sum], { points }) => {
          const inside = points.map(([at], i) => (at >= from && at <= to ? i : -1)).filter((i) => i >= 0);
          const [first, last] = [inside[0], inside.at(-1)];
          const before = first === undefined ? 0 : (points[first - 1]?.[1] ?? 0);
          return [sum + (last === undefined ? 0 : (points[last]?.[1] ?? 0) - before), inside.length];
        },
        [0, 0],
      );
    const [most] = grown(measured.from + 1 - ROUNDED, to + ROUNDED);
    const [least, seconds] = grown(measured.from + 1 + ROUNDED, measured.to - ROUNDED);
    if (held > most) return [`${path}: ${held} values, and ${most} were answered in the measure phase`];
    return held < least && all.length >= seconds
      ? [`${path}: ${held} values, and ${least} were answered in the measure phase`]
      : [];
  });
}

const PERCENTILES = ['p50Ms', 'p95Ms', 'p99Ms', 'slice.p95Ms'] as const;

/** The percentiles of a second lie within the windows' minimum and maximum, where windows are a second long. */
function percentiles({ series, operations, measured }: Measurements): string[] {
  if (measured === null) return [];
  const { from, to } = measured;
  return Object.entries(operations).flatMap(([op, { windows: all }]) => {
    const filled = all.filter(({ counts }) => counts.length > 0);
    if (filled.length === 0 || 2 * all.length <= to - from) return [];
    // A percentile is the upper end of its bucket.
    const most = Math.max(...filled.map(({ max }) => max)) * BUCKET + 1;
    const least = Math.min(...filled.map(({ min }) => min)) / BUCKET - 1;
    return PERCENTILES.flatMap((kind) => {
      const name = `load.${op}.${kind}`;
      // The last second may have been reported too late for a window.
      const odd = series[name]?.points.find(
        ([at, ms]) => at > from + 1 && at < to - 1 && (1000 * ms > most || 1000 * ms < least),
      );
      return odd === undefined
        ? []
        : [`series.${name}: ${odd[1]} at ${odd[0]} s, and the windows hold ${least / 1e3} to ${most / 1e3}`];
    });
  });
}

/** The peak of connected players occurs in some second, or when all have connected. */
function connected({ series, peakCcu, connect }: Measurements): string[] {
  const { points, thinned = 1 } = series['load.connected'] ?? { points: [] };
  const most = points.reduce((peak, [, value]) => Math.max(peak, value), 0);
  if (most > peakCcu) return [`series.load.connected: ${most} players, and ${peakCcu} at the peak`];
  // Thinning keeps the lower of two points.
  return thinned === 1 && peakCcu > Math.max(most, countOf(connect.histogram))
    ? [`peakCcu: ${peakCcu} players, and ${most} at most in any second`]
    : [];
}

/** A probe is read once a second, and at both ends. */
function probes(m: Measurements): string[] {
  const { phases, measured: phase } = m;
  const more = MORE_POINTS + boundariesOf(m);
  return m.probes.flatMap(({ name, samples, gaps, measured }) => {
    const counted = `probes.${name}: ${samples} readings and ${gaps} gaps`;
    if (samples + gaps > phases.end + more) return [`${counted} in ${phases.end} s`];
    const inPhase = `${measured.samples} and ${measured.gaps} of them in the measure phase`;
    const seconds = phase === null ? 0 : phase.to - phase.from;
    return measured.samples > samples ||
      measured.gaps > gaps ||
      (phase !== null && measured.samples + measured.gaps > seconds + more)
      ? [`${counted}, ${inPhase} of ${seconds} s`]
      : [];
  });
}
