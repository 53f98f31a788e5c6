import type { z } from 'zod';
import type { BudgetMetric } from './budget-metric.ts';
import type { MetricSelector } from './metric-selector.ts';
import type { resolvedBudgetSchema } from './sections.ts';

type Entry = z.output<typeof resolvedBudgetSchema>;
type Of<State extends Entry['state']> = Readonly<Extract<Entry, { state: State }>>;
export type Operator = Entry['op'];

/** Where a documented claim stands. */
export type Source = NonNullable<Entry['source']>;

/** A budget that a run rules: met, breached, unmeasured, or (with `contradicted`) contradicted. */
export interface MeasuredBudget extends Omit<Of<'measured'>, 'metric'> {
  /** A path in report.json, without the statistic. */
  readonly metric: BudgetMetric;
}

/**
 * The others: `untestable`, which hardware, price or a missing component puts out of reach; and `contradicted`, for
 * which no figure stands, because the document disagrees with itself about it.
 */
export type Budget = MeasuredBudget | Of<'untestable'> | Of<'contradicted'>;

/** A gate of the user's own, which a run may not pass over. A claim of a document may well have no figure. */
export const isRequired = (budget: Budget): budget is MeasuredBudget =>
  budget.state === 'measured' && budget.claim === null && budget.optional !== true;

/** A budget as a file has it: its metric is the path. */
export const writtenBudget = (budget: Budget): object =>
  budget.state === 'measured' ? { ...budget, metric: budget.metric.path } : budget;

/** What of a target's pages is asked for: the selectors of the budgets, each with the statistics. */
export function selectorsOf(
  budgets: readonly Budget[],
): ReadonlyMap<string, { readonly selector: MetricSelector; readonly stats: ReadonlySet<string> }> {
  const found = new Map<string, { selector: MetricSelector; stats: Set<string> }>();
  for (const budget of budgets) {
    if (budget.state !== 'measured') continue;
    const { selector } = budget.metric;
    if (selector === null || budget.stat === null) continue;
    const entry = found.get(selector.text) ?? { selector, stats: new Set<string>() };
    entry.stats.add(budget.stat);
    found.set(selector.text, entry);
  }
  return found;
}
