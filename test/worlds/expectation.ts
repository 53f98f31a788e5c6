import type { Report } from '../../src/report/report.ts';
import type { FinishedRun } from './finished-run.ts';

/** How a run has to end. */
export interface Expectation {
  /** One of these exit codes. */
  readonly codes: readonly number[];
  /** At least one budget that is breached, or rule that is broken, has such an id; absent: any or none. */
  readonly breaks?: RegExp;
}

/** What of a run is not as expected; empty when all is. */
export function unexpectedIn(
  { code, report, output }: FinishedRun,
  expected: Expectation,
): readonly string[] {
  const { codes, breaks } = expected;
  if (report === null) return [`it left no report: ${output.trim().split('\n').slice(-6).join('\n    ')}`];
  const broken = brokenIn(report);
  return [
    ...(code !== null && codes.includes(code)
      ? []
      : [`exit code ${code}, expected ${codes.join(' or ')}: ${broken.join(', ') || 'nothing is breached'}`]),
    ...(breaks === undefined || broken.some((id) => breaks.test(id))
      ? []
      : [`nothing that is breached matches ${breaks}: ${broken.join(', ') || 'nothing is breached'}`]),
  ];
}

/** The ids of the budgets that are breached and the rules that are broken. */
export const brokenIn = ({ rulings, rules }: Report): readonly string[] => [
  ...rulings.flatMap(({ id, state }) => (state === 'breached' ? [id] : [])),
  ...rules.flatMap(({ id, state }) => (state === 'broken' ? [id] : [])),
];
