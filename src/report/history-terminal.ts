import type { HistoryMetric, HistoryReport, Series } from '../compare/history.ts';
import { changesText, historyNotes, latestText, seriesTitle, spanText } from './history-text.ts';
import { capital, plain } from './plain-text.ts';
import { sparkline } from './sparkline.ts';
import type { TerminalStyle } from './terminal.ts';
import { cut, type Palette, palette, wrap } from './terminal-text.ts';

const [NARROWEST_CHART, WIDEST_CHART, WIDEST_TEXT] = [8, 40, 42];
/** As `capbench run` has them; `↑` is a change for the better. */
const MARKS = { worse: '✗', better: '↑', steady: '✓', 'too few runs': '–' } as const;
const INKS = { worse: 'red', better: 'green', steady: 'green', 'too few runs': 'yellow' } as const;

/** What `history show` and `history check` print; `full`: series and metrics that do not decide, too. */
export function historySummary(
  report: HistoryReport,
  { colour, width, full }: Pick<TerminalStyle, 'colour' | 'width' | 'full'>,
): string {
  const paint = palette(colour);
  const inner = Math.min(width, 140);
  const shown = report.series.filter(({ decides }) => full || decides);
  return [
    ...shown.flatMap((series) => seriesLines(series, full, paint, inner)),
    '',
    ...historyNotes(report).flatMap((note) =>
      wrap(plain(note), inner - 6).map((line, i) => `  ${i === 0 ? '•' : ' '} ${line}`),
    ),
    '',
    verdictLine(report, paint),
  ].join('\n');
}

function seriesLines(series: Series, full: boolean, paint: Palette, width: number): readonly string[] {
  const metrics = series.metrics.filter(({ gated }) => full || gated);
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const rows = metrics.map((metric) => ({
    metric,
    label: plain(metric.label),
    latest: latestText(metric),
    text: changesText(metric, series.runs.length),
  }));
  const [label, latest] = [longest(rows.map((row) => row.label)), longest(rows.map((row) => row.latest))];
  const text = Math.min(WIDEST_TEXT, longest(rows.map((row) => row.text)));
  const chart = Math.max(
    NARROWEST_CHART,
    Math.min(WIDEST_CHART, series.runs.length, width - label - latest - text - 12),
  );
  const differs = series.differs.map((one) => `    another ${plain(one)}`);
  return [
    '',
    `  ${paint.bold(cut(plain(seriesTitle(series)), width - 2))}`,
    `  ${paint.dim(cut(plain(spanText(series)), width - 2))}`,
    ...differs.map((line) => cut(line, width)),
    '',
    ...rows.map(({ metric, label: name, latest: value, text: change }) => {
      const cells = [
        name.padEnd(label),
        sparkline(metric.values, chart).padEnd(chart),
        value.padStart(latest),
        change,
      ];
      return `    ${markOf(metric, paint)} ${cut(cells.join('  '), width - 6)}`;
    }),
  ];
}

const markOf = ({ ruling, gated }: HistoryMetric, paint: Palette): string =>
  gated
    ? paint[INKS[ruling]](MARKS[ruling])
    : paint.dim(ruling === 'worse' || ruling === 'better' ? MARKS[ruling] : ' ');

const VERDICTS = { pass: 'green', regression: 'red', inconclusive: 'yellow' } as const;

/** The verdict and what decided, for `--quiet` and as the last line. */
export const historyLine = (report: HistoryReport, { colour }: Pick<TerminalStyle, 'colour'>): string =>
  verdictLine(report, palette(colour)).trimStart();

function verdictLine({ outcome, exitCode, headline }: HistoryReport, paint: Palette): string {
  const word = `${outcome.toUpperCase()} (${exitCode})`;
  return `  ${paint.bold(paint[VERDICTS[outcome]](word))}  ${plain(capital(headline))}\n`;
}
