import { budgetsLine } from '../judge/verdict.ts';
import { throughputOf } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import { agentTable } from './agents.ts';
import { BOX_COLUMNS, boxCells } from './boxes.ts';
import { cell, MARKS, tableHead, tableRow } from './markdown.ts';
import { deliveryValues, playerFacts } from './player-facts.ts';
import { numberText, quantity } from './quantity.ts';
import type { Report, ReportRuling } from './report.ts';
import {
  areMany,
  closedText,
  connectionsText,
  foremost,
  haveNumbers,
  notesOf,
  perPlayerTexts,
  playersText,
  rateText,
  sentPercentOf,
  sharesText,
  timeText,
} from './report-text.ts';
import { byReason, byState, limitText, observedText, titleText } from './ruling-text.ts';
import { unwatchedNotes } from './watched.ts';

/** Rows of one table; report.html has the rest. */
const MOST_ROWS = 25;

export const OUTCOME_MARKS = { pass: '✅', fail: '❌', invalid: '⚠️' } as const;

/** summary.md: what a reviewer needs to know about a run, as the comment on a pull request. */
export function summary(report: Report): string {
  const { outcome, exitCode } = report;
  return [
    `### ${OUTCOME_MARKS[outcome]} ${outcome.toUpperCase()} (${exitCode}): ${cell(report.scenario)}, ${budgetsLine(report)}`,
    '',
    cell(report.headline),
    '',
    figuresLine(report),
    '',
    ...summaryBody(report),
    '',
  ].join('\n');
}

/** Players, rate, latency and bottleneck in one line. */
export function figuresLine({ load, latency, throughput, operations, ...report }: Report): string {
  return [
    `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} players`,
    `scale ${numberText(load.scale)}`,
    ...(report.altered.length === 0 ? [] : [`altered: ${cell(report.altered.join(', '))}`]),
    `${numberText(throughput.operationsPerSecond)} operations/s`,
    ...[foremost(operations, latency)].flatMap((one) => {
      if (one === undefined) return [];
      const { id, label } = one;
      const { due } = ofOperation(latency, id);
      return [
        `${areMany(operations) ? 'slowest: ' : ''}${label} p95 ${quantity(due.p95, 'ms')}, p99 ${quantity(due.p99, 'ms')}`,
      ];
    }),
    `bottleneck: ${report.bottleneck.resource}`,
  ].join(' · ');
}

/** What follows in summary.md after the verdict and the line of figures. */
export function summaryBody(report: Report): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(
    report.rulings,
  );
  // A reason of several budgets is given once, below their table.
  const shared = ({ reason }: ReportRuling): boolean =>
    unmeasured.filter((other) => other.reason === reason).length > 1;
  return [
    ...outcomes(report),
    ...factLine('Deliveries', deliveryValues(report)),
    ...factLine(
      'Players',
      Object.entries(playerFacts(report)).map(([name, values]) => `${name} ${values.join(', ')}`),
    ),
    ...boxTable(report),
    ...agentLines(report),
    ...stageTable(report),
    ...faultLine(report),
    ...list('No conclusion:', report.invalidBecause),
    ...list('Breached:', report.breachedBecause),
    ...list('Notes:', [...notesOf(report), ...unwatchedNotes(report)]),
    ...table(breached),
    ...folded(`${met.length} of ${met.length + breached.length} budgets met`, table(met)),
    ...folded(`${contradicted.length + unmeasured.length + untestable.length} budgets not judged`, [
      ...table([...contradicted, ...unmeasured.map((one) => (shared(one) ? { ...one, reason: null } : one))]),
      ...reasonLines([...unmeasured.filter(shared), ...untestable]),
    ]),
    `${timeText(report.startedAt)}, seed ${report.seed}, scenario ${report.scenarioHash.slice(0, 12)}${
      report.commit === null ? '' : `, commit ${report.commit.slice(0, 12)}`
    }, ${cell(report.host.cpuModel)}, ${report.host.cpus} cores`,
  ];
}

/** The outcomes of the operations, as shares of what was due; of many, in a table with their latencies. */
function outcomes(report: Report): string[] {
  if (areMany(report.operations)) return operationTable(report);
  const shares = report.operations.flatMap(({ id, label }) =>
    ofOperation(report.load.operations, id).scheduled === 0
      ? []
      : [`${label}: ${cell(sharesText(report, id))}`],
  );
  return shares.length === 0 ? [] : [shares.join(' · '), ''];
}

const factLine = (name: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [`${name}: ${values.map(cell).join(' · ')}`, ''];

function operationTable(report: Report): string[] {
  const { load, latency, operations } = report;
  const seconds = load.durationSeconds;
  const active = operations.filter(({ id }) => ofOperation(load.operations, id).scheduled > 0);
  if (active.length === 0 || seconds === null) return [];
  const closed = closedText(active);
  const idle = active.some(({ id }) => ofOperation(load.operations, id).idle > 0) ? ['idle'] : [];
  return [
    ...tableHead([
      ...['operation', 'due/s', 'sent', 'answered/s', 'rejected', 'unanswered'],
      ...[...idle, 'p50', 'p95', 'p99'],
    ]),
    ...active.map((operation) => {
      const { id, label } = operation;
      const { due } = ofOperation(latency, id);
      const columns = [
        label,
        numberText(ofOperation(load.operations, id).scheduled / seconds),
        quantity(ofOperation(load.sentPercent, id), '%'),
        numberText(throughputOf(report, operation)),
        quantity(ofOperation(load.rejectedPercent, id), '%'),
        quantity(ofOperation(load.unansweredPercent, id), '%'),
        ...idle.map(() => quantity(ofOperation(load.idlePercent, id), '%')),
        ...[due.p50, due.p95, due.p99].map((value) => quantity(value, 'ms')),
      ];
      return tableRow(columns);
    }),
    '',
    ...(closed === null ? [] : [cell(closed), '']),
  ];
}

/** Which limits hold the players, and by how much. */
function boxTable({ boxes = [], limits = {} }: Report): string[] {
  if (boxes.length === 0) return [];
  return [...tableHead(BOX_COLUMNS), ...boxes.map((box) => tableRow(boxCells(box, limits[box.name]))), ''];
}

/** A row for each agent that made the load. */
function agentLines(report: Report): string[] {
  const { head, rows } = agentTable(report);
  return rows.length === 0 ? [] : [...tableHead(head), ...rows.map(tableRow), ''];
}

/** A row for each stage. */
function stageTable(report: Report): string[] {
  const { stages, operations } = report;
  const [first] = operations;
  if (stages.length === 0 || first === undefined) return [];
  const numbers = haveNumbers(stages);
  const each = perPlayerTexts(report);
  const many = areMany(operations);
  const p95Text = ({ latency }: Report['stages'][number]): string => {
    const { id, label } = foremost(operations, latency) ?? first;
    return `${many ? `${label} ` : ''}${quantity(ofOperation(latency, id).due.p95, 'ms')}`;
  };
  return [
    ...tableHead([
      ...['stage', 's', ...(numbers ? ['players'] : []), 'rate', 'operations/s', 'sent'],
      ...[`${many ? 'slowest' : first.label} p95`, 'connections'],
    ]),
    ...stages.map((stage) =>
      tableRow([
        stage.name,
        numberText(stage.to - stage.from),
        ...(numbers ? [playersText(stage)] : []),
        rateText(stage),
        numberText(stage.throughput.operationsPerSecond),
        quantity(sentPercentOf(stage), '%'),
        p95Text(stage),
        connectionsText(stage) ?? '',
      ]),
    ),
    '',
    ...(each.length === 0 ? [] : [`One player more: ${cell(each.join(', '))}`, '']),
  ];
}

/** The planned faults, and what was wrong after them. */
function faultLine({ faults }: Report): string[] {
  if (faults.length === 0) return [];
  const sum = (of: (fault: Report['faults'][number]) => number | null): number =>
    faults.reduce((all, fault) => all + (of(fault) ?? 0), 0);
  const longest = Math.max(...faults.map(({ downSeconds }) => downSeconds ?? 0));
  const failed = faults.filter(({ error }) => error !== null).length;
  const rows = faults.some(({ lost }) => lost !== null)
    ? `after them ${numberText(sum(({ lost }) => lost))} lost, ${numberText(sum(({ phantom }) => phantom))} phantom, ${numberText(sum(({ duplicated }) => duplicated))} twice, ${numberText(sum(({ holes }) => holes))} holes${
        faults.some(({ lostInWindow }) => lostInWindow !== undefined)
          ? `, ${numberText(sum(({ lostInWindow = 0 }) => lostInWindow))} lost within the stated window`
          : ''
      }`
    : 'the rows were not read after them';
  return [
    `Planned faults: ${numberText(faults.length)}, the longest ${quantity(longest, 's')}; ${rows}${failed === 0 ? '' : `; ${failed} did not happen as planned`}`,
    '',
  ];
}

/** Each reason once, with the number of the budgets that it applies to. */
function reasonLines(rulings: readonly ReportRuling[]): string[] {
  const lines = byState(rulings).flatMap((some) =>
    byReason(some).map(([reason, count]) => `- ${count} ${some[0]?.state}: ${cell(reason)}`),
  );
  return lines.length === 0 ? [] : [...lines, ''];
}

const list = (title: string, reasons: readonly string[]): string[] =>
  reasons.length === 0 ? [] : [title, '', ...reasons.map((reason) => `- ${cell(reason)}`), ''];

function table(rulings: readonly ReportRuling[]): string[] {
  if (rulings.length === 0) return [];
  const rest = rulings.length - MOST_ROWS;
  return [
    '| | budget | | limit | observed |',
    '| --- | --- | --- | --- | --- |',
    ...rulings.slice(0, MOST_ROWS).map((ruling) => {
      const name = titleText(ruling);
      const title = ruling.reason === null ? name : `${name} (${ruling.reason})`;
      const columns = [MARKS[ruling.state], ruling.id, title, limitText(ruling), observedText(ruling)];
      return tableRow(columns);
    }),
    ...(rest > 0 ? [`| | | and ${rest} more in report.html | | |`] : []),
    '',
  ];
}

const folded = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['<details>', `<summary>${title}</summary>`, '', ...lines, '</details>', ''];
