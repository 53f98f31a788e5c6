import regular from '@fontsource/inter/files/inter-latin-400-normal.woff2';
import semibold from '@fontsource/inter/files/inter-latin-600-normal.woff2';
import { GlobalFonts } from '@napi-rs/canvas';
import type {
  ChartArea,
  ChartConfiguration,
  ChartDataset,
  Chart as ChartJs,
  Plugin,
  ScaleOptionsByType,
} from 'chart.js';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Measurements } from '../measurement/measurements.ts';
import {
  batchBars,
  type Curve,
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
    const { name, title, alt } = drawing;
    const png = new Uint8Array(canvas.renderToBufferSync(configOf(drawing, subtitle)));
    return [{ name, title, alt, png }];
  });
}

interface Drawing extends Omit<Chart, 'png'> {
  readonly datasets: Config['data']['datasets'];
  readonly scales: { readonly x: Axis; readonly y: Axis };
  readonly labels?: string[];
  readonly plugins?: Plugin[];
  readonly legend?: 'line' | 'rect' | 'none';
}

/** Of a chart over the seconds of a run. */
const alongRun = (m: Measurements): Plugin[] => [measurePhase(m), stageMarks(m), faultMarks(m)];

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
    datasets: [...curves.map((curve, i) => line(curve, i)), ...limit],
    scales: { x, y: millisecondsAxis(most(curves), budget?.ms ?? null) },
    plugins: alongRun(m),
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
    datasets: [...curves.map((curve, i) => line(curve, i, { borderDash: dashes[i] ?? [] })), ...limit],
    scales: {
      x: axis('percentile', {
        ...{ type: 'logarithmic', min: 1, max: end, grid: { color: decadesOnly } },
        ticks: { callback: percentileTick, autoSkip: false, maxRotation: 0 },
      }),
      y: millisecondsAxis(most(curves), budget?.ms ?? null),
    },
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
    datasets: curves.map((curve, i) => line(curve, i, i === 0 ? { borderDash: [6, 4] } : {})),
    scales: { x: seconds(curves), y: axis('a second', FROM_ZERO) },
    plugins: alongRun(m),
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
    datasets: [
      { type: 'bar', label: 'batches', data: counts, backgroundColor: COLOURS[0], maxBarThickness: 72 },
    ],
    scales: {
      x: axis('operations in a batch', { type: 'category', grid: { display: false } }),
      y: axis('batches', FROM_ZERO),
    },
    ...{ labels, legend: 'none' },
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
      ...{ fill: i === 0 ? 'origin' : '-1', stack: 'cores', borderWidth: 1 },
    }),
  );
  return {
    name: 'cpu',
    title,
    alt: `${title}, in cores of ${host.cpus}: ${curves.map(({ name }) => name).join(', ')}, one upon the other.`,
    datasets: [
      ...areas,
      { ...limitLine(`all ${host.cpus} cores`, host.cpus, 0, Number(x.max)), stack: 'limit' },
    ],
    scales: { x, y: axis('cores', { ...FROM_ZERO, stacked: true }) },
    plugins: alongRun(m),
    legend: 'rect',
  };
}

/** A pixel of CSS is two dots wide and high, for today's screens. */
const DOTS_PER_PIXEL = 2;

/** Okabe and Ito's palette, which people with any kind of colour vision can tell apart. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
const INK = '#1f2933';
const FAINT = '#616e7c';
const GRID = '#e4e7eb';
const LIMIT = '#b00020';
const FAULT = '#c0392b';

type Config = ChartConfiguration<'line' | 'bar', (number | null)[] | { x: number; y: number | null }[]>;
type Line = ChartDataset<'line', { x: number; y: number | null }[]>;

const lineOf = (label: string, data: Line['data'], colour: string, over: Partial<Line>): Line => ({
  ...{ type: 'line', label, data, borderColor: colour, backgroundColor: colour },
  ...{ borderWidth: 2, ...over },
});

/** A curve as a line; a single point is shown as one. */
const line = ({ name, x, y }: Curve, i: number, over: Partial<Line> = {}): Line => {
  const data = x.map((at, k) => ({ x: at, y: y[k] ?? null }));
  const colour = COLOURS[i % COLOURS.length] ?? INK;
  return lineOf(name, data, colour, { pointRadius: x.length < 3 ? 3 : 0, tension: 0, ...over });
};

/** A horizontal line for a limit, over the whole width of the chart. */
const limitLine = (name: string, y: number, from: number, to: number): Line =>
  lineOf(
    name,
    [from, to].map((x) => ({ x, y })),
    LIMIT,
    { borderDash: [8, 5], pointRadius: 0 },
  );

type Axis = Partial<ScaleOptionsByType<'linear' | 'logarithmic' | 'category'>>;

const axis = (text: string, over: object = {}): Axis =>
  ({
    title: { display: true, text, color: FAINT, font: { size: 13 } },
    grid: { color: GRID },
    border: { color: GRID },
    ...over,
  }) as Axis;

function configOf({ title, datasets, scales, labels, plugins, legend }: Drawing, subtitle: string): Config {
  const isRect = legend === 'rect';
  const text = { display: true, align: 'start' } as const;
  return {
    type: 'line',
    data: { datasets, ...(labels === undefined ? {} : { labels }) },
    options: {
      devicePixelRatio: DOTS_PER_PIXEL,
      layout: { padding: { top: 12, right: 24, bottom: 10, left: 12 } },
      plugins: {
        title: { ...text, text: title, color: INK, font: { size: 17, weight: 600 }, padding: { bottom: 2 } },
        subtitle: { ...text, text: subtitle, padding: { bottom: legend === 'none' ? 18 : 4 } },
        legend: {
          ...{ display: legend !== 'none', align: 'start' },
          labels: {
            ...{
              usePointStyle: true,
              pointStyle: isRect ? 'rect' : 'line',
              pointStyleWidth: isRect ? 14 : 28,
            },
            ...{ color: INK, padding: 14 },
          },
        },
      },
      scales: scales as NonNullable<NonNullable<Config['options']>['scales']>,
    },
    plugins: plugins ?? [],
  };
}

/** What is drawn beside the curves: `before` them, or upon them. */
function drawn(
  id: string,
  when: 'beforeDatasetsDraw' | 'afterDatasetsDraw',
  draw: (ctx: ChartJs['ctx'], area: ChartArea, at: (value: number) => number) => void,
): Plugin {
  return {
    id,
    [when]({ ctx, chartArea, scales: { x } }: ChartJs) {
      if (x === undefined) return;
      ctx.save();
      ctx.font = `600 11px ${ctx.font.slice(ctx.font.indexOf('px ') + 3)}`;
      draw(ctx, chartArea, (value) => x.getPixelForValue(value));
      ctx.restore();
    },
  };
}

/** Shades what is not the measure phase. */
const measurePhase = ({ measured }: Measurements): Plugin =>
  drawn('measure-phase', 'beforeDatasetsDraw', (ctx, { left, right, top, height }, at) => {
    if (measured === null) return;
    const [from = 0, to = 0] = [measured.from, measured.to].map((value) =>
      Math.min(right, Math.max(left, at(value))),
    );
    ctx.fillStyle = 'rgba(97, 110, 124, 0.10)';
    ctx.fillRect(left, top, from - left, height);
    ctx.fillRect(to, top, right - to, height);
  });

/** A line where each stage begins, and its name. */
const stageMarks = ({ stages }: Measurements): Plugin =>
  drawn('stages', 'afterDatasetsDraw', (ctx, { top, bottom }, at) => {
    for (const { name, from, to } of stages) {
      const left = at(from);
      ctx.fillStyle = FAINT;
      for (let y = top; y < bottom; y += 8) ctx.fillRect(left, y, 1, 4);
      // A stage that is narrower than its name goes without it; the report lists them all.
      if (left + 8 + ctx.measureText(name).width <= at(to)) ctx.fillText(name, left + 4, top + 12);
    }
  });

/** A line and a name at each fault; one that lasted is a band. */
const faultMarks = ({ faults, stages }: Measurements): Plugin =>
  drawn('faults', 'afterDatasetsDraw', (ctx, { top, height, right }, at) => {
    // Below the names of the stages.
    const line = stages.length === 0 ? 12 : 26;
    let labelled = Number.NEGATIVE_INFINITY;
    for (const { id, from, to } of faults) {
      const left = at(from);
      ctx.fillStyle = 'rgba(192, 57, 43, 0.14)';
      ctx.fillRect(left, top, Math.max(0, at(to ?? from) - left), height);
      ctx.fillStyle = FAULT;
      ctx.fillRect(left, top, 1, height);
      // Names that would lie upon each other are left out; the report lists them all.
      const width = ctx.measureText(id).width;
      if (left < labelled || left + 4 + width > right) continue;
      ctx.fillText(id, left + 4, top + line);
      labelled = left + 4 + width + 8;
    }
  });

const seconds = (curves: readonly Curve[]): Axis =>
  axis('seconds after GO (shaded: not measured)', {
    type: 'linear',
    min: 0,
    max: Math.max(1, ...curves.map(({ x }) => x.at(-1) ?? 0)),
  });

const most = (curves: readonly Curve[]): number =>
  Math.max(0, ...curves.map(({ y }) => y.reduce<number>((top, value) => Math.max(top, value ?? 0), 0)));

/** With some air above the highest point. */
const FROM_ZERO = { type: 'linear', beginAtZero: true, grace: '8%' } as const;

/** A linear axis, or a logarithmic one where the limit would vanish beside what was measured. */
const millisecondsAxis = (top: number, limit: number | null): Axis =>
  limit !== null && top > 15 * limit
    ? axis('milliseconds (log)', { type: 'logarithmic', ticks: { callback: decade } })
    : axis('milliseconds', FROM_ZERO);

const decade = (value: number | string): string => {
  const number = Number(value);
  return Number.isInteger(Math.log10(number)) ? number.toLocaleString('en-US') : '';
};

/** Grid lines at 90%, 99%, 99.9% .. alone. */
const decadesOnly = ({ tick }: { readonly tick?: { readonly value: number } }): string =>
  tick !== undefined && Number.isInteger(Math.log10(tick.value)) ? GRID : 'transparent';

/** 1 / (1 - quantile) as a percentile: 10 is 90%, 1000 is 99.9%. */
function percentileTick(value: number | string): string {
  const decades = Math.log10(Number(value));
  if (!Number.isInteger(decades)) return '';
  return `${Number((100 * (1 - 10 ** -decades)).toFixed(Math.max(0, decades - 2)))}%`;
}
