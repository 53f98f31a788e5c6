import { limitText, observedText, plain } from './format.ts';
import type { Report } from './report.ts';

/** What of a report says why its verdict is what it is. */
export type Reasoned = Pick<Report, 'rulings' | 'breachedBecause' | 'invalidBecause'>;

/** Why a verdict is no pass, a line each: the budgets that were breached, what else did not hold, what was not proven. */
export function reasonsOf({ rulings, breachedBecause, invalidBecause }: Reasoned): readonly string[] {
  return [
    ...rulings
      .filter(({ state }) => state === 'breached')
      .map((ruling) => {
        const reason = ruling.reason === null ? '' : ` (${ruling.reason})`;
        return `breached: ${ruling.id} ${ruling.title}: limit ${limitText(ruling)}, observed ${observedText(ruling)}${reason}`;
      }),
    ...breachedBecause.map((reason) => `not held: ${reason}`),
    ...invalidBecause.map((reason) => `no conclusion: ${reason}`),
  ].map((line) => plain(line));
}
