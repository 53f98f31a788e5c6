import { ofOperation } from '../scenario/operations.ts';
import { plain } from './plain-text.ts';
import { cellText, numberText, quantity } from './quantity.ts';
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
import { grid, type Palette, shortLabel, wrap } from './terminal-text.ts';

/** Of more faults than this, only the worst ones are listed. */
const MOST_FAULTS = 12;
const FAULT_COLUMNS = [
  'at, s',
  'down, s',
  'recovery',
  'backlog',
  'failed',
  'skipped',
  'lost',
  'twice',
  'holes',
];

/** A line for each fault, in seconds and operations. */
export function faultLines({ faults, outage }: Report, paint: Palette, width: number): string[] {
  if (faults.length === 0) return [];
  const windowed = losesInWindow(faults);
  const worst = faults
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, MOST_FAULTS)
    .toSorted((a, b) => a.from - b.from);
  const rows = worst.map((fault) => {
    const { from, downSeconds, recoverySeconds, backlogPeak, lost, duplicated, holes } = fault;
    const counts = [
      ...[backlogPeak, fault.failed, fault.skipped, lost, duplicated, holes],
      ...(windowed ? [fault.lostInWindow ?? null] : []),
    ];
    return [
      plain(fault.id),
      ...[from, downSeconds, recoverySeconds].map(cellText),
      ...counts.map((count) => numberText(count)),
    ];
  });
  const [head = '', ...lines] = grid(
    [['', ...FAULT_COLUMNS, ...(windowed ? ['in window'] : [])], ...rows],
    width,
  );
  const rest = faults.length - worst.length;
  return [
    paint.dim(head),
    ...lines.flatMap((line, i) => {
      const note = worst[i] === undefined ? null : faultNote(worst[i]);
      return note === null ? [line] : [line, ...wrap(plain(note), width - 2).map((text) => `  ${text}`)];
    }),
    ...(rest > 0 ? [paint.dim(`and ${numberText(rest)} that took less time`)] : []),
    ...outageTexts(outage).flatMap((text) => wrap(plain(text), width)),
  ];
}

/** How operations fared while a component was down, a sentence each. */
const outageTexts = (all: Report['outage']): readonly string[] =>
  Object.entries(all).flatMap(([component, { okPercent, answeredPercent, lost, lostInWindow }]) => {
    if (answeredPercent === null) return [];
    const within = (lostInWindow ?? 0) === 0 ? '' : `, ${numberText(lostInWindow)} within the stated window`;
    const kept = lost === null ? '' : `; ${numberText(lost)} seen to be lost after it${within}`;
    return [
      `while ${component} was down: ${quantity(answeredPercent, '%')} answered, ${quantity(okPercent, '%')} ok${kept}`,
    ];
  });

/** Data that was lost, a component that did not come back and an error weigh more than any duration. */
const weight = ({ error, recoverySeconds, ...rows }: Report['faults'][number]): number =>
  [rows.lost, rows.duplicated, rows.phantom, rows.holes].some(Boolean) || error !== null
    ? Number.POSITIVE_INFINITY
    : (recoverySeconds ?? 1e9);

const STAGE_COLUMNS = ['rate', 'ops/s', 'sent, %'];

/** A line for each stage, with the latencies of one operation; one more where connections were made or ended. */
export function stageLines(report: Report, paint: Palette, width: number): string[] {
  const { stages, operations } = report;
  const [first] = operations;
  if (stages.length === 0 || first === undefined) return [];
  const numbers = haveNumbers(stages);
  const each = perPlayerTexts(report);
  const many = areMany(operations);
  const rows = stages.map((stage) => {
    const shown = foremost(operations, stage.latency);
    const due = shown && ofOperation(stage.latency, shown.id).due;
    return [
      plain(stage.name),
      cellText(stage.from),
      cellText(stage.to - stage.from),
      ...(numbers ? [playersText(stage)] : []),
      rateText(stage),
      cellText(stage.throughput.operationsPerSecond),
      cellText(sentPercentOf(stage)),
      ...(many ? [shown === undefined ? '' : shortLabel(shown)] : []),
      ...[due?.p95 ?? null, due?.p99 ?? null].map(cellText),
    ];
  });
  const times = ['at, s', 'for, s', ...(numbers ? ['players'] : [])];
  const [head = '', ...lines] = grid(
    [
      [
        many ? 'ms' : `${shortLabel(first)}, ms`,
        ...times,
        ...STAGE_COLUMNS,
        ...(many ? ['slowest'] : []),
        'p95',
        'p99',
      ],
      ...rows,
    ],
    width,
  );
  return [
    paint.dim(head),
    ...lines.flatMap((line, i) => {
      const stage = stages[i];
      const more = stage === undefined ? null : connectionsText(stage);
      return [line, ...(more === null ? [] : wrap(more, width - 2).map((text) => paint.dim(`  ${text}`)))];
    }),
    ...(each.length === 0 ? [] : wrap(`one player more: ${each.join(', ')}`, width)),
  ];
}
