import { cellText, numberText, plain } from './format.ts';
import type { Report } from './report.ts';
import type { Palette } from './terminal-text.ts';

const NAME_WIDTH = 22;
/** A torture has a hundred: the worst ones, and how many there were. */
const MOST_LINES = 12;

/** A line for each fault, in seconds and operations; of many, those that took longest. */
export function faultLines({ faults }: Report, paint: Palette): string[] {
  if (faults.length === 0) return [];
  const cell = (value: string): string => value.padStart(10);
  const head = paint.dim(
    `${''.padEnd(NAME_WIDTH)}${['at, s', 'down, s', 'recovery', 'backlog', 'failed', 'skipped', 'lost', 'twice', 'holes'].map(cell).join('')}`,
  );
  const worst = faults
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, MOST_LINES)
    .toSorted((a, b) => a.from - b.from);
  const rows = worst.map((fault) => {
    const { from, downSeconds, recoverySeconds, backlogPeak, failed, skipped, lost, duplicated, holes } =
      fault;
    const figures = [
      from,
      downSeconds,
      recoverySeconds,
      backlogPeak,
      failed,
      skipped,
      lost,
      duplicated,
      holes,
    ];
    const row = `${plain(fault.id).padEnd(NAME_WIDTH)}${figures.map((value) => cell(cellText(value))).join('')}`;
    return fault.error === null ? row : `${row}  ${plain(fault.error)}`;
  });
  const rest = faults.length - worst.length;
  return [head, ...rows, ...(rest > 0 ? [paint.dim(`and ${numberText(rest)} that took less`)] : [])];
}

/** What is lost, did not come back or failed stands before what took long. */
const weight = ({
  lost,
  duplicated,
  phantom,
  holes,
  error,
  recoverySeconds,
}: Report['faults'][number]): number =>
  (lost ?? 0) + (duplicated ?? 0) + (phantom ?? 0) + (holes ?? 0) > 0 || error !== null
    ? Number.POSITIVE_INFINITY
    : (recoverySeconds ?? 1e9);
