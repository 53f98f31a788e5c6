import type { ChartConfiguration, ChartDataset, Plugin, ScaleOptionsByType } from 'chart.js';
import type { Measurements } from '../measurement/measurements.ts';
import type { Curve } from './curves.ts';

/** A pixel of CSS is two dots wide and high, for today's screens. */
const DOTS_PER_PIXEL = 2;

/** Okabe and Ito's palette, which people with any kind of colour vision can tell apart. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
const INK = '#1f2933';
export const FAINT = '#616e7c';
const GRID = '#e4e7eb';
const LIMIT = '#b00020';
const FAULT = '#c0392b';

export type Config = ChartConfiguration<
  'line' | 'bar',
  (number | null)[] | { x: number; y: number | null }[]
>;
export type Line = ChartDataset<'line', { x: number; y: number | null }[]>;

/** A curve as a line; a single point is shown as one. */
export const line = ({ name, x, y }: Curve, i: number, over: Partial<Line> = {}): Line => ({
  type: 'line',
  label: name,
  data: x.map((at, k) => ({ x: at, y: y[k] ?? null })),
  borderColor: COLOURS[i % COLOURS.length] ?? INK,
  backgroundColor: COLOURS[i % COLOURS.length] ?? INK,
  borderWidth: 2,
  pointRadius: x.length < 3 ? 3 : 0,
  tension: 0,
  ...over,
});

/** A horizontal line for a limit, over the whole width of the chart. */
export const limitLine = (name: string, value: number, from: number, to: number): Line => ({
  type: 'line',
  label: name,
  data: [
    { x: from, y: value },
    { x: to, y: value },
  ],
  borderColor: LIMIT,
  backgroundColor: LIMIT,
  borderWidth: 2,
  borderDash: [8, 5],
  pointRadius: 0,
});

type Axis = Partial<ScaleOptionsByType<'linear' | 'logarithmic' | 'category'>>;

export const axis = (text: string, over: object = {}): Axis =>
  ({
    title: { display: true, text, color: FAINT, font: { size: 13 } },
    grid: { color: GRID },
    border: { color: GRID },
    ...over,
  }) as Axis;

interface More {
  readonly labels?: string[];
  readonly plugins?: Plugin[];
  readonly legend?: 'line' | 'rect' | 'none';
}

export function config(
  title: string,
  datasets: Config['data']['datasets'],
  scales: { readonly x: Axis; readonly y: Axis },
  more: More = {},
): (subtitle: string) => Config {
  const { legend = 'line' } = more;
  return (subtitle) => ({
    type: 'line',
    data: { datasets, ...(more.labels === undefined ? {} : { labels: more.labels }) },
    options: {
      devicePixelRatio: DOTS_PER_PIXEL,
      layout: { padding: { top: 12, right: 24, bottom: 10, left: 12 } },
      plugins: {
        title: {
          display: true,
          text: title,
          align: 'start',
          color: INK,
          font: { size: 17, weight: 600 },
          padding: { bottom: 2 },
        },
        subtitle: {
          display: true,
          text: subtitle,
          align: 'start',
          padding: { bottom: legend === 'none' ? 18 : 4 },
        },
        legend: {
          display: legend !== 'none',
          align: 'start',
          labels: {
            usePointStyle: true,
            pointStyle: legend === 'rect' ? 'rect' : 'line',
            pointStyleWidth: legend === 'rect' ? 14 : 28,
            color: INK,
            padding: 14,
          },
        },
      },
      scales: scales as NonNullable<NonNullable<Config['options']>['scales']>,
    },
    plugins: more.plugins ?? [],
  });
}

/** Shades what is not the measure phase. */
export function measurePhase({ measured }: Measurements): Plugin {
  return {
    id: 'measure-phase',
    beforeDatasetsDraw({ ctx, chartArea, scales }) {
      const x = scales.x;
      if (measured === null || x === undefined) return;
      const clamp = (value: number): number =>
        Math.min(chartArea.right, Math.max(chartArea.left, x.getPixelForValue(value)));
      const [from, to] = [clamp(measured.from), clamp(measured.to)];
      ctx.save();
      ctx.fillStyle = 'rgba(97, 110, 124, 0.10)';
      ctx.fillRect(chartArea.left, chartArea.top, from - chartArea.left, chartArea.height);
      ctx.fillRect(to, chartArea.top, chartArea.right - to, chartArea.height);
      ctx.restore();
    },
  };
}

/** A line where each stage begins, and its name. */
export function stageMarks({ stages }: Pick<Measurements, 'stages'>): Plugin {
  return {
    id: 'stages',
    afterDatasetsDraw({ ctx, chartArea, scales }) {
      const x = scales.x;
      if (x === undefined) return;
      ctx.save();
      ctx.font = `600 11px ${ctx.font.slice(ctx.font.indexOf('px ') + 3)}`;
      for (const { name, from, to } of stages) {
        const [left, right] = [x.getPixelForValue(from), x.getPixelForValue(to)];
        ctx.fillStyle = FAINT;
        for (let y = chartArea.top; y < chartArea.bottom; y += 8) ctx.fillRect(left, y, 1, 4);
        const width = ctx.measureText(name).width;
        // A stage that is narrower than its name goes without it; the report lists them all.
        if (left + 8 + width > right) continue;
        ctx.fillText(name, left + 4, chartArea.top + 12);
      }
      ctx.restore();
    },
  };
}

/** A line and a name at each fault; one that lasted is a band. */
export function faultMarks({ faults, stages }: Pick<Measurements, 'faults' | 'stages'>): Plugin {
  // Below the names of the stages.
  const line = stages.length === 0 ? 12 : 26;
  return {
    id: 'faults',
    afterDatasetsDraw({ ctx, chartArea, scales }) {
      const x = scales.x;
      if (x === undefined) return;
      ctx.save();
      ctx.font = `600 11px ${ctx.font.slice(ctx.font.indexOf('px ') + 3)}`;
      let labelled = Number.NEGATIVE_INFINITY;
      for (const { id, from, to } of faults) {
        const left = x.getPixelForValue(from);
        const right = x.getPixelForValue(to ?? from);
        ctx.fillStyle = 'rgba(192, 57, 43, 0.14)';
        ctx.fillRect(left, chartArea.top, Math.max(0, right - left), chartArea.height);
        ctx.fillStyle = FAULT;
        ctx.fillRect(left, chartArea.top, 1, chartArea.height);
        // Names that would lie upon each other are left out; the report lists them all.
        const width = ctx.measureText(id).width;
        if (left < labelled || left + 4 + width > chartArea.right) continue;
        ctx.fillText(id, left + 4, chartArea.top + line);
        labelled = left + 4 + width + 8;
      }
      ctx.restore();
    },
  };
}

export const seconds = (curves: readonly Curve[]): Axis =>
  axis('seconds after GO (shaded: not measured)', {
    type: 'linear',
    min: 0,
    max: Math.max(1, ...curves.map(({ x }) => x.at(-1) ?? 0)),
  });

export const most = (curves: readonly Curve[]): number =>
  Math.max(0, ...curves.map(({ y }) => y.reduce<number>((top, value) => Math.max(top, value ?? 0), 0)));

/** With some air above the highest point. */
export const FROM_ZERO = { type: 'linear', beginAtZero: true, grace: '8%' } as const;

/** A linear axis, or a logarithmic one where the limit would vanish beside what was measured. */
export const millisecondsAxis = (top: number, limit: number | null): Axis =>
  limit !== null && top > 15 * limit
    ? axis('milliseconds (log)', { type: 'logarithmic', ticks: { callback: decade } })
    : axis('milliseconds', FROM_ZERO);

const decade = (value: number | string): string => {
  const number = Number(value);
  return Number.isInteger(Math.log10(number)) ? number.toLocaleString('en-US') : '';
};

/** Grid lines at 90%, 99%, 99.9% .. alone. */
export const decadesOnly = ({ tick }: { readonly tick?: { readonly value: number } }): string =>
  tick !== undefined && Number.isInteger(Math.log10(tick.value)) ? GRID : 'transparent';

/** 1 / (1 - quantile) as a percentile: 10 is 90%, 1000 is 99.9%. */
export function percentileTick(value: number | string): string {
  const decades = Math.log10(Number(value));
  if (!Number.isInteger(decades)) return '';
  return `${Number((100 * (1 - 10 ** -decades)).toFixed(Math.max(0, decades - 2)))}%`;
}
