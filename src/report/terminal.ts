import { countRulings, countsLine } from '../judge/verdict.ts';
import type { Percentiles } from '../measurement/figures.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import {
  byReason,
  byState,
  bytesText,
  cellText,
  limitText,
  numberText,
  observedText,
  plain,
  quantity,
  timeText,
} from './format.ts';
import type { Report, ReportRuling } from './report.ts';

export interface TerminalStyle {
  readonly colour: boolean;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** Where the bundle is, for the last line. */
  readonly bundle: string;
}

type Paint = (text: string) => string;
interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

const sgr =
  (on: boolean, open: number, close: number): Paint =>
  (text) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;

const palette = (on: boolean): Palette => ({
  bold: sgr(on, 1, 22),
  dim: sgr(on, 2, 22),
  red: sgr(on, 31, 39),
  green: sgr(on, 32, 39),
  yellow: sgr(on, 33, 39),
});

const NARROWEST = 60;
const WIDEST = 120;
const WORDS: Readonly<Record<Operation, string>> = { intent: 'intents', monsterCommand: 'monster commands' };

/** The summary that ends a run: budgets, load, latency, database, host and generator, verdict. */
export function terminalSummary(report: Report, style: TerminalStyle): string {
  const paint = palette(style.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, style.width)) - 1;
  return [
    '',
    ...heading(report, paint, width),
    ...section('BUDGETS', budgetLines(report, paint, width), paint),
    ...section('LOAD', loadLines(report), paint),
    ...section('LATENCY', latencyLines(report, paint), paint),
    ...section('DATABASE', databaseLines(report), paint),
    ...section('HOST AND GENERATOR', hostLines(report), paint),
    ...reasonLines(report, paint, width),
    verdictLine(report, style.bundle, paint),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function heading({ scenario, load, seed, startedAt, scenarioHash }: Report, paint: Palette, width: number) {
  const facts = `scale ${numberText(load.scale)}, seed ${seed}, ${timeText(startedAt)}, ${scenarioHash.slice(0, 12)}`;
  return [`  ${paint.bold(cut(plain(scenario), width - 2))}`, `  ${paint.dim(cut(facts, width - 2))}`, ''];
}

const section = (title: string, lines: readonly string[], paint: Palette): string[] =>
  lines.length === 0 ? [] : [`  ${paint.bold(title)}`, '', ...lines.map((line) => `    ${line}`), ''];

/** A name and what there is to say of it, k6's way: `players.........: 5,000 of 5,000`. */
const fact = (name: string, ...values: readonly string[]): string =>
  `${name.padEnd(24, '.')}: ${values.filter((value) => value !== '').join('  ')}`;

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1)).trimEnd()}…`;
}

/** Breaks a text at spaces so that each line fits. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function budgetLines({ rulings }: Report, paint: Palette, width: number): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const shown = [...breached, ...met, ...contradicted, ...unmeasured];
  const table = shown.map((ruling) => ({
    ruling,
    id: cut(plain(ruling.id), 20),
    limit: cut(plain(limitText(ruling)), 30),
    observed: cut(plain(observedText(ruling)), 24),
  }));
  const widest = (of: (row: (typeof table)[number]) => string): number =>
    table.reduce((most, row) => Math.max(most, of(row).length), 0);
  const [idWidth, limitWidth, observedWidth] = [
    widest((row) => row.id),
    widest((row) => row.limit),
    widest((row) => row.observed),
  ];
  const room = width - 4 - 2 - idWidth - limitWidth - observedWidth - 6;
  const titleWidth = Math.max(16, Math.min(room, 48));
  const lines = table.flatMap(({ ruling, id, limit, observed }) => {
    const title = cut(plain(titleOf(ruling)), titleWidth);
    const row = [
      id.padEnd(idWidth),
      title.padEnd(titleWidth),
      limit.padEnd(limitWidth),
      observed.padStart(observedWidth),
    ].join('  ');
    const reason =
      ruling.reason === null
        ? []
        : wrap(plain(ruling.reason), width - 6).map((line) => `  ${paint.dim(line)}`);
    return [`${mark(ruling, paint)} ${row}`, ...reason];
  });
  const missing = byReason(untestable).map(
    ([reason, count]) => `${paint.dim('·')} ${cut(`${count} untestable: ${plain(reason)}`, width - 6)}`,
  );
  return [...lines, ...(lines.length > 0 && missing.length > 0 ? [''] : []), ...missing];
}

const titleOf = ({ title, stat }: ReportRuling): string =>
  stat === null || stat === 'mean' || title.includes(stat) ? title : `${title}, ${stat}`;

function mark({ state }: ReportRuling, paint: Palette): string {
  if (state === 'met') return paint.green('✓');
  if (state === 'breached') return paint.red('✗');
  return paint.yellow(state === 'contradicted' ? '≠' : '–');
}

function loadLines({ load, throughput, network, integrity }: Report): string[] {
  const place = load.colocated ? 'generator and servers on one host' : 'generator on a host of its own';
  return [
    fact('players', `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`, place),
    fact('scale', numberText(load.scale)),
    fact('measure phase', quantity(load.durationSeconds, 's')),
    ...OPERATIONS.flatMap((op) => {
      const counts = load.operations[op];
      if (counts.scheduled === 0) return [];
      const rate = op === 'intent' ? throughput.intentsPerSecond : throughput.monsterCommandsPerSecond;
      const rest = (['rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const).flatMap(
        (outcome) => (counts[outcome] === 0 ? [] : [`${numberText(counts[outcome])} ${OUTCOMES[outcome]}`]),
      );
      return [
        fact(
          WORDS[op],
          quantity(rate, '/s answered').replace(' /s', '/s'),
          `${numberText(counts.scheduled)} due, ${quantity(load.sentPercent[op], '%')} sent`,
        ),
        fact('', [`${numberText(counts.ok)} ok`, ...rest].join(', ')).replace(/^\.+:/, ' '.repeat(25)),
      ];
    }),
    fact(
      'network, a player',
      `${bytesText(network.bytesPerPlayerSecondIn, true)} in`,
      `${bytesText(network.bytesPerPlayerSecondOut, true)} out`,
    ),
    fact(
      'connecting',
      `p95 ${quantity(network.connectMs.p95, 'ms')}`,
      `max ${quantity(network.connectMs.max, 'ms')}`,
      `${numberText(network.disconnects)} disconnects`,
    ),
    fact(
      'acknowledged',
      integrity.lost === null
        ? 'not checked against the rows'
        : `${numberText(integrity.acked)}, of them ${numberText(integrity.lost)} lost`,
    ),
  ];
}

const OUTCOMES = {
  rejected: 'rejected',
  failed: 'failed',
  timedOut: 'timed out',
  skipped: 'skipped',
  unfinished: 'unfinished',
} as const;

function latencyLines({ latency }: Report, paint: Palette): string[] {
  const columns = ['avg', 'min', 'med', 'max', 'p90', 'p95', 'p99'];
  const cell = (text: string): string => text.padStart(8);
  const head = paint.dim(`${'ms'.padEnd(26)}${columns.map(cell).join('')}`);
  const row = (name: string, p: Percentiles): string =>
    `${name.padEnd(26)}${[p.mean, p.min, p.p50, p.max, p.p90, p.p95, p.p99].map((value) => cell(cellText(value))).join('')}`;
  const rows = OPERATIONS.flatMap((op) => {
    const { due, service, lag } = latency[op];
    if (due.count + due.unanswered === 0) return [];
    const unanswered =
      due.unanswered === 0
        ? []
        : [paint.dim(`  ${numberText(due.unanswered)} unanswered, slower than all others`)];
    return [row(`${WORDS[op]}, due`, due), ...unanswered, row('  service', service), row('  lag', lag)];
  });
  return rows.length === 0 ? ['nothing was measured'] : [head, ...rows];
}

function databaseLines({ database, throughput, ceilings }: Report): string[] {
  const { queryMs } = database;
  return [
    fact(
      'batches',
      `${numberText(throughput.batchesPerSecond)}/s`,
      `${numberText(throughput.operationsPerBatch)} operations and ${numberText(throughput.rowsPerBatch)} rows each`,
      `${quantity(throughput.flushedOnTimePercent, '%')} flushed on time`,
    ),
    fact(
      'row writes',
      `${numberText(throughput.rowWritesPerSecond)}/s`,
      `${numberText(throughput.coalescing)} operations each`,
      `${quantity(database.hotUpdatePercent, '%')} HOT`,
    ),
    fact(
      'flush round trip',
      `p50 ${quantity(queryMs.p50, 'ms')}`,
      `p95 ${quantity(queryMs.p95, 'ms')}`,
      `p99 ${quantity(queryMs.p99, 'ms')}`,
    ),
    fact(
      'transactions',
      `${numberText(database.commitsPerSecond)}/s`,
      `WAL ${bytesText(database.walBytesPerSecond, true)}`,
      `cache hits ${quantity(database.hitRatioPercent, '%')}`,
      `${numberText(database.connections.max)} connections`,
    ),
    ...(ceilings.updatesPerSecondBatched === null
      ? []
      : [
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
      `${plain(generator.engine)}, ${generator.workers} workers, ${numberText(generator.cpuCores)} cores`,
      `loop delay up to ${quantity(generator.maxLoopDelayMs, 'ms')}`,
      `lag p99 ${quantity(generator.lagP99Ms, 'ms')}`,
    ),
    fact('bottleneck', bottleneck.resource, plain(bottleneck.evidence)),
  ];
}

function reasonLines(report: Report, paint: Palette, width: number): string[] {
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
  const relaxed = report.rules.filter((rule) => rule.relaxed).map(({ id, limit }) => `${id}: limit ${limit}`);
  return [
    ...list('RULES THAT THE SCENARIO CHANGED', relaxed, paint.bold),
    ...list('NOT HELD', report.breachedBecause, paint.red),
    ...list('NO CONCLUSION', report.invalidBecause, paint.yellow),
  ];
}

/** The verdict alone, as it ends the summary. */
export const terminalVerdict = (report: Report, style: TerminalStyle): string =>
  `${verdictLine(report, style.bundle, palette(style.colour)).trim()}\n`;

/** `FAIL (99)  3 breached, 31 met, 9 unmeasured, 12 untestable  reports/m4pro-20k-...` */
function verdictLine({ outcome, exitCode, rulings }: Report, bundle: string, paint: Palette): string {
  const colour = { pass: paint.green, fail: paint.red, invalid: paint.yellow }[outcome];
  const verdict = paint.bold(colour(`${outcome.toUpperCase()} (${exitCode})`));
  return `  ${verdict}  ${countsLine(countRulings(rulings))}  ${bundle}`;
}
