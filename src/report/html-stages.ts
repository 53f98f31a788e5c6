import { ofOperation } from '../scenario/operations.ts';
import { list, row, safe, table } from './markup.ts';
import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import {
  areMany,
  connectionsText,
  faultNote,
  foremost,
  haveNumbers,
  losesInWindow,
  perPlayerTexts,
  playersText,
  rateText,
  sentPercentOf,
} from './report-text.ts';
import { percentileText } from './ruling-text.ts';

/** The measure phase in its parts: what was due in each, and what became of it. */
export function stageParts(report: Report): string[] {
  const { stages: all, operations } = report;
  const numbers = haveNumbers(all);
  const each = perPlayerTexts(report);
  const [first, ...rest] = operations;
  if (all.length === 0 || first === undefined) return [];
  const many = areMany(operations);
  // Of many operations there is a table of its own.
  const others = many ? [] : rest;
  const head = [
    ...[
      '',
      'from',
      'for',
      ...(numbers ? ['players'] : []),
      'rate',
      'due',
      'answered',
      'backlog at end',
      'sent',
    ],
    ...(many ? ['slowest'] : []),
    ...['p50', 'p95', 'p99'],
    ...others.map(({ label }) => `${label} p95`),
    ...['failed', 'skipped'],
  ];
  const rows = all.map((stage) => {
    const { load, throughput, latency, from, to } = stage;
    const total = (of: 'scheduled' | 'failed' | 'skipped'): number =>
      Object.values(load.operations).reduce((sum, counts) => sum + counts[of], 0);
    const shown = foremost(operations, latency) ?? first;
    const { due } = ofOperation(latency, shown.id);
    return row([
      stage.name,
      ...[from, to - from].map((value) => quantity(value, 's')),
      ...(numbers ? [playersText(stage)] : []),
      rateText(stage),
      quantity(total('scheduled') / (to - from), '/s'),
      quantity(throughput.operationsPerSecond, '/s'),
      numberText(stage.backlog),
      quantity(sentPercentOf(stage), '%'),
      ...(many ? [shown.label] : []),
      ...(['p50', 'p95', 'p99'] as const).map((stat) => percentileText(due, stat)),
      ...others.map(({ id }) => percentileText(ofOperation(latency, id).due, 'p95')),
      ...[total('failed'), total('skipped')].map((n) => numberText(n)),
    ]);
  });
  const byOperation = operations.map(({ id, label }) =>
    row([label, ...all.map(({ latency }) => percentileText(ofOperation(latency, id).due, 'p95'))]),
  );
  const connections = all.flatMap((stage) => {
    const text = connectionsText(stage);
    return text === null ? [] : [row([stage.name, text])];
  });
  return [
    table(head, rows, 'numbers'),
    ...(many
      ? [
          `<h3>p95 of each operation</h3>${table(['', ...all.map(({ name }) => name)], byOperation, 'numbers')}`,
        ]
      : []),
    ...(connections.length === 0 ? [] : [`<h3>Connections</h3>${table(['', ''], connections)}`]),
    ...(each.length === 0
      ? []
      : [
          `<h3>One player more</h3>${list(each)}<p class="note">The slope of least squares over the means of the stages, each from the time at which its players were there, with its 95% interval.</p>`,
        ]),
    `<p class="note">Of the operations that were due in the stage, whenever they were answered; percentiles are of ${many ? 'the slowest operation of the stage' : `${safe(first.label)} where no other name is given`}. Backlog: operations that were due and neither answered nor given up when the stage ended.</p>`,
  ];
}

export function faultParts({ faults: all, outage }: Report): string[] {
  if (all.length === 0) return [];
  const windowed = losesInWindow(all);
  const head = [
    ...['', 'at', 'down', 'recovery', 'backlog', 'failed', 'timed out', 'skipped', 'reconnects'],
    ...['lost', 'phantom', 'duplicated', 'holes'],
    ...(windowed ? ['lost in window'] : []),
  ];
  const rows = all.map((fault) => {
    const note = faultNote(fault);
    return row([
      note === null ? fault.id : `${fault.id}: ${note}`,
      ...[fault.from, fault.downSeconds, fault.recoverySeconds].map((value) => quantity(value, 's')),
      ...[
        ...[fault.backlogPeak, fault.failed, fault.timedOut, fault.skipped, fault.reconnects],
        ...[fault.lost, fault.phantom, fault.duplicated, fault.holes],
        ...(windowed ? [fault.lostInWindow ?? null] : []),
      ].map((n) => numberText(n)),
    ]);
  });
  return [table(head, rows, 'numbers'), ...outageParts(outage)];
}

/** The faults of each component together, and how operations fared while it was down. */
function outageParts(all: Report['outage']): string[] {
  const rows = Object.entries(all)
    .filter(([, { answeredPercent }]) => answeredPercent !== null)
    .map(([component, outage]) =>
      row([
        component,
        numberText(outage.count),
        ...[outage.downSecondsMax, outage.recoverySecondsMax].map((value) => quantity(value, 's')),
        ...[outage.okPercent, outage.answeredPercent, outage.failedPercent].map((value) =>
          quantity(value, '%'),
        ),
        ...[outage.lost, outage.lostInWindow].map((value) => numberText(value)),
      ]),
    );
  const head = [
    '',
    'faults',
    'down, at most',
    'recovery, at most',
    'ok',
    'answered',
    'failed',
    'lost',
    'lost in window',
  ];
  return rows.length === 0
    ? []
    : [
        `<h3>While a component was down</h3>${table(head, rows, 'numbers')}<p class="note">Shares are of the operations that became due while the component was down, and of how they were settled meanwhile. What is lost was seen after the outage, which need not be its cause.</p>`,
      ];
}
