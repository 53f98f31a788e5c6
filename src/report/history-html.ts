import type { HistoryMetric, HistoryReport, Series } from '../compare/history.ts';
import type { Drawing, Look } from './drawing.ts';
import {
  changesText,
  figureText,
  historyNotes,
  latestText,
  percentText,
  seriesTitle,
  shortCommit,
  spanText,
} from './history-text.ts';
import { factList, list, row, safe, table } from './markup.ts';
import { page, type Section } from './page.ts';
import { capital } from './plain-text.ts';
import { numberText } from './quantity.ts';
import { timeText } from './report-text.ts';
import { svgOf } from './svg.ts';

const COLOURS = { pass: 'pass', regression: 'fail', inconclusive: 'invalid' } as const;

/** A history as one page that makes no request: a chart for each metric of each series. */
export function historyHtml(report: HistoryReport): string {
  const { outcome, exitCode, headline, series } = report;
  const header = `<header class="${COLOURS[outcome]}">
<p class="name">History <span class="faint">of runs that can be compared</span></p>
<h1>${safe(capital(outcome))} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(capital(headline))}.</p>
</header>`;
  return page(
    `History: ${outcome} (${exitCode})`,
    [header],
    [
      ...series.map(sectionOf),
      { id: 'about', title: 'How it is known', parts: [list(historyNotes(report).map(capital))] },
    ],
  );
}

function sectionOf(series: Series, i: number): Section {
  const { metrics, decides, differs, identity } = series;
  const id = `series-${i + 1}`;
  const conditions = Object.fromEntries(Object.entries(identity).map(([name, value]) => [name, [value]]));
  return {
    id,
    title: seriesTitle(series),
    parts: [
      `<p>${safe(spanText(series))}${decides ? '' : ' <span class="faint">It does not decide: a newer series of this scenario does.</span>'}</p>`,
      ...(differs.length === 0 ? [] : [list(differs.map((one) => `Another ${one}`))]),
      overview(series),
      ...changesTable(series),
      '<h3>Charts</h3>',
      ...metrics.flatMap((metric) => {
        const drawing = drawingOf(metric, series, `${id}-${metric.metric.replaceAll(/[^\w-]/g, '-')}`);
        return drawing === null ? [] : [svgOf(drawing)];
      }),
      `<details><summary>What these runs have in common</summary>${factList(conditions).join('')}</details>`,
    ],
  };
}

const STATES = {
  worse: ['breached', '✗ worse'],
  better: ['met', '✓ better'],
  steady: ['met', '✓ steady'],
  'too few runs': ['noted', '– too few runs'],
} as const;

const overview = ({ metrics, runs }: Series): string =>
  table(
    ['', 'Metric', 'Newest', 'Change'],
    metrics.map((metric) => {
      const [className, state] = STATES[metric.ruling];
      return row(
        [
          metric.gated ? state : `${state}, not gated`,
          capital(metric.label),
          latestText(metric),
          changesText(metric, runs.length),
        ],
        metric.gated ? className : '',
      );
    }),
    'checks',
  );

/** Every change of every metric, the newest first. */
function changesTable({ metrics, runs }: Series): readonly string[] {
  const all = metrics
    .flatMap((metric) => metric.changes.map((change) => ({ metric, change })))
    .toSorted((a, b) => b.change.run - a.change.run);
  if (all.length === 0) return [];
  return [
    '<h3>Changes</h3>',
    table(
      ['', 'Metric', 'Change', 'From', 'To', 'First run with it', 'Last run before', 'Also changed'],
      all.map(({ metric: { label, unit }, change }) =>
        row(
          [
            change.ruling,
            capital(label),
            percentText(change),
            figureText(change.meanBefore, unit),
            figureText(change.meanAfter, unit),
            `${runText(change)} (run ${change.run + 1} of ${runs.length})`,
            runText(change.after),
            change.versions.join(', '),
          ],
          change.ruling === 'worse' ? 'breached' : 'met',
        ),
      ),
    ),
  ];
}

const runText = ({
  startedAt,
  commit,
}: {
  readonly startedAt: string;
  readonly commit: string | null;
}): string => [...(commit === null ? [] : [shortCommit(commit)]), timeText(startedAt)].join(', ');

/** Each run, and the level that it belongs to; null where nothing was measured. */
function drawingOf(
  { label, unit, values, changes }: HistoryMetric,
  { runs }: Series,
  name: string,
): Drawing | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const x = values.map((_, i) => i + 1);
  const levelAt = (run: number): number => {
    const last = changes.findLast((change) => change.run <= run);
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    return last?.meanAfter ?? changes[0]?.meanBefore ?? mean;
  };
  const curves: readonly Look[] = [
    { name: 'each run', x, y: values, dashed: false },
    { name: 'mean between changes', x, y: x.map((_, i) => levelAt(i)), dashed: true },
  ];
  const marks = changes.map((change) => ({
    ...{ name: percentText(change), from: change.run + 1, to: change.run + 1 },
  }));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const title = capital(label);
  const said = changes.map(
    (change) => `${percentText(change)} from run ${change.run + 1} (${runText(change)}): ${change.ruling}.`,
  );
  return {
    ...{ name, title, curves, limits: [], stacked: false, bars: null },
    marks: { measured: null, stages: marks, faults: [], noise: { spans: [], causes: [] } },
    alt: `${title}, of ${numberText(runs.length)} runs: ${figureText(low, unit)} to ${figureText(high, unit)}. ${said.join(' ')}`.trim(),
    x: { title: 'runs, the newest last', scale: 'linear', from: 1, to: Math.max(2, runs.length) },
    y: { title: unit === 'us' ? 'µs' : unit, scale: 'linear', ...rangeOf(low, high) },
  };
}

/** Around the values, so that a change of some percent can be seen. */
function rangeOf(low: number, high: number): { readonly from: number; readonly to: number } {
  if (low <= 0) return { from: Math.min(0, 1.1 * low), to: high > 0 ? 1.1 * high : 1 };
  return { from: 0.8 * low, to: 1.1 * high };
}
