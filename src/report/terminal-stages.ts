import { ofOperation } from '../scenario/operations.ts';
import { cellText, numberText, plain, quantity } from './format.ts';
import type { Report } from './report.ts';
import { type Palette, shortLabel, wrap } from './terminal-text.ts';

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
export function stageLines({ stages, operations: [first] }: Report, paint: Palette, width: number): string[] {
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
