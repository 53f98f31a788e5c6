import type { Report } from './report.ts';

/** So many kinds; the list is in report.json and report.html. */
const MOST = 3;
/** As load/complaints.ts ends what was met more than once. */
const TIMES = / \((\d+) times\)$/;

const timesOf = (error: string): number => Number(TIMES.exec(error)?.[1] ?? 1);

/** The notes, and below them what went wrong most often, unless it is told as something else already. */
export function notesOf({
  notes,
  errors,
  breachedBecause,
  invalidBecause,
}: Pick<Report, 'notes' | 'errors' | 'breachedBecause' | 'invalidBecause'>): string[] {
  const told = [...notes, ...breachedBecause, ...invalidBecause];
  const untold = errors
    .filter((error) => !told.some((one) => one.includes(error)))
    .toSorted((a, b) => timesOf(b) - timesOf(a));
  const rest = untold.length - MOST;
  return [
    ...notes,
    ...untold.slice(0, MOST).map((error) => `error: ${error}`),
    ...(rest > 0
      ? [`and ${rest} more ${rest === 1 ? 'kind of error' : 'kinds of errors'} in report.html`]
      : []),
  ];
}
