import { messageOf } from '../errors.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Chart } from './chart.ts';
import { histogramLogs } from './hlog.ts';
import { html } from './html.ts';
import { reportJson } from './json.ts';
import { junit } from './junit.ts';
import { type Report, reportOf } from './report.ts';
import { seriesCsv } from './series-csv.ts';
import { summary } from './summary.ts';

/** Everything that is said about one run. */
export interface Rendering {
  readonly report: Report;
  /** Name inside the bundle -> content. */
  readonly artefacts: ReadonlyMap<string, string | Uint8Array>;
  /** What could not be rendered, and why. */
  readonly warnings: readonly string[];
}

/** Renders every artefact. What cannot be drawn on this platform is a warning, never a failure of the run. */
export async function render(
  m: Measurements,
  s: Scenario,
  verdict: Verdict,
  figures: Figures,
): Promise<Rendering> {
  const report = reportOf(m, s, verdict, figures);
  const { charts, warnings } = await chartsOf(report, m);
  const artefacts = new Map<string, string | Uint8Array>([
    ['report.json', reportJson(report)],
    ['report.html', html(report, charts)],
    ['junit.xml', junit(report)],
    ['summary.md', summary(report)],
    ['series.csv', seriesCsv(m, s.scale)],
    ...histogramLogs(m, s.scale),
    ...charts.map(({ name, png }) => [`charts/${name}.png`, png] as const),
  ]);
  return { report, artefacts, warnings };
}

/** The chart library is large, and its binary is not there for every platform: loaded when it is needed. */
async function chartsOf(
  report: Report,
  m: Measurements,
): Promise<{ readonly charts: readonly Chart[]; readonly warnings: readonly string[] }> {
  try {
    const { drawCharts } = await import('./chart.ts');
    return { charts: drawCharts(report, m), warnings: [] };
  } catch (error) {
    return { charts: [], warnings: [`the charts could not be drawn: ${messageOf(error)}`] };
  }
}
