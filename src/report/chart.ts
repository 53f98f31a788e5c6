import regular from '@fontsource/inter/files/inter-latin-400-normal.woff2';
import semibold from '@fontsource/inter/files/inter-latin-600-normal.woff2';
import { GlobalFonts } from '@napi-rs/canvas';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Measurements } from '../measurement/measurements.ts';
import {
  axis,
  COLOURS,
  type Config,
  config,
  decadesOnly,
  FAINT,
  FROM_ZERO,
  faultMarks,
  type Line,
  limitLine,
  line,
  measurePhase,
  millisecondsAxis,
  most,
  percentileTick,
  seconds,
  stageMarks,
} from './chart-style.ts';
import {
  batchBars,
  cpuCurves,
  latencyBudget,
  latencyCurves,
  percentileCurves,
  throughputCurves,
} from './curves.ts';
import { plain, scaleText } from './format.ts';
import type { Report } from './report.ts';
import { cut } from './terminal-text.ts';

/** One picture. */
export interface Chart {
  /** `latency`: its file is charts/latency.png. */
  readonly name: string;
  readonly title: string;
  /** What can be seen, for those who cannot see it. */
  readonly alt: string;
  readonly png: Uint8Array;
}

/** In CSS pixels. */
const WIDTH = 960;
const HEIGHT = 420;
const FONT = 'Capbench Inter';
/** In characters: more does not fit under the title. */
const WIDEST_SUBTITLE = 120;

/** Draws every chart for which there is data. Throws when this platform has no canvas. */
export function drawCharts(report: Report, m: Measurements): readonly Chart[] {
  GlobalFonts.register(Buffer.from(regular, 'base64'), FONT);
  GlobalFonts.register(Buffer.from(semibold, 'base64'), FONT);
  const canvas = new ChartJSNodeCanvas({
    width: WIDTH,
    height: HEIGHT,
    backgroundColour: '#ffffff',
    chartCallback: ({ defaults }) => {
      defaults.font.family = FONT;
      defaults.font.size = 13;
      defaults.color = FAINT;
    },
  });
  const subtitle = cut(plain(`${report.scenario}, ${scaleText(report)}`), WIDEST_SUBTITLE);
  const drawings = [latencyChart, percentileChart, throughputChart, batchChart, cpuChart];
  return drawings.flatMap((draw) => {
    const drawing = draw(report, m);
    if (drawing === null) return [];
    const { name, title, alt, config } = drawing;
    const png = new Uint8Array(canvas.renderToBufferSync(config(subtitle)));
    return [{ name, title, alt, png }];
  });
}

interface Drawing {
  readonly name: string;
  readonly title: string;
  readonly alt: string;
  /** Takes what stands under the title. */
  readonly config: (subtitle: string) => Config;
}

const stagesText = ({ stages }: Measurements): string =>
  stages.length === 0
    ? ''
    : `; stages ${stages.map(({ name, from }) => `${name} from ${from} s`).join(', ')}`;

function latencyChart(report: Report, m: Measurements): Drawing | null {
  const curves = latencyCurves(m, report.operations);
  if (curves.length === 0) return null;
  const title = 'Latency from due, second by second';
  const budget = latencyBudget(report);
  const x = seconds(curves);
  const limit = budget === null ? [] : [limitLine(budget.name, budget.ms, 0, Number(x.max))];
  return {
    name: 'latency',
    title,
    alt: `${title}: ${curves.map(({ name }) => name).join(', ')}${budget === null ? '' : `; budget ${budget.name}`}${stagesText(m)}.`,
    config: config(
      title,
      [...curves.map((curve, i) => line(curve, i)), ...limit],
      { x, y: millisecondsAxis(most(curves), budget?.ms ?? null) },
      { plugins: [measurePhase(m), stageMarks(m), faultMarks(m)] },
    ),
  };
}

function percentileChart(report: Report, m: Measurements): Drawing | null {
  const curves = percentileCurves(m, report.operations);
  if (curves.length === 0) return null;
  const title = 'Latency by percentile, measure phase';
  const budget = latencyBudget(report);
  const end = Math.max(10, ...curves.map(({ x }) => x.at(-1) ?? 1));
  const limit = budget === null ? [] : [limitLine(budget.name, budget.ms, 1, end)];
  const dashes = curves.map(({ name }, i): Line['borderDash'] =>
    name.endsWith('from sent') && i > 0 ? [4, 4] : [],
  );
  return {
    name: 'percentiles',
    title,
    alt: `${title}: ${curves.map(({ name }) => name).join('; ')}, on a scale that widens towards 100%.`,
    config: config(
      title,
      [...curves.map((curve, i) => line(curve, i, { borderDash: dashes[i] ?? [] })), ...limit],
      {
        x: axis('percentile', {
          type: 'logarithmic',
          min: 1,
          max: end,
          ticks: { callback: percentileTick, autoSkip: false, maxRotation: 0 },
          grid: { color: decadesOnly },
        }),
        y: millisecondsAxis(most(curves), budget?.ms ?? null),
      },
    ),
  };
}

function throughputChart(_: Report, m: Measurements): Drawing | null {
  const curves = throughputCurves(m);
  if (curves.length === 0) return null;
  const title = 'Throughput';
  return {
    name: 'throughput',
    title,
    alt: `${title}, a second: ${curves.map(({ name }) => name).join(', ')}${stagesText(m)}.`,
    config: config(
      title,
      curves.map((curve, i) => line(curve, i, i === 0 ? { borderDash: [6, 4] } : {})),
      { x: seconds(curves), y: axis('a second', FROM_ZERO) },
      { plugins: [measurePhase(m), stageMarks(m), faultMarks(m)] },
    ),
  };
}

function batchChart({ throughput }: Report, m: Measurements): Drawing | null {
  const { labels, counts } = batchBars(m);
  if (labels.length === 0) return null;
  const { operationsPerBatch } = throughput;
  const title = 'Batch sizes, measure phase';
  return {
    name: 'batches',
    title,
    alt: `${title}: how many batches had how many operations; ${typeof operationsPerBatch === 'number' ? operationsPerBatch.toFixed(0) : 'an unknown number of'} operations on average.`,
    config: config(
      title,
      [{ type: 'bar', label: 'batches', data: counts, backgroundColor: COLOURS[0], maxBarThickness: 72 }],
      {
        x: axis('operations in a batch', { type: 'category', grid: { display: false } }),
        y: axis('batches', FROM_ZERO),
      },
      { labels, legend: 'none' },
    ),
  };
}

function cpuChart({ host }: Report, m: Measurements): Drawing | null {
  const curves = cpuCurves(m);
  if (curves.length === 0) return null;
  const title = 'CPU by process';
  const x = seconds(curves);
  const areas = curves.map((curve, i) =>
    line(curve, i, {
      backgroundColor: `${COLOURS[i % COLOURS.length]}99`,
      fill: i === 0 ? 'origin' : '-1',
      stack: 'cores',
      borderWidth: 1,
    }),
  );
  return {
    name: 'cpu',
    title,
    alt: `${title}, in cores of ${host.cpus}: ${curves.map(({ name }) => name).join(', ')}, one upon the other.`,
    config: config(
      title,
      [...areas, { ...limitLine(`all ${host.cpus} cores`, host.cpus, 0, Number(x.max)), stack: 'limit' }],
      { x, y: axis('cores', { ...FROM_ZERO, stacked: true }) },
      { plugins: [measurePhase(m), stageMarks(m), faultMarks(m)], legend: 'rect' },
    ),
  };
}
