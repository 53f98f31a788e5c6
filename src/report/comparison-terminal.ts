import type { Comparison } from '../compare/comparison.ts';
import { metricOf } from '../compare/metric.ts';
import {
  comparisonAdvice,
  comparisonWord,
  detectableText,
  intervalText,
  meanText,
  methodText,
  percentText,
  RULING_SIGNS,
  remarksOf,
  rulingWord,
  sideText,
} from './comparison-text.ts';
import { plain } from './plain-text.ts';
import type { TerminalStyle } from './terminal.ts';
import { grid, type Palette, palette, wrap } from './terminal-text.ts';

const [NARROWEST, WIDEST] = [60, 140];
/** Below it, a table has short names and one column less. */
const WIDE = 110;

/** Base and head side by side, what keeps it from a conclusion, and the verdict on the last line. */
export function comparisonSummary(
  comparison: Comparison,
  { colour, width: columns, page }: TerminalStyle,
): string {
  const paint = palette(colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, columns)) - 3;
  const { base, head, scenario } = comparison;
  const title = `${scenario}: base ${sideText(base)} against head ${sideText(head)}`;
  return [
    '',
    ...wrap(plain(title), width).map((line) => `  ${paint.bold(line)}`),
    ...wrap(plain(methodText(comparison)), width).map((line) => `  ${paint.dim(line)}`),
    '',
    ...findingLines(comparison, paint, width),
    ...wrap(`Next: ${plain(comparisonAdvice(comparison))}.`, width).map((line) => `  ${line}`),
    verdictLine(comparison, paint, page),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Only the verdict, for `--quiet`. */
export const comparisonLine = (
  comparison: Comparison,
  { colour, page }: Pick<TerminalStyle, 'colour' | 'page'>,
): string => `${verdictLine(comparison, palette(colour), page).trimStart()}\n`;

const INKS = { pass: 'green', regression: 'red', inconclusive: 'yellow' } as const;

function verdictLine(comparison: Comparison, paint: Palette, page: string): string {
  const { outcome, exitCode, headline } = comparison;
  const word = `${comparisonWord(comparison).toUpperCase()} (${exitCode})`;
  return `  ${paint.bold(paint[INKS[outcome]](word))}  ${plain(headline)}${page === '' ? '' : `  ${page}`}`;
}

/** What is not comparable, the metrics side by side, and why some of them have no ruling. */
export function findingLines(comparison: Comparison, paint: Palette, width: number): readonly string[] {
  const differences = comparison.notComparable.map(
    ({ what, base, head }) => `${what}: ${base} in base, ${head} in head`,
  );
  const remarks = remarksOf(comparison);
  return [
    ...(differences.length === 0
      ? []
      : [`  ${paint.bold('NOT COMPARABLE')}`, ...bullets(differences, width), '']),
    ...metricLines(comparison, paint, width),
    ...bullets(remarks, width),
    ...(remarks.length === 0 ? [] : ['']),
  ];
}

function metricLines({ metrics }: Comparison, paint: Palette, width: number): readonly string[] {
  if (metrics.length === 0) return [];
  // What decides comes first.
  const rows = [...metrics.filter(({ gated }) => gated), ...metrics.filter(({ gated }) => !gated)];
  const isNarrow = width < WIDE;
  const [titles = '', ...lines] = grid(
    [
      ['', 'base', 'head', 'change', 'interval', ...(isNarrow ? [] : ['shows from']), ''],
      ...rows.map((one) => [
        plain(isNarrow ? metricOf(one.metric).short : one.label),
        meanText(one.base, one.unit),
        meanText(one.head, one.unit),
        percentText(one.changePercent),
        intervalText(one),
        ...(isNarrow ? [] : [detectableText(one)]),
        rulingWord(one),
      ]),
    ],
    width - 6,
  );
  const marked = lines.map((line, i) => {
    const { gated = false, ruling = 'same' } = rows[i] ?? {};
    if (!gated) return `    ${paint.dim(`· ${line}`)}`;
    const ink =
      ruling === 'worse' ? paint.red : ruling === 'better' || ruling === 'same' ? paint.green : paint.yellow;
    return `    ${ink(RULING_SIGNS[ruling])} ${line}`;
  });
  return [`      ${paint.dim(titles)}`, ...marked, ''];
}

const bullets = (texts: readonly string[], width: number): readonly string[] =>
  texts.flatMap((text) => wrap(plain(text), width - 4).map((line, i) => `  ${i === 0 ? '- ' : '  '}${line}`));
