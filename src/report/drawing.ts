import type { Measurements } from '../measurement/measurements.ts';
import { stageMeans } from '../measurement/per-player-figures.ts';
import { numbered, percentOf, ratesAt, valuesAt } from '../measurement/readings.ts';
import { DEFAULT_RULES } from '../scenario/rules.ts';
import {
  batchBars,
  type Curve,
  chartedOf,
  cpuCurves,
  type LatencyLimit,
  latencyCurves,
  latencyLimits,
  lostCurves,
  memoryCurves,
  percentileCurves,
  secondsOf,
  throughputCurves,
  watchedCurves,
} from './curves.ts';
import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import { areMany } from './report-text.ts';
import { unitOf } from './watched.ts';

/** What a chart shows, whatever draws it. */
export interface Drawing {
  /** `latency`: its picture in the bundle is charts/latency.png. */
  readonly name: string;
  readonly title: string;
  /** The same in words, for readers who cannot see it. */
  readonly alt: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Look[];
  /** The curves are areas, one upon the other. */
  readonly stacked: boolean;
  readonly limits: readonly Limit[];
  /** In place of curves. */
  readonly bars: ReturnType<typeof batchBars> | null;
  /** Null: its x axis is not the time of the run. */
  readonly marks: Marks | null;
}

export interface Axis {
  readonly title: string;
  /** `percentile`: 1 / (1 - quantile) on a logarithmic scale. */
  readonly scale: 'linear' | 'log' | 'percentile';
  readonly from: number;
  readonly to: number;
}

export interface Look extends Curve {
  readonly dashed: boolean;
}

/** A horizontal line, over the whole width where it names no span. */
export interface Limit {
  readonly name: string;
  /** What stands at the line. */
  readonly label: string;
  readonly y: number;
  readonly span: { readonly from: number; readonly to: number } | null;
}

/** What happened along the run; seconds after GO. */
export interface Marks {
  readonly measured: { readonly from: number; readonly to: number } | null;
  readonly stages: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly faults: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly noise: Noise;
}

interface Noise {
  /** Seconds, those that follow each other as one span. */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
  /** What disturbed them: `CPU steal`. */
  readonly causes: readonly string[];
}

/** Every chart for which there is data. */
export function drawingsOf(report: Report, m: Measurements): readonly Drawing[] {
  const marks = {
    measured: m.measured,
    stages: m.stages,
    faults: m.faults.map(({ id, from, to }) => ({ name: id, from, to: to ?? from })),
    noise: noiseOf(m),
  };
  return [
    latencyDrawing(report, m, marks),
    percentileDrawing(report, m),
    throughputDrawing(m, marks),
    lostDrawing(m, marks),
    batchDrawing(report, m),
    cpuDrawing(report, m, marks),
    memoryDrawing(m, marks),
    ...byPlayersDrawings(report, m),
    ...(report.watch ?? []).map((selector, i) => watchedDrawing(selector, `watch-${i + 1}`, m, marks)),
  ].filter((drawing) => drawing !== null);
}

const plainLook = (curve: Curve): Look => ({ ...curve, dashed: false });

function latencyDrawing(report: Report, m: Measurements, marks: Marks): Drawing | null {
  const charted = chartedOf(report);
  const curves = latencyCurves(m, charted).map(plainLook);
  if (curves.length === 0) return null;
  const title = `Latency from the scheduled time, each second${ofAll(charted, report)}`;
  const limits = latencyLimits(report).map((limit) => limitLine(limit, report));
  return {
    ...{ name: 'latency', title, curves, limits, marks, stacked: false, bars: null },
    alt: `${title}, in milliseconds. ${sentencesOf(curves, limits, marks)}`,
    x: secondsAxis(curves),
    y: latencyAxis(curves, limits),
  };
}

/** `, 6 of 20 operations` */
const ofAll = (charted: Report['operations'], { operations }: Report): string =>
  charted.length === operations.length ? '' : `, ${charted.length} of ${operations.length} operations`;

const limitLine = ({ name, ms, stage }: LatencyLimit, { stages }: Report): Limit => ({
  ...{ name, label: quantity(ms, 'ms'), y: ms },
  span: stages.find((one) => one.name === stage) ?? null,
});

function percentileDrawing(report: Report, m: Measurements): Drawing | null {
  const charted = chartedOf(report);
  const curves = percentileCurves(m, charted).map(
    // That from sending, beside that from the scheduled time.
    (curve, i): Look => ({ ...curve, dashed: !areMany(charted) && i % 2 === 1 }),
  );
  if (curves.length === 0) return null;
  const from = areMany(charted) ? ' from the scheduled time' : '';
  const title = `Latency${from} by percentile, measure phase${ofAll(charted, report)}`;
  const limits = latencyLimits(report)
    .filter(({ stage }) => stage === undefined)
    .map((limit) => limitLine(limit, report));
  return {
    ...{ name: 'percentiles', title, curves, limits, marks: null, stacked: false, bars: null },
    alt: `${title}, in milliseconds, on an axis that widens towards 100%. ${sentencesOf(curves, limits, null)}`,
    x: {
      ...{ title: 'percentile', scale: 'percentile', from: 1 },
      to: Math.max(10, ...curves.map(({ x }) => x.at(-1) ?? 1)),
    },
    y: latencyAxis(curves, limits),
  };
}

function throughputDrawing(m: Measurements, marks: Marks): Drawing | null {
  const curves = throughputCurves(m).map((curve, i): Look => ({ ...curve, dashed: i === 0 }));
  if (curves.length === 0) return null;
  const title = 'Throughput';
  return {
    ...{ name: 'throughput', title, curves, limits: [], marks, stacked: false, bars: null },
    alt: `${title}, per second. ${sentencesOf(curves, [], marks)}`,
    x: secondsAxis(curves),
    y: linear('per second', highest(curves)),
  };
}

function lostDrawing(m: Measurements, marks: Marks): Drawing | null {
  const curves = lostCurves(m).map(plainLook);
  if (curves.length === 0) return null;
  const title = 'Deliveries lost, by the second in which they were due';
  return {
    ...{ name: 'deliveries', title, curves, limits: [], marks, stacked: false, bars: null },
    alt: `${title}. ${sentencesOf(curves, [], marks)}`,
    x: secondsAxis(curves),
    y: linear('per second', highest(curves)),
  };
}

function watchedDrawing(selector: string, name: string, m: Measurements, marks: Marks): Drawing | null {
  const curves = watchedCurves(m, selector).map(plainLook);
  if (curves.length === 0) return null;
  const isRate = curves[0]?.name === 'per second';
  const title = `${selector}${isRate ? ', per second' : ''}`;
  const lowest = curves.reduce(
    (low, { y }) => y.reduce<number>((least, v) => Math.min(least, v ?? 0), low),
    0,
  );
  const axis = linear(isRate ? 'per second' : (unitOf(selector) ?? 'in its own unit'), highest(curves));
  return {
    ...{ name, title, curves, limits: [], marks, stacked: false, bars: null },
    alt: `${title}. ${sentencesOf(curves, [], marks)}`,
    x: secondsAxis(curves),
    y: lowest < 0 ? { ...axis, from: 1.06 * lowest } : axis,
  };
}

function batchDrawing({ throughput }: Report, m: Measurements): Drawing | null {
  const bars = batchBars(m);
  if (bars.labels.length === 0) return null;
  const { operationsPerBatch } = throughput;
  const mean =
    typeof operationsPerBatch === 'number' ? operationsPerBatch.toFixed(0) : 'an unknown number of';
  const title = 'Batch sizes, measure phase';
  return {
    ...{ name: 'batches', title, bars, curves: [], limits: [], marks: null, stacked: false },
    alt: `${title}: how many batches had how many operations; ${mean} operations on average.`,
    x: { title: 'operations in a batch', scale: 'linear', from: 0, to: bars.labels.length },
    y: linear('batches', Math.max(...bars.counts)),
  };
}

function cpuDrawing({ host }: Report, m: Measurements, marks: Marks): Drawing | null {
  const curves = cpuCurves(m).map(plainLook);
  if (curves.length === 0) return null;
  const title = 'CPU by process';
  return {
    ...{ name: 'cpu', title, curves, marks, stacked: true, bars: null },
    alt: `${title}, in cores of ${host.cpus}, one area upon the other. ${sentencesOf(curves, [], marks)}`,
    limits: [{ name: `all ${host.cpus} cores`, label: '', y: host.cpus, span: null }],
    x: secondsAxis(curves),
    y: linear('cores', host.cpus),
  };
}

function memoryDrawing(m: Measurements, marks: Marks): Drawing | null {
  const curves = memoryCurves(m).map(plainLook);
  if (curves.length === 0) return null;
  const title = 'Memory by process';
  return {
    ...{ name: 'memory', title, curves, limits: [], marks, stacked: false, bars: null },
    alt: `${title}, resident, in MB. ${sentencesOf(curves, [], marks)}`,
    x: secondsAxis(curves),
    y: linear('MB', highest(curves)),
  };
}

/** Memory and CPU of what is under test over the number of players, by stage, and the line through these means. */
function byPlayersDrawings({ perPlayer }: Report, m: Measurements): readonly (Drawing | null)[] {
  const means = stageMeans(m).toSorted((a, b) => a.players - b.players);
  const drawing = (
    {
      name,
      title,
      of,
      unit,
      per,
    }: Record<'name' | 'title' | 'unit', string> & {
      readonly of: 'memoryBytes' | 'cpuPercentOfCore';
      readonly per: number;
    },
    { slope }: Report['perPlayer']['memoryBytes'],
  ): Drawing | null => {
    if (slope === null) return null;
    const x = means.map(({ players }) => players);
    const y = means.map((mean) => (mean[of] ?? 0) / per);
    const middle = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
    const [atX, atY] = [middle(x), middle(y)];
    const line = x.map((players) => atY + (slope / per) * (players - atX));
    const curves: readonly Look[] = [
      { name: 'mean of each stage', x, y, dashed: false },
      { name: 'line of least squares', x, y: line, dashed: true },
    ];
    return {
      ...{ name, title, curves, limits: [], marks: null, stacked: false, bars: null },
      alt: `${title}, in ${unit}. ${sentencesOf(curves, [], null)}`,
      x: { title: 'connected players', scale: 'linear', from: 0, to: Math.max(1, x.at(-1) ?? 1) },
      y: linear(unit, highest(curves)),
    };
  };
  const [MB, PERCENT] = [2 ** 20, 100];
  return [
    drawing(
      { name: 'memory-by-players', title: 'Memory by players', of: 'memoryBytes', unit: 'MB', per: MB },
      perPlayer.memoryBytes,
    ),
    drawing(
      {
        name: 'cpu-by-players',
        title: 'CPU by players',
        of: 'cpuPercentOfCore',
        unit: 'cores',
        per: PERCENT,
      },
      perPlayer.cpuPercentOfCore,
    ),
  ];
}

const secondsAxis = (curves: readonly Curve[]): Axis => ({
  ...{ title: 'seconds after GO', scale: 'linear', from: 0 },
  to: Math.max(1, ...curves.map(({ x }) => x.at(-1) ?? 0)),
});

/** With some room above the highest value. */
const linear = (title: string, top: number): Axis => ({
  ...{ title, scale: 'linear', from: 0 },
  to: top > 0 ? 1.06 * top : 1,
});

/** On a linear axis this many times as high as most of a curve, the curve is a flat line at the bottom. */
const FLATTENS = 12;

/** Logarithmic where a limit, or a few slow seconds, would flatten the rest. */
export function latencyAxis(curves: readonly Curve[], limits: readonly Limit[]): Axis {
  const known = curves.flatMap(({ y }) => y.filter((value) => value !== null && value > 0)) as number[];
  const sorted = known.toSorted((a, b) => a - b);
  const [least = 1, middle = 1] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
  const top = Math.max(highest(curves), ...limits.map(({ y }) => y));
  return top > FLATTENS * middle
    ? { title: 'milliseconds (log scale)', scale: 'log', from: 0.8 * Math.min(least, top), to: 1.3 * top }
    : linear('milliseconds', top);
}

const highest = (curves: readonly Curve[]): number =>
  curves.reduce((most, { y }) => y.reduce<number>((top, value) => Math.max(top, value ?? 0), most), 0);

/** `intents p95: 9.1 to 18.8. Budget ..: 500. Stages: hold from 5 s.` */
function sentencesOf(curves: readonly Curve[], limits: readonly Limit[], marks: Marks | null): string {
  const { stages = [], faults = [], noise = null } = marks ?? {};
  const list = (of: readonly { readonly name: string; readonly from: number }[]): string =>
    of.map(({ name, from }) => `${name} from ${numberText(from)} s`).join(', ');
  return [
    ...curves.map(({ name, y }) => {
      const known = y.filter((value) => value !== null);
      const [low, high] = [Math.min(...known), Math.max(...known)].map((value) => numberText(value));
      return `${name}: ${low} to ${high}.`;
    }),
    ...limits.map(({ name }) => `Limit: ${name}.`),
    ...(stages.length === 0 ? [] : [`Stages: ${list(stages)}.`]),
    ...(faults.length === 0 ? [] : [`Faults: ${list(faults)}.`]),
    ...(noise === null || noise.spans.length === 0 ? [] : [`${noiseText(noise)}.`]),
  ].join(' ');
}

/** `disturbed: CPU steal, generator late` */
export const noiseText = ({ causes }: Noise): string => `disturbed seconds (${causes.join(', ')})`;

/** Seconds in which something beside the system took part of the machine, by the limits for a single second. */
function noiseOf(m: Measurements): Noise {
  const seconds = secondsOf(m);
  const ofHost = (series: string): boolean[] =>
    ratesAt(m.series[series], seconds).map(
      (cores) => (percentOf(cores, m.host.cpus) ?? 0) > DEFAULT_RULES.stealMaxPercent,
    );
  const delays = numbered(m.series, 'generator', 'loopDelayMs').map((series) => valuesAt(series, seconds));
  const late = seconds.map((_, i) =>
    delays.some((delay) => (delay[i] ?? 0) > DEFAULT_RULES.generatorLoopDelayMs),
  );
  const kinds = [
    ['CPU steal', ofHost('host.cpuStealSeconds')],
    ['other processes', ofHost('host.foreignCpuSeconds')],
    ['generator late', late],
  ] as const;
  const spans: { from: number; to: number }[] = [];
  for (const [i, second] of seconds.entries()) {
    if (!kinds.some(([, disturbed]) => disturbed[i])) continue;
    const before = spans.at(-1);
    if (before?.to === second - 1) before.to = second;
    else spans.push({ from: second - 1, to: second });
  }
  return { spans, causes: kinds.flatMap(([cause, disturbed]) => (disturbed.includes(true) ? [cause] : [])) };
}
