import regular from '@fontsource/inter/files/inter-latin-400-normal.woff2';
import semibold from '@fontsource/inter/files/inter-latin-600-normal.woff2';
import { GlobalFonts } from '@napi-rs/canvas';
import type { ChartArea, ChartConfiguration, ChartDataset, Chart as ChartJs, Plugin } from 'chart.js';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Axis, Drawing, Limit, Look, Marks } from './drawing.ts';
import { plain } from './plain-text.ts';
import type { Report } from './report.ts';
import { scaleText } from './report-text.ts';
import { scaleOf } from './scale.ts';
import { cut } from './terminal-text.ts';

/** A picture of the bundle: charts/<name>.png. */
export interface Chart {
  readonly name: string;
  readonly png: Uint8Array;
}

/** In CSS pixels. */
const WIDTH = 960;
const HEIGHT = 420;
const FONT = 'Capbench Inter';
/** In characters: more does not fit under the title. */
const WIDEST_SUBTITLE = 120;

/** Draws the charts of a report as pictures. Throws when this platform has no canvas. */
export function drawCharts(
  report: Pick<Report, 'scenario' | 'altered' | 'load'>,
  drawings: readonly Drawing[],
): readonly Chart[] {
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
  return drawings.map((drawing) => ({
    name: drawing.name,
    png: new Uint8Array(canvas.renderToBufferSync(configOf(drawing, subtitle))),
  }));
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
const NOISE = '#e69f00';

type Config = ChartConfiguration<'line' | 'bar', (number | null)[] | { x: number; y: number | null }[]>;
type Line = ChartDataset<'line', { x: number; y: number | null }[]>;

const lineOf = (label: string, data: Line['data'], colour: string, over: Partial<Line>): Line => ({
  ...{ type: 'line', label, data, borderColor: colour, backgroundColor: colour },
  ...{ borderWidth: 2, ...over },
});

/** A point without neighbours is shown as one, since no line leads to it. */
const radiusOf = (y: Look['y'], k: number): number =>
  y.length < 3 ? 3 : (y[k - 1] ?? null) === null && (y[k + 1] ?? null) === null ? 2 : 0;

/** A curve as a line, or as an area upon the one before. */
function curveOf({ name, x, y, dashed }: Look, i: number, stacked: boolean): Line {
  const data = x.map((at, k) => ({ x: at, y: y[k] ?? null }));
  const colour = COLOURS[i % COLOURS.length] ?? INK;
  return lineOf(name, data, colour, {
    ...{ pointRadius: x.map((_, k) => radiusOf(y, k)), tension: 0, borderDash: dashed ? [6, 4] : [] },
    ...(stacked && {
      ...{ backgroundColor: `${colour}99`, fill: i === 0 ? 'origin' : '-1' },
      ...{ stack: 'cores', borderWidth: 1 },
    }),
  });
}

/** A horizontal line for a limit. */
const limitLine = ({ name, y, span }: Limit, x: Axis): Line =>
  lineOf(
    name,
    [span?.from ?? x.from, span?.to ?? x.to].map((at) => ({ x: at, y })),
    LIMIT,
    { borderDash: [8, 5], pointRadius: 0, stack: 'limit' },
  );

/** Its ticks are those of the page. */
function axisOf(axis: Axis, stacked = false) {
  const { ticks } = scaleOf(axis);
  return {
    ...{ type: axis.scale === 'linear' ? 'linear' : 'logarithmic', stacked },
    ...{ min: axis.from, max: axis.to },
    title: { display: true, text: axis.title, color: FAINT, font: { size: 13 } },
    ...{ grid: { color: GRID }, border: { color: GRID } },
    afterBuildTicks: (scale: { ticks: { value: number; label: string }[] }) => {
      scale.ticks = ticks.map(({ value, label }) => ({ value, label }));
    },
    ticks: {
      ...{ autoSkip: false, maxRotation: 0 },
      callback: (_: unknown, i: number) => ticks[i]?.label ?? '',
    },
  };
}

function configOf(drawing: Drawing, subtitle: string): Config {
  const { title, x, y, curves, limits, bars, stacked, marks } = drawing;
  const text = { display: true, align: 'start' } as const;
  const scales = {
    x:
      bars === null
        ? axisOf(marks === null ? x : { ...x, title: `${x.title} (shaded: not measured)` })
        : { type: 'category', title: { display: true, text: x.title }, grid: { display: false } },
    y: axisOf(y, stacked),
  };
  const datasets = [
    ...curves.map((curve, i) => curveOf(curve, i, stacked)),
    ...limits.map((limit) => limitLine(limit, x)),
  ];
  const columns: ChartDataset<'bar', (number | null)[]> = {
    ...{ type: 'bar', label: 'batches', data: [...(bars?.counts ?? [])] },
    ...{ backgroundColor: COLOURS[0], maxBarThickness: 72 },
  };
  return {
    type: 'line',
    data: bars === null ? { datasets } : { datasets: [columns], labels: [...bars.labels] },
    options: {
      devicePixelRatio: DOTS_PER_PIXEL,
      layout: { padding: { top: 12, right: 24, bottom: 10, left: 12 } },
      plugins: {
        title: { ...text, text: title, color: INK, font: { size: 17, weight: 600 }, padding: { bottom: 2 } },
        subtitle: { ...text, text: subtitle, padding: { bottom: bars === null ? 4 : 18 } },
        legend: {
          ...{ display: bars === null, align: 'start' },
          labels: {
            ...{ usePointStyle: true, pointStyle: stacked ? 'rect' : 'line' },
            ...{ pointStyleWidth: stacked ? 14 : 28, color: INK, padding: 14 },
          },
        },
      },
      scales: scales as NonNullable<NonNullable<Config['options']>['scales']>,
    },
    plugins:
      marks === null ? [] : [measurePhase(marks), noiseMarks(marks), stageMarks(marks), faultMarks(marks)],
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
const measurePhase = ({ measured }: Marks): Plugin =>
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
const stageMarks = ({ stages }: Marks): Plugin =>
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
const faultMarks = ({ faults, stages }: Marks): Plugin =>
  drawn('faults', 'afterDatasetsDraw', (ctx, { top, height, right }, at) => {
    // Below the names of the stages.
    const line = stages.length === 0 ? 12 : 26;
    let labelled = Number.NEGATIVE_INFINITY;
    for (const { name, from, to } of faults) {
      const left = at(from);
      ctx.fillStyle = 'rgba(192, 57, 43, 0.14)';
      ctx.fillRect(left, top, Math.max(0, at(to) - left), height);
      ctx.fillStyle = FAULT;
      ctx.fillRect(left, top, 1, height);
      // Names that would lie upon each other are left out; the report lists them all.
      const width = ctx.measureText(name).width;
      if (left < labelled || left + 4 + width > right) continue;
      ctx.fillText(name, left + 4, top + line);
      labelled = left + 4 + width + 8;
    }
  });

/** Along the axis, the seconds that something disturbed. */
const noiseMarks = ({ noise }: Marks): Plugin =>
  drawn('noise', 'afterDatasetsDraw', (ctx, { bottom }, at) => {
    ctx.fillStyle = NOISE;
    for (const { from, to } of noise.spans) ctx.fillRect(at(from), bottom - 5, at(to) - at(from), 5);
  });
