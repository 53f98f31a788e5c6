import { HistogramLogWriter } from 'hdr-histogram-js';
import { messageOf } from '../errors.ts';
import { toHdr } from '../hdr-histogram.ts';
import { countOf } from '../histogram.ts';
import { jsonText } from '../json-document.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Figures, SystemFigure } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { valuesAt } from '../measurement/readings.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Drawing, drawingsOf } from './drawing.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';
import { type Report, reportOf } from './report.ts';
import { summary } from './summary.ts';

/** Renders every artefact. A chart that cannot be drawn on this platform causes a warning, and does not fail the run. */
export async function render(
  m: Measurements,
  s: Scenario,
  verdict: Verdict,
  figures: Figures,
  withCharts = true,
  own: readonly SystemFigure[] = [],
) {
  const report = reportOf(m, s, verdict, figures, own);
  const drawings = drawingsOf(report, m);
  const { charts, warnings } = withCharts ? await chartsOf(report, drawings) : NO_CHARTS;
  /** Name inside the bundle -> content. */
  const artefacts = new Map<string, string | Uint8Array>([
    ['report.json', reportJson(report)],
    ['report.html', html(report, drawings)],
    ['junit.xml', junit(report)],
    ['summary.md', summary(report)],
    ['series.csv', seriesCsv(m, s.scale)],
    ...histogramLogs(m, s.scale),
    ...charts.map(({ name, png }) => [`charts/${name}.png`, png] as const),
  ]);
  return { report, artefacts, warnings };
}

const NO_CHARTS = { charts: [], warnings: [] };

/** Pictures of the charts. Their library is large, and its binary does not exist for every platform: loaded when it is needed. */
async function chartsOf(report: Report, drawings: readonly Drawing[]) {
  try {
    const { drawCharts } = await import('./chart.ts');
    return { charts: drawCharts(report, drawings), warnings: [] as string[] };
  } catch (error) {
    return { charts: [], warnings: [`the charts could not be drawn: ${messageOf(error)}`] };
  }
}

/** report.json. */
export const reportJson = (report: Report): string => jsonText(report);

const KINDS = ['due', 'service', 'lag'] as const;

/**
 * `histograms/<op>-<kind>.hlog`: each histogram of the measure phase as one interval in HdrHistogram's log
 * format, in microseconds; the column of the maximum is in milliseconds. Those without a value are left out.
 */
export function histogramLogs(m: Measurements, scale: number): ReadonlyMap<string, string> {
  const logs = new Map<string, string>();
  const from = m.measured?.from ?? 0;
  const to = m.measured?.to ?? 0;
  // The time of GO; the intervals count from there.
  const start = Date.parse(m.startedAt) + 1000 * (m.phases.go ?? 0);
  for (const [op, facts] of Object.entries(m.operations)) {
    for (const kind of KINDS) {
      const data = facts[kind];
      if (countOf(data) === 0) continue;
      let text = '';
      const writer = new HistogramLogWriter((line) => {
        text += line;
      });
      writer.outputComment(`[${op}, ${kind}: microseconds; scale ${scale}]`);
      writer.outputLogFormatVersion();
      writer.outputComment(
        `[StartTime: ${(start / 1000).toFixed(3)} (seconds since epoch), ${new Date(start).toISOString()}]`,
      );
      writer.outputLegend();
      writer.outputIntervalHistogram(toHdr(data), from, to, 1000);
      logs.set(`histograms/${op}-${kind}.hlog`, text);
    }
  }
  return logs;
}

/** A run of more than four hours has a line for every second, third, .. second. */
const MOST_LINES = 14_400;

/**
 * series.csv: a line for each second after GO, a column for each series. Counters are as they were read,
 * interpolated to the second, and go on where a restarted server began again at 0; an empty field is a second without data. The scale stands in every line.
 */
export function seriesCsv({ series }: Measurements, scale: number): string {
  const names = Object.keys(series).sort();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { points } of Object.values(series)) {
    first = Math.min(first, Math.ceil(points.at(0)?.[0] ?? Number.POSITIVE_INFINITY));
    last = Math.max(last, Math.floor(points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY));
  }
  const length = Math.max(0, last - first + 1);
  const step = Math.max(1, Math.ceil(length / MOST_LINES));
  const seconds = Array.from({ length: Math.ceil(length / step) || 0 }, (_, i) => first + i * step);
  const columns = names.map((name) => valuesAt(series[name], seconds));
  const field = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : String(Math.round(value * 1e6) / 1e6);
  return [
    ['second', 'scale', ...names.map(quoted)].join(','),
    ...seconds.map((second, i) => [second, scale, ...columns.map((column) => field(column[i]))].join(',')),
    '',
  ].join('\n');
}

const quoted = (name: string): string => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
