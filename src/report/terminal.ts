import { countRulings, countsLine } from '../judge/verdict.ts';
import { type Percentiles, throughputOf } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import {
  byReason,
  byState,
  bytesText,
  calibrationText,
  cellText,
  engineText,
  limitText,
  NO_REASON,
  notesOf,
  numberText,
  observedText,
  plain,
  quantity,
  type Reasoned,
  reasonsOf,
  timeText,
} from './format.ts';
import type { K6Report, Report, ReportRuling } from './report.ts';
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

type Stage = Report['stages'][number];

const NAME_WIDTH = 18;
const COLUMNS = ['at, s', 'for, s', 'rate', 'ops/s', 'sent, %', 'p95', 'p99'] as const;

/** What was sent of what was due, of the operation of which least was. */
export function sentPercentOf({ load }: Stage): number | null {
  const known = Object.values(load.sentPercent).filter((one) => one !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The rate a stage holds; with an arrow where it took a while to get there. */
export const rateText = ({ rate, ramped }: Pick<Stage, 'rate' | 'ramped'>): string =>
  `${ramped ? '→' : ''}${numberText(rate)}x`;

/** Who came, went and was cut off in a stage, in words; null where nobody did. */
export function connectionsText({ network }: Stage): string | null {
  const { cut, disconnects, reconnects, left, joined, connectMs, reconnectMs, fullStrengthMs } = network;
  const words = [
    ...(cut === 0 ? [] : [`${cut} cut off, full strength after ${quantity(fullStrengthMs, 'ms')}`]),
    ...(disconnects === 0 && reconnects === 0
      ? []
      : [`${disconnects} disconnects, ${reconnects} reconnects`]),
    ...(left === 0 && joined === 0 ? [] : [`${left} left, ${joined} joined`]),
    ...(connectMs.count === 0
      ? []
      : [`connect p95 ${quantity(connectMs.p95, 'ms')}, back p95 ${quantity(reconnectMs.p95, 'ms')}`]),
  ];
  return words.length === 0 ? null : words.join('; ');
}

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

const LATENCY_NAME_WIDTH = 18;

function loadLines(report: Report): string[] {
  const { load, network, integrity } = report;
  const hosts = load.colocated ? 'generator and servers on one host' : 'generator on a host of its own';
  return [
    fact('players', `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`, hosts),
    fact(
      'connected',
      `${numberText(load.presence.mean)} on average`,
      `${numberText(load.presence.min)} at least`,
    ),
    fact('scale', numberText(load.scale)),
    fact('measure phase', quantity(load.durationSeconds, 's')),
    ...report.operations.flatMap((operation) => {
      const { id, label } = operation;
      const counts = ofOperation(load.operations, id);
      if (counts.scheduled === 0) return [];
      const rate = throughputOf(report, operation);
      const [due, outcomes] = countsTexts(counts, ofOperation(load.sentPercent, id));
      return [
        fact(label, quantity(rate, '/s answered').replace(' /s', '/s'), due),
        ...[outcomes, sharesText(report, id)].map((told) => fact('', told).replace(/^\.+:/, ' '.repeat(25))),
      ];
    }),
    fact(
      'network, a player',
      `${bytesText(network.bytesPerPlayerSecondIn, true)} in`,
      `${bytesText(network.bytesPerPlayerSecondOut, true)} out`,
    ),
    connectingText(network),
    fact(
      'acknowledged',
      integrity.lost === null
        ? 'not checked against the rows'
        : `${numberText(integrity.acked)}, of them ${numberText(integrity.lost)} lost`,
    ),
  ];
}

/** What became of the operations, and what of it is allowed. */
export interface Shares extends Pick<Report, 'rules'> {
  readonly load: Pick<Report['load'], 'rejectedPercent' | 'unansweredPercent' | 'errorPercent'>;
}

/** `1.35% rejected (limit 20%), 0% unanswered (limit 1%)`; with stages, the limits are theirs. */
export function sharesText({ load, rules }: Shares, op: string): string {
  const limitOf = (id: string): string => {
    const rule = rules.find((one) => one.id === id);
    return rule === undefined || rule.state === 'not-applicable'
      ? ''
      : ` (limit ${quantity(Number(rule.limit), '%')})`;
  };
  const errors = ofOperation(load.errorPercent, op);
  return [
    `${quantity(ofOperation(load.rejectedPercent, op), '%')} rejected${limitOf(`rejected.${op}`)}`,
    `${quantity(ofOperation(load.unansweredPercent, op), '%')} unanswered${limitOf(`answered.${op}`)}`,
    ...(errors ? [`of them ${quantity(errors, '%')} errors`] : []),
  ].join(', ');
}

const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const;

/** `2,000 due, 99% sent`, and `1,980 ok, 20 skipped`. */
const countsTexts = (
  counts: Report['load']['operations'][string],
  sentPercent: number | null,
): readonly [due: string, outcomes: string] => [
  `${numberText(counts.scheduled)} due, ${quantity(sentPercent, '%')} sent`,
  OUTCOMES.filter((outcome) => outcome === 'ok' || counts[outcome] > 0)
    .map((outcome) => `${numberText(counts[outcome])} ${outcome === 'timedOut' ? 'timed out' : outcome}`)
    .join(', '),
];

const connectingText = (network: {
  readonly connectMs: Percentiles;
  readonly disconnects: number | null;
}): string =>
  fact(
    'connecting',
    `p95 ${quantity(network.connectMs.p95, 'ms')}`,
    `max ${quantity(network.connectMs.max, 'ms')}`,
    `${numberText(network.disconnects)} disconnects`,
  );

function latencyLines(
  { latency, operations }: Pick<Report, 'latency' | 'operations'>,
  paint: Palette,
): string[] {
  const columns = ['avg', 'min', 'med', 'max', 'p90', 'p95', 'p99'];
  const cell = (text: string): string => text.padStart(8);
  const head = paint.dim(`${'ms'.padEnd(LATENCY_NAME_WIDTH)}${columns.map(cell).join('')}`);
  const row = (name: string, p: Percentiles): string =>
    `${name.padEnd(LATENCY_NAME_WIDTH)}${[p.mean, p.min, p.p50, p.max, p.p90, p.p95, p.p99].map((value) => cell(cellText(value))).join('')}`;
  const rows = operations.flatMap((operation) => {
    const { due, service, lag } = ofOperation(latency, operation.id);
    if (due.count + due.unanswered === 0) return [];
    const unanswered =
      due.unanswered === 0
        ? []
        : [paint.dim(`  ${numberText(due.unanswered)} unanswered, slower than all others`)];
    return [
      row(`${shortLabel(operation)}, due`, due),
      ...unanswered,
      row('  service', service),
      row('  lag', lag),
    ];
  });
  return rows.length === 0 ? ['nothing was measured'] : [head, ...rows];
}

/** Lines of what there is; none where there is nothing. */
const some = <T>(value: T | null | undefined, lines: (value: T) => readonly string[]): readonly string[] =>
  value === null || value === undefined ? [] : lines(value);

export function databaseLines({ database, redis, throughput, ceilings }: Report): string[] {
  const { queryMs } = database;
  const own = (name: string): number | null => {
    const figure = throughput[name];
    return typeof figure === 'number' ? figure : null;
  };
  return [
    // Of servers that write in batches.
    ...some(throughput.batchesPerSecond, () => [
      fact(
        'batches',
        `${numberText(own('batchesPerSecond'))}/s`,
        `${numberText(own('operationsPerBatch'))} operations and ${numberText(own('rowsPerBatch'))} rows each`,
        `${quantity(own('flushedOnTimePercent'), '%')} flushed on time`,
      ),
      fact(
        'row writes',
        `${numberText(own('rowWritesPerSecond'))}/s`,
        `${numberText(own('coalescing'))} operations each`,
        `${quantity(database.hotUpdatePercent, '%')} HOT`,
      ),
    ]),
    ...some(queryMs, ({ p50, p95, p99 }) => [
      fact(
        'flush round trip',
        `p50 ${quantity(p50, 'ms')}`,
        `p95 ${quantity(p95, 'ms')}`,
        `p99 ${quantity(p99, 'ms')}`,
      ),
    ]),
    ...some(database.commitsPerSecond, (perSecond) => [
      fact(
        'transactions',
        `${numberText(perSecond)}/s`,
        `WAL ${bytesText(database.walBytesPerSecond, true)}`,
        `cache hits ${quantity(database.hitRatioPercent, '%')}`,
        `${numberText(database.connections.max)} connections`,
      ),
    ]),
    ...some(redis.operationsPerSecond, (perSecond) => [
      fact(
        'Redis',
        `${numberText(perSecond)} commands/s`,
        `${bytesText(redis.usedMemoryBytes.max)}`,
        `${quantity(redis.cpuPercentOfCore.mean, '%')} of a core`,
        `cache hits ${quantity(redis.hitRatioPercent, '%')}`,
        `${numberText(redis.evictedKeys)} evicted`,
        `${numberText(redis.connections.max)} connections`,
      ),
    ]),
    ...some(ceilings.updatesPerSecondBatched, () => [
      fact(
        'ceilings, rows/s',
        `insert ${numberText(ceilings.insertsPerSecond)}`,
        `update ${numberText(ceilings.updatesPerSecondSingle)}, batched ${numberText(ceilings.updatesPerSecondBatched)}`,
        `(${quantity(ceilings.batchSpeedup, 'x')})`,
      ),
    ]),
  ];
}

function hostLines({ host, world, database, generator, bottleneck }: Report): string[] {
  return [
    fact(
      'host',
      `${plain(host.cpuModel)}, ${host.cpus} cores, ${bytesText(host.memoryBytes)}, node ${host.node}`,
    ),
    fact(
      'host CPU',
      quantity(host.cpuPercent.mean, '%'),
      `PostgreSQL ${quantity(database.cpuPercentOfHost.mean, '%')}`,
      `generator ${quantity(generator.cpuPercentOfHost, '%')}`,
      `others ${quantity(host.otherCpuPercent, '%')}`,
      `foreign ${quantity(host.foreignCpuPercent, '%')}`,
      `steal ${quantity(host.stealPercent, '%')}`,
    ),
    fact(
      'world servers',
      `${world.servers}, the busiest ${quantity(world.cpuPercentOfCore.mean, '%')} of a core`,
      `${bytesText(world.memoryTotalBytes.max)}`,
      `loop delay up to ${quantity(world.loopDelayMs.max, 'ms')}`,
    ),
    fact(
      'generator',
      `${plain(engineText(generator))}, ${numberText(generator.cpuCores)} cores`,
      `loop delay up to ${quantity(generator.maxLoopDelayMs, 'ms')}`,
      `lag p99 ${quantity(generator.lagP99Ms, 'ms')}, own ${quantity(generator.ownLagP99Ms, 'ms')}`,
    ),
    fact(
      'its cost',
      `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU an operation`,
      `${bytesText(generator.memoryBytesPerPlayer)} a player`,
    ),
    fact('generator ceiling', calibrationText(generator.calibration)),
    fact('bottleneck', bottleneck.resource, plain(bottleneck.evidence)),
  ];
}
