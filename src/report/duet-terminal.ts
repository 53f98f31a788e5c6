import type { Comparison } from '../compare/comparison.ts';
import type { Duet, DuetAttempt } from '../compare/duet.ts';
import { metricOf } from '../compare/metric.ts';
import type { Trial } from '../compare/trial.ts';
import { findingLines } from './comparison-terminal.ts';
import { duetFacts, duetHeadline, duetVerdict, shownMetric } from './duet-text.ts';
import { plain } from './plain-text.ts';
import { numberText, quantity } from './quantity.ts';
import type { TerminalStyle } from './terminal.ts';
import { cut, palette, wrap } from './terminal-text.ts';

const COLOURS = { pass: 'green', fail: 'red', invalid: 'yellow' } as const;

/** `   3  head   PASS     CPU per operation, server 251 us` */
export function attemptLine(
  { trial, version, outcome, because }: DuetAttempt,
  measured: Pick<Trial, 'metrics'> | null,
  gate: Duet['gate'],
  { colour, width }: Pick<TerminalStyle, 'colour' | 'width'>,
): string {
  const paint = palette(colour);
  const head = `  ${String(trial).padStart(3)}  ${version}  `;
  const word = outcome.toUpperCase().padEnd(7);
  const shown = measured === null ? null : shownMetric(measured.metrics, gate);
  const figure =
    shown === null ? '' : `${metricOf(shown[0]).label} ${quantity(shown[1], metricOf(shown[0]).unit, 4)}`;
  const text = outcome === 'pass' ? figure : [because, figure].filter((one) => one !== '').join('; ');
  const rest = cut(plain(text), Math.max(20, width - head.length - word.length - 2));
  return `${head}${paint.bold(paint[COLOURS[outcome]](word))}  ${rest}\n`;
}

/** What the pairs so far would show of the gated metric that needs the most: nothing of the change itself. */
export function powerLine({ metrics, thresholdPercent }: Comparison, pairs: number): string {
  const gated = metrics.filter((one) => one.gated && one.ruling !== 'not comparable');
  const worst = gated.toSorted(
    (one, other) =>
      (other.detectablePercent ?? Number.POSITIVE_INFINITY) -
      (one.detectablePercent ?? Number.POSITIVE_INFINITY),
  )[0];
  if (worst === undefined) return '';
  const { label, detectablePercent: percent } = worst;
  const shown =
    percent === null || percent > 100
      ? 'no change below 100% yet'
      : `a change of ${numberText(percent)}% of ${label}`;
  return `       ${pairs} ${pairs === 1 ? 'pair' : 'pairs'} would show ${shown}; wanted: ${numberText(thresholdPercent)}%\n`;
}

const NAME_WIDTH = 13;

/** What a duet ends with, below the comparison of its pairs. `page` is its duet.html. */
export function duetSummary(
  duet: Duet,
  comparison: Comparison | null,
  { colour, width, page }: TerminalStyle,
): string {
  const paint = palette(colour);
  const inner = Math.min(width, 140) - 4;
  const facts = duetFacts(duet).flatMap(([name, text]) =>
    wrap(plain(text), inner - NAME_WIDTH).map(
      (line, i) => `    ${(i === 0 ? name : '').padEnd(NAME_WIDTH)}${line}`,
    ),
  );
  return [
    '',
    ...wrap(plain(`${duet.scenario}: ${duetHeadline(duet, comparison)}`), inner).map(
      (line) => `  ${paint.bold(line)}`,
    ),
    '',
    ...(comparison === null ? [] : findingLines(comparison, paint, inner)),
    ...facts,
    '',
    `  ${verdictWord(duet, comparison, colour)}  ${page}`,
    '',
  ].join('\n');
}

function verdictWord(duet: Duet, comparison: Comparison | null, colour: boolean): string {
  const paint = palette(colour);
  const { word, exitCode } = duetVerdict(duet, comparison);
  const ink =
    word === 'pass' ? paint.green : word === 'regression' || word === 'failed' ? paint.red : paint.yellow;
  return paint.bold(ink(`${word.toUpperCase()} (${exitCode})`));
}

/** Only the verdict, for `--quiet`. */
export const duetLine = (
  duet: Duet,
  comparison: Comparison | null,
  { colour, page }: Pick<TerminalStyle, 'colour' | 'page'>,
): string => `${verdictWord(duet, comparison, colour)}  ${plain(duetHeadline(duet, comparison))}  ${page}\n`;
