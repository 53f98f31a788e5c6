import type { Report } from './report.ts';

/** So many kinds; the list is in report.json and report.html. */
const MOST = 3;
/** As load/error-counts.ts ends what was met more than once. */
const TIMES = / \((\d+) times\)$/;

const timesOf = (error: string): number => Number(TIMES.exec(error)?.[1] ?? 1);

/** A probe that missed some of what counts. */
function gapNote({ name, lastError, measured }: Report['probes'][number]): string[] {
  if (measured === undefined || measured.gaps === 0) return [];
  const seconds = measured.samples + measured.gaps;
  const because = lastError === null ? '' : ` (${lastError})`;
  return [`probe ${name}: no data in ${measured.gaps} of ${seconds} seconds of the measure phase${because}`];
}

/** The notes, gaps of probes, and below them what went wrong most often, unless it is told as something else already. */
export function notesOf({
  notes,
  errors,
  breachedBecause,
  invalidBecause,
  probes,
}: Pick<Report, 'notes' | 'errors' | 'breachedBecause' | 'invalidBecause' | 'probes'>): string[] {
  const told = [...notes, ...breachedBecause, ...invalidBecause];
  const untold = errors
    .filter((error) => !told.some((one) => one.includes(error)))
    .toSorted((a, b) => timesOf(b) - timesOf(a));
  const rest = untold.length - MOST;
  return [
    ...notes,
    ...probes.flatMap(gapNote),
    ...untold.slice(0, MOST).map((error) => `error: ${error}`),
    ...(rest > 0
      ? [`and ${rest} more ${rest === 1 ? 'kind of error' : 'kinds of errors'} in report.html`]
      : []),
  ];
}
