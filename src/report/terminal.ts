import { EXIT } from '../errors.ts';
import { isOfRule, relaxedNames } from '../judge/rules/rule.ts';
import { budgetsLine, unseenTraffic } from '../judge/verdict.ts';
import { agentTable } from './agents.ts';
import { databaseFacts, type Facts, hostFacts } from './facts.ts';
import { nextStep } from './next-step.ts';
import { plain } from './plain-text.ts';
import { deliveryFacts, playerFacts } from './player-facts.ts';
import { numberText } from './quantity.ts';
import type { Report } from './report.ts';
import { errorNotes, notesOf, timeText } from './report-text.ts';
import { type Reasoned, reasonsOf } from './ruling-text.ts';
import { systemFacts } from './system-facts.ts';
import { compactBudgetLines, fullBudgetLines } from './terminal-budgets.ts';
import { keyFigures, latencyLines, loadLines } from './terminal-figures.ts';
import { faultLines, stageLines } from './terminal-stages.ts';
import {
  belowFact,
  cut,
  fact,
  fold,
  grid,
  LONGEST_FACT,
  type Paint,
  type Palette,
  palette,
  wrap,
} from './terminal-text.ts';
import { unwatchedNotes, watchedValues } from './watched.ts';

export interface TerminalStyle {
  readonly colour: boolean;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** Every figure, not only the most important ones. */
  readonly full: boolean;
  /** The page that the last line names. */
  readonly page: string;
}

/** Tables do not fit in less: the terminal has to break their lines. */
const NARROWEST = 60;
const WIDEST = 120;

/** The part of a report that every summary shows. */
export type Summarised = Pick<
  Report,
  'scenario' | 'altered' | 'seed' | 'startedAt' | 'scenarioHash' | 'headline' | 'outcome' | 'exitCode'
> &
  Pick<Report, 'rulings' | 'rules' | 'breachedBecause' | 'invalidBecause'> & {
    readonly load: Pick<Report['load'], 'scale'>;
  };

/** What a summary shows of the figures: a block of lines without a title, or a section of its own. */
export interface Figures {
  readonly key: (paint: Palette, width: number) => readonly string[];
  readonly all: (paint: Palette, width: number) => readonly string[];
  /** Notes of the compact summary, and of the full one. */
  readonly keyNotes: readonly string[];
  readonly notes: readonly string[];
}

/** The summary that ends a run: the headline, budgets, the figures that decide, what to do next, the verdict. */
export const terminalSummary = (report: Report, style: TerminalStyle): string =>
  summaryText(report, style, {
    keyNotes: [...unseenTraffic(report), ...unwatchedNotes(report), ...errorNotes(report)],
    notes: [...notesOf(report), ...unwatchedNotes(report)],
    key: (paint, width) => [
      ...keyFigures(report, paint, width),
      ...apart(stageLines(report, paint, width)),
      ...apart(faultLines(report, paint, width)),
    ],
    all: (paint, width) => [
      ...section('LOAD', fold(loadLines(report), width), paint),
      ...(report.load.durationSeconds === null
        ? []
        : [
            ...section('LATENCY', latencyLines(report, paint, width), paint),
            ...section('DELIVERIES', fold(factLines(deliveryFacts(report)), width), paint),
            ...section('FIGURES OF THE PLAYERS', fold(factLines(playerFacts(report)), width), paint),
            ...section('FIGURES OF THE SYSTEM', fold(factLines(systemFacts(report)), width), paint),
            ...section('WATCHED', fold(watchedLines(report), width), paint),
            ...section('STAGES', stageLines(report, paint, width), paint),
            ...section('FAULTS', faultLines(report, paint, width), paint),
            ...section('DATABASE', fold(factLines(databaseFacts(report)), width), paint),
            ...section('HOST AND GENERATOR', fold(hostLines(report), width), paint),
            ...section('AGENTS', agentLines(report, width), paint),
          ]),
    ],
  });

const factLines = (facts: Facts): string[] =>
  Object.entries(facts).map(([name, values]) => fact(name, ...values.map(plain)));

/** A metric's name may be longer than the column of names. */
const watchedLines = (report: Report): string[] =>
  watchedValues(report).flatMap(([name, values]) =>
    name.length < LONGEST_FACT
      ? [fact(plain(name), ...values.map(plain))]
      : [plain(name), belowFact(values.map(plain).join('  '))],
  );

function agentLines(report: Report, width: number): string[] {
  const { head, rows } = agentTable(report);
  return rows.length === 0
    ? []
    : grid(
        [head, ...rows].map((cells) => cells.map(plain)),
        width,
      );
}

const hostLines = (report: Report): string[] => [
  ...factLines(hostFacts(report)),
  fact('bottleneck', report.bottleneck.resource, plain(report.bottleneck.evidence)),
];

/** The headline first, the verdict last; between them the budgets, and what `figures` says. */
export function summaryText(report: Summarised, style: TerminalStyle, figures: Figures): string {
  const paint = palette(style.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, style.width)) - 1;
  // The width of a section, which is indented.
  const inner = width - 4;
  const body = style.full
    ? [
        ...section('BUDGETS', fullBudgetLines(report, paint, inner), paint),
        ...figures.all(paint, inner),
        ...reasonLines(report, figures.notes, paint, inner),
      ]
    : [
        ...block(compactBudgetLines(report, paint, inner)),
        ...block([
          ...figures.key(paint, inner),
          ...bullets([...openReasons(report), ...figures.keyNotes, ...relaxedNote(report)], inner),
        ]),
      ];
  return [
    '',
    ...heading(report, style, paint, width),
    ...body,
    ...nextLines(report, style, width),
    verdictLine(report, style.page, paint),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What to do next; of the compact summary also how to read the rest. */
function nextLines(report: Summarised, { full }: TerminalStyle, width: number): string[] {
  const text = `Next: ${plain(nextStep(report))}.${full ? '' : ' All figures: --full.'}`;
  const lines = text.length <= width - 2 ? [text] : wrap(text, width - 8);
  return lines.map((line, i) => `  ${i === 0 ? '' : '      '}${line}`);
}

/** The verdict and the headline; below them what was run. */
function heading(report: Summarised, { full }: TerminalStyle, paint: Palette, width: number): string[] {
  const { scenario, load, altered, seed, startedAt, scenarioHash, outcome, headline } = report;
  const colour = paint[COLOURS[outcome]];
  const word = outcome.toUpperCase();
  const facts = `scale ${numberText(load.scale)}, seed ${seed}, ${timeText(startedAt)}, ${scenarioHash.slice(0, 12)}`;
  const change = `altered: ${plain(altered.join(', '))}`;
  const changed = altered.length === 0 ? [] : full ? wrap(change, width - 2) : [cut(change, width - 2)];
  const indent = ' '.repeat(word.length + 2);
  return [
    ...wrap(plain(headline), width - 4 - word.length).map((line, i) =>
      i === 0 ? `  ${paint.bold(colour(word))}  ${paint.bold(line)}` : `  ${indent}${paint.bold(line)}`,
    ),
    `  ${paint.dim(cut(`${plain(scenario)}, ${facts}`, width - 2))}`,
    ...changed.map((line) => `  ${line}`),
    '',
  ];
}

const COLOURS = { pass: 'green', fail: 'red', invalid: 'yellow' } as const satisfies Record<
  Report['outcome'],
  keyof Palette
>;

const indented = (lines: readonly string[]): string[] =>
  lines.map((line) => (line === '' ? '' : `    ${line}`));

const block = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : [...indented(lines), '']);

const apart = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', ...lines]);

const section = (title: string, lines: readonly string[], paint: Palette): string[] =>
  lines.length === 0 ? [] : [`  ${paint.bold(title)}`, '', ...indented(lines), ''];

const MOST_REASONS = 3;
/** Rules whose figures are in the table of operations or of stages. */
const IN_TABLES = /^(load-sustained\.|(answered|rejected)\.[^.]+$)/;

/** The reasons that neither the headline gives nor a table, without the advice of their rules. */
function openReasons({ exitCode, headline, breachedBecause, invalidBecause, rules }: Summarised): string[] {
  const inHeadline =
    exitCode === EXIT.invalid ? invalidBecause[0] : exitCode === EXIT.dataLost ? breachedBecause[0] : null;
  const others = [...breachedBecause, ...invalidBecause].flatMap((reason) => {
    if (reason === inHeadline || headline.includes(reason)) return [];
    const rule = rules.find(({ id, state }) => state === 'broken' && isOfRule(id, reason));
    if (rule === undefined) return [reason];
    return IN_TABLES.test(rule.id) ? [] : [reason.replace(`: ${rule.advice}`, '')];
  });
  const rest = others.length - MOST_REASONS;
  return [...others.slice(0, MOST_REASONS), ...(rest > 0 ? [`reasons not shown: ${rest} (--full)`] : [])];
}

/** One note for all relaxed rules in place of one for each. */
function relaxedNote({ rules }: Summarised): readonly string[] {
  const relaxed = relaxedNames(rules);
  const count = relaxed.length === 1 ? '1 rule' : `${relaxed.length} rules`;
  return relaxed.length === 0 ? [] : [`${count} relaxed by the scenario (--full)`];
}

const bullets = (texts: readonly string[], width: number): string[] =>
  texts.flatMap((text) => wrap(plain(text), width - 2).map((line, i) => `${i === 0 ? '• ' : '  '}${line}`));

function reasonLines(
  { breachedBecause, invalidBecause }: Pick<Report, 'breachedBecause' | 'invalidBecause'>,
  notes: readonly string[],
  paint: Palette,
  width: number,
): string[] {
  const list = (title: string, reasons: readonly string[], colour: Paint): string[] =>
    reasons.length === 0 ? [] : [`  ${colour(title)}`, '', ...indented(bullets(reasons, width)), ''];
  return [
    ...list('BREACHED', breachedBecause, paint.red),
    ...list('NO CONCLUSION', invalidBecause, paint.yellow),
    ...list('NOTES', notes, paint.bold),
  ];
}

/** The verdict's line, after a line for each reason why it is not a pass. */
export const terminalVerdict = (
  report: Reasoned & Pick<Report, 'outcome' | 'exitCode'>,
  style: TerminalStyle,
): string =>
  [...reasonsOf(report), verdictLine(report, style.page, palette(style.colour)).trim(), ''].join('\n');

/** `FAIL (99)  3 of 34 budgets breached, 149 not judged  reports/m4pro-20k-.../report.html` */
function verdictLine(
  report: Pick<Report, 'outcome' | 'exitCode' | 'rulings'>,
  page: string,
  paint: Palette,
): string {
  return `  ${verdictText(report, paint)}  ${budgetsLine(report)}  ${page}`;
}

/** `FAIL (99)` */
export const verdictText = (
  { outcome, exitCode }: Pick<Report, 'outcome' | 'exitCode'>,
  paint: Palette,
): string => paint.bold(paint[COLOURS[outcome]](`${outcome.toUpperCase()} (${exitCode})`));
