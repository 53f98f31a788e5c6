import { countRulings, countsLine } from '../judge/verdict.ts';
import { notesOf } from './error-notes.ts';
import { numberText, plain, timeText } from './format.ts';
import { type Reasoned, reasonsOf } from './reasons.ts';
import type { Report } from './report.ts';
import { budgetLines } from './terminal-budgets.ts';
import { faultLines } from './terminal-faults.ts';
import { databaseLines, hostLines, latencyLines, loadLines } from './terminal-figures.ts';
import { stageLines } from './terminal-stages.ts';
import { cut, fold, type Paint, type Palette, palette, wrap } from './terminal-text.ts';

export interface TerminalStyle {
  readonly colour: boolean;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** Where to read on, for the last line. */
  readonly page: string;
}

/** The tables need as much; a narrower terminal breaks them itself. */
export const NARROWEST = 80;
export const WIDEST = 120;

/** The summary that ends a run: budgets, load, latency, database, host and generator, verdict. */
export function terminalSummary(report: Report, style: TerminalStyle): string {
  const paint = palette(style.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, style.width)) - 1;
  const measured = [
    ...section('LATENCY', latencyLines(report, paint), paint),
    ...section('STAGES', stageLines(report, paint, width), paint),
    ...section('FAULTS', faultLines(report, paint), paint),
    ...section('DATABASE', fold(databaseLines(report), width - 4), paint),
    ...section('HOST AND GENERATOR', fold(hostLines(report), width - 4), paint),
  ];
  return [
    '',
    ...heading(report, paint, width),
    ...section('BUDGETS', budgetLines(report, paint, width), paint),
    ...section('LOAD', fold(loadLines(report), width - 4), paint),
    ...(report.load.durationSeconds === null ? [] : measured),
    ...reasonLines({ ...report, notes: notesOf(report) }, paint, width),
    ...wrap(plain(report.headline), width - 2).map((line) => `  ${paint.bold(line)}`),
    verdictLine(report, style.page, paint),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

export function heading(
  report: Pick<Report, 'scenario' | 'altered' | 'seed' | 'startedAt' | 'scenarioHash'> & {
    readonly load: Pick<Report['load'], 'scale'>;
  },
  paint: Palette,
  width: number,
): string[] {
  const { scenario, load, altered, seed, startedAt, scenarioHash } = report;
  const facts = `scale ${numberText(load.scale)}, seed ${seed}, ${timeText(startedAt)}, ${scenarioHash.slice(0, 12)}`;
  const changed = altered.length === 0 ? [] : wrap(`altered: ${plain(altered.join(', '))}`, width - 2);
  return [
    `  ${paint.bold(cut(plain(scenario), width - 2))}`,
    `  ${paint.dim(cut(facts, width - 2))}`,
    ...changed.map((line) => `  ${cut(line, width - 2)}`),
    '',
  ];
}

export const section = (title: string, lines: readonly string[], paint: Palette): string[] =>
  lines.length === 0 ? [] : [`  ${paint.bold(title)}`, '', ...lines.map((line) => `    ${line}`), ''];

export function reasonLines(
  report: Pick<Report, 'notes' | 'breachedBecause' | 'invalidBecause'>,
  paint: Palette,
  width: number,
): string[] {
  const list = (title: string, reasons: readonly string[], colour: Paint): string[] =>
    reasons.length === 0
      ? []
      : [
          `  ${colour(title)}`,
          '',
          ...reasons.flatMap((reason) =>
            wrap(plain(reason), width - 6).map((line, i) => `    ${i === 0 ? '• ' : '  '}${line}`),
          ),
          '',
        ];
  return [
    ...list('NOTES', report.notes, paint.bold),
    ...list('NOT HELD', report.breachedBecause, paint.red),
    ...list('NO CONCLUSION', report.invalidBecause, paint.yellow),
  ];
}

/** The verdict as it ends the summary, and before it what keeps it from a pass, a line each. */
export const terminalVerdict = (
  report: Reasoned & Pick<Report, 'outcome' | 'exitCode'>,
  style: TerminalStyle,
): string =>
  [...reasonsOf(report), verdictLine(report, style.page, palette(style.colour)).trim(), ''].join('\n');

/** `FAIL (99)  3 breached, 31 met, 9 unmeasured, 12 untestable  reports/m4pro-20k-.../report.html` */
export function verdictLine(
  { outcome, exitCode, rulings }: Pick<Report, 'outcome' | 'exitCode' | 'rulings'>,
  page: string,
  paint: Palette,
): string {
  const colour = { pass: paint.green, fail: paint.red, invalid: paint.yellow }[outcome];
  const verdict = paint.bold(colour(`${outcome.toUpperCase()} (${exitCode})`));
  return `  ${verdict}  ${countsLine(countRulings(rulings))}  ${page}`;
}
