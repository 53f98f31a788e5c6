import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import type { BudgetMetric } from '../scenario/budget.ts';
import { type OutageMetric, outageMetricOf } from '../scenario/outage-metric.ts';
import { grouped } from '../units.ts';

/** An outage that did not end is longer than any limit, although there is no figure; null for every other budget. */
export function withoutRecovery({ path }: BudgetMetric, { outage }: Pick<Figures, 'outage'>): string | null {
  const metric = outageMetricOf(path);
  const figures =
    metric === null || !Object.hasOwn(outage, metric.component) ? null : outage[metric.component];
  if (metric === null || figures === null || figures === undefined) return null;
  const { count, notBack, notRecovered } = figures;
  const of = (n: number): string => `after ${grouped(n)} of ${grouped(count)} faults of ${metric.component}`;
  if (metric.figure === 'downSecondsMax' && notBack > 0) return `${of(notBack)} it never answered again`;
  return metric.figure === 'recoverySecondsMax' && notRecovered > 0
    ? `${of(notRecovered)} the load had not recovered when the next one or the end came`
    : null;
}

/** Why there is no figure of outages: what they would be of did not happen. Null for every other budget. */
export function withoutOutage(
  { path }: BudgetMetric,
  { faults = [] }: Partial<Pick<Measurements, 'faults'>>,
): string | null {
  const metric = outageMetricOf(path);
  if (metric === null) return null;
  const { component, figure } = metric;
  if (faults.every(({ of }) => of !== component)) return noFault(metric, faults);
  if (OF_ROWS.has(figure)) return 'what is kept was not compared with the ledger after each of the faults';
  return figure.endsWith('Percent')
    ? `nothing was due while ${component} was down, or a second of it was not read`
    : `another fault began while ${component} was down, or the load ended before it answered again`;
}

const OF_ROWS: ReadonlySet<string> = new Set(['lost', 'lostInWindow', 'phantom', 'duplicated']);

/** Whether a figure comes from comparing what is kept with the ledger. */
export const isOfRows = ({ section, path }: BudgetMetric): boolean =>
  section === 'integrity' || OF_ROWS.has(outageMetricOf(path)?.figure ?? '');

/** In a run without a fault of the component; `faults` are those that there are. */
export function noFault({ component }: OutageMetric, faults: readonly { readonly of: string }[]): string {
  const others = [...new Set(faults.map(({ of }) => of))];
  return `there was no fault of ${component}${others.length === 0 ? '' : `, only of ${others.join(', ')}`}`;
}
