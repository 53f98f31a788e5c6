import { countRulings, countsLine } from '../judge/verdict.ts';
import { ofOperation } from '../scenario/operations.ts';
import {
  byReason,
  byState,
  cellText,
  connectionsText,
  limitText,
  NO_REASON,
  notesOf,
  numberText,
  observedText,
  plain,
  quantity,
  type Reasoned,
  rateText,
  reasonsOf,
  sentPercentOf,
  sharesText,
  timeText,
} from './format.ts';
import type { K6Report, Report, ReportRuling } from './report.ts';
import {
  connectingText,
  countsTexts,
  databaseLines,
  hostLines,
  latencyLines,
  loadLines,
} from './terminal-figures.ts';
import { cut, fact, fold, type Paint, type Palette, palette, shortLabel, wrap } from './terminal-text.ts';

export interface TerminalStyle {
  readonly colour: boolean;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** Where to read on, for the last line. */
  readonly page: string;
}

/** The tables need as much; a narrower terminal breaks them itself. */
const NARROWEST = 80;
const WIDEST = 120;

/** The summary that ends a run: budgets, load, latency, database, host and generator, verdict. */
export const terminalSummary = (report: Report, style: TerminalStyle): string =>
  summaryText(report, style, loadLines(report), (paint, width) => [
    ...(report.load.durationSeconds === null ? [] : measuredLines(report, paint, width)),
    ...reasonLines({ ...report, notes: notesOf(report) }, paint, width),
    ...wrap(plain(report.headline), width - 2).map((line) => `  ${paint.bold(line)}`),
  ]);

const measuredLines = (report: Report, paint: Palette, width: number): string[] => [
  ...section('LATENCY', latencyLines(report, paint), paint),
  ...section('STAGES', stageLines(report, paint, width), paint),
  ...section('FAULTS', faultLines(report, paint), paint),
  ...section('DATABASE', fold(databaseLines(report), width - 4), paint),
  ...section('HOST AND GENERATOR', fold(hostLines(report), width - 4), paint),
];

function summaryText(
  report: Headed & Pick<Report, 'rulings' | 'outcome' | 'exitCode'>,
  style: TerminalStyle,
  load: readonly string[],
  rest: (paint: Palette, width: number) => readonly string[],
): string {
  const paint = palette(style.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, style.width)) - 1;
  return [
    '',
    ...heading(report, paint, width),
    ...section('BUDGETS', budgetLines(report, paint, width), paint),
    ...section('LOAD', fold(load, width - 4), paint),
    ...rest(paint, width),
    verdictLine(report, style.page, paint),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

type Headed = Pick<Report, 'scenario' | 'altered' | 'seed' | 'startedAt' | 'scenarioHash'> & {
  readonly load: Pick<Report['load'], 'scale'>;
};
function heading(report: Headed, paint: Palette, width: number): string[] {
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

const section = (title: string, lines: readonly string[], paint: Palette): string[] =>
  lines.length === 0 ? [] : [`  ${paint.bold(title)}`, '', ...lines.map((line) => `    ${line}`), ''];

function reasonLines(
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
function verdictLine(
  { outcome, exitCode, rulings }: Pick<Report, 'outcome' | 'exitCode' | 'rulings'>,
  page: string,
  paint: Palette,
): string {
  const colour = { pass: paint.green, fail: paint.red, invalid: paint.yellow }[outcome];
  const verdict = paint.bold(colour(`${outcome.toUpperCase()} (${exitCode})`));
  return `  ${verdict}  ${countsLine(countRulings(rulings))}  ${page}`;
}

const WIDEST_TITLE = 56;
const NARROWEST_TITLE = 20;

interface Row {
  readonly ruling: ReportRuling;
  readonly id: string;
  readonly limit: string;
  readonly observed: string;
}

/** The table of budgets: breached, met, what does not decide; those without a figure are folded by reason. */
function budgetLines({ rulings }: Pick<Report, 'rulings'>, paint: Palette, width: number): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  // Without a figure there is nothing for a line of its own to say.
  const [observed, silent] = [
    unmeasured.filter((ruling) => ruling.observed !== null),
    unmeasured.filter((ruling) => ruling.observed === null),
  ];
  const shown = [...breached, ...met, ...together(contradicted), ...together(observed)];
  const { rows, widths, titleWidth } = layout(shown, width);
  const lines = rows.flatMap(({ ruling, id, limit, observed }, i) => {
    const line = [
      id.padEnd(widths[0]),
      titleOf(ruling, titleWidth).padEnd(titleWidth),
      limit.padEnd(widths[1]),
      observed.padStart(widths[2]),
    ].join('  ');
    const said = isDecided(ruling) ? ruling.reason : reasonAfter(ruling, rows[i + 1]?.ruling);
    const reason = said === null ? [] : wrap(plain(said), width - 6);
    return [`${mark(ruling, paint)} ${line}`, ...reason.map((text) => `  ${paint.dim(text)}`)];
  });
  const folded = (state: string, rulings: readonly ReportRuling[]): string[] =>
    byReason(rulings).map(([reason, count]) => {
      // A gate of the user's own has a name; of hundreds of claims the number says enough.
      const own = rulings.filter((one) => one.claim === null && (one.reason ?? NO_REASON) === reason);
      const names = own.length === 0 ? '' : ` (${own.map(({ id }) => id).join(', ')})`;
      return `${paint.dim('·')} ${cut(plain(`${count} ${state}${names}: ${reason}`), width - 6)}`;
    });
  const missing = [...folded('unmeasured', silent), ...folded('untestable', untestable)];
  return [...lines, ...(lines.length > 0 && missing.length > 0 ? [''] : []), ...missing];
}

/** Columns as wide as they need to be, and cut to shares of the line only when the titles would have no room. */
function layout(rulings: readonly ReportRuling[], width: number) {
  const within = (...caps: readonly [number, number, number]) => {
    const rows = rulings.map((ruling) => ({
      ruling,
      id: cut(plain(ruling.id), caps[0]),
      limit: cut(plain(limitText(ruling)), caps[1]),
      observed: cut(plain(observedText(ruling)), caps[2]),
    }));
    const widest = (of: (row: Row) => string): number =>
      rows.reduce((most, row) => Math.max(most, of(row).length), 0);
    const widths = [
      widest(({ id }) => id),
      widest(({ limit }) => limit),
      widest(({ observed }) => observed),
    ] as const;
    // The indent, the mark and three gaps of two.
    const left = width - 12 - widths[0] - widths[1] - widths[2];
    return { rows, widths, titleWidth: Math.min(left, WIDEST_TITLE) };
  };
  const natural = within(24, 32, 28);
  if (natural.titleWidth >= NARROWEST_TITLE) return natural;
  const share = (part: number): number => Math.floor(width * part);
  return within(share(0.19), share(0.27), share(0.2));
}

const isDecided = ({ state }: ReportRuling): boolean => state === 'met' || state === 'breached';

/** Those with the same reason stand beside one another, so that it is said once, below the last of them. */
function together(rulings: readonly ReportRuling[]): readonly ReportRuling[] {
  return byReason(rulings).flatMap(([reason]) =>
    rulings.filter((ruling) => (ruling.reason ?? NO_REASON) === reason),
  );
}

function reasonAfter(ruling: ReportRuling, next: ReportRuling | undefined): string | null {
  return next?.state === ruling.state && next.reason === ruling.reason ? null : ruling.reason;
}

/** With its statistic; a remark in brackets goes first when there is no room. */
function titleOf({ title, stat }: ReportRuling, width: number): string {
  const named = stat === null || stat === 'mean' || title.includes(stat) ? '' : `, ${stat}`;
  const whole = plain(title) + named;
  return cut(whole.length <= width ? whole : plain(title).replace(/ \(.*\)$/, '') + named, width);
}

function mark({ state }: ReportRuling, paint: Palette): string {
  if (state === 'met') return paint.green('✓');
  if (state === 'breached') return paint.red('✗');
  return paint.yellow(state === 'contradicted' ? '≠' : '–');
}

const FAULT_WIDTH = 22;
/** A torture has a hundred: the worst ones, and how many there were. */
const MOST_LINES = 12;

/** A line for each fault, in seconds and operations; of many, those that took longest. */
function faultLines({ faults }: Report, paint: Palette): string[] {
  if (faults.length === 0) return [];
  const cell = (value: string): string => value.padStart(10);
  const head = paint.dim(
    `${''.padEnd(FAULT_WIDTH)}${['at, s', 'down, s', 'recovery', 'backlog', 'failed', 'skipped', 'lost', 'twice', 'holes'].map(cell).join('')}`,
  );
  const worst = faults
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, MOST_LINES)
    .toSorted((a, b) => a.from - b.from);
  const rows = worst.map((fault) => {
    const { from, downSeconds, recoverySeconds, backlogPeak, lost, duplicated, holes } = fault;
    const times = [from, downSeconds, recoverySeconds];
    const figures = [...times, backlogPeak, fault.failed, fault.skipped, lost, duplicated, holes];
    const row = `${plain(fault.id).padEnd(FAULT_WIDTH)}${figures.map((value) => cell(cellText(value))).join('')}`;
    return fault.error === null ? row : `${row}  ${plain(fault.error)}`;
  });
  const rest = faults.length - worst.length;
  return [head, ...rows, ...(rest > 0 ? [paint.dim(`and ${numberText(rest)} that took less`)] : [])];
}

/** What is lost, did not come back or failed stands before what took long. */
const weight = ({ error, recoverySeconds, ...rows }: Report['faults'][number]): number =>
  [rows.lost, rows.duplicated, rows.phantom, rows.holes].some(Boolean) || error !== null
    ? Number.POSITIVE_INFINITY
    : (recoverySeconds ?? 1e9);

const NAME_WIDTH = 18;
const COLUMNS = ['at, s', 'for, s', 'rate', 'ops/s', 'sent, %', 'p95', 'p99'] as const;

/** A line for each stage, latencies of the first operation from due in milliseconds, and one more where players came or went. */
function stageLines({ stages, operations: [first] }: Report, paint: Palette, width: number): string[] {
  if (stages.length === 0 || first === undefined) return [];
  const cell = (value: string): string => value.padStart(8);
  const head = paint.dim(`${`${shortLabel(first)}, ms`.padEnd(NAME_WIDTH)}${COLUMNS.map(cell).join('')}`);
  const rows = stages.flatMap((stage) => {
    const { due } = ofOperation(stage.latency, first.id);
    const figures = [
      cellText(stage.from),
      cellText(stage.to - stage.from),
      rateText(stage),
      cellText(stage.throughput.operationsPerSecond),
      cellText(sentPercentOf(stage)),
      ...[due.p95, due.p99].map(cellText),
    ];
    const more = connectionsText(stage);
    return [
      `${plain(stage.name)
        .slice(0, NAME_WIDTH - 1)
        .padEnd(NAME_WIDTH)}${figures.map(cell).join('')}`,
      ...(more === null ? [] : wrap(more, width - 8).map((line) => paint.dim(`  ${line}`))),
    ];
  });
  return [head, ...rows];
}

/** As the summary that ends a run, of what k6 told. */
export const k6TerminalSummary = (report: K6Report, style: TerminalStyle): string =>
  summaryText(report, style, k6LoadLines(report), (paint, width) => [
    ...section('LATENCY', latencyLines(report, paint), paint),
    ...reasonLines(report, paint, width),
  ]);

function k6LoadLines(report: K6Report): string[] {
  const { load, network, summaries, run, generator, operations } = report;
  return [
    fact(
      'generator',
      `k6, ${summaries} ${summaries === 1 ? 'process' : 'processes'}`,
      run === null ? '' : `run ${plain(run)}`,
    ),
    fact('players', `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`),
    fact('measure phase', quantity(load.durationSeconds, 's')),
    ...operations.flatMap(({ id, label }) => {
      const counts = ofOperation(load.operations, id);
      if (counts === null) return [fact(label, 'not counted')];
      if (counts.scheduled === 0) return [];
      const told = countsTexts(counts, ofOperation(load.sentPercent, id));
      return [fact(label, ...told, sharesText(report, id))];
    }),
    connectingText(network),
    fact('own lag', `p99 ${quantity(generator.ownLagP99Ms, 'ms')}`, 'the worst process and operation'),
  ];
}
