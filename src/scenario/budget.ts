import type { BudgetMetric } from './budget-metric.ts';
import type { MetricSelector } from './metric-selector.ts';

export const OPERATORS = ['<', '<=', '>', '>=', '=', 'between', '~', 'is'] as const;
export type Operator = (typeof OPERATORS)[number];

/** Where a documented claim stands. */
export interface Source {
  readonly document: string;
  readonly heading: string;
  readonly line: number;
}

/** What every budget has, whether a run can rule it or not. */
interface BudgetBase {
  /** Unique in the scenario: the claim's id, or a name of the user's own. */
  readonly id: string;
  /** `FLX-151`, or null for a budget of the user's own. */
  readonly claim: string | null;
  /** What is claimed, in words. */
  readonly title: string;
  readonly op: Operator;
  /** A number, [low, high] for `between` (inclusive), or text for `is`. `~` allows 10%. */
  readonly limit: number | readonly [number, number] | string;
  /** As the document spells it. */
  readonly unit: string;
  readonly condition: string | null;
  readonly source: Source | null;
}

/** A budget that a run rules: met, breached, unmeasured, or (with `contradicted`) contradicted. */
export interface MeasuredBudget extends BudgetBase {
  readonly state: 'measured';
  /** A path in report.json, without the statistic. */
  readonly metric: BudgetMetric;
  /** The statistic at that path: `p95`, `max`, `mean`; null when the path is a figure itself. */
  readonly stat: string | null;
  /** The unit of `limit`, in the words of units.ts, so that it can be compared with the metric's. */
  readonly metricUnit: string;
  /** The claim speaks of the full load: at another scale it is unmeasured, and says so. */
  readonly fullLoad: boolean;
  /** Why the document disagrees with itself here; null when it does not. */
  readonly contradicted: string | null;
  /** The stage whose figure it is; absent for the whole measure phase. */
  readonly stage?: string | undefined;
  /** Of the user's own: it may go without a figure. Absent where it may not. */
  readonly optional?: true | undefined;
}

/** A budget that hardware, price or a missing component puts out of reach. */
export interface UntestableBudget extends BudgetBase {
  readonly state: 'untestable';
  /** Which component is missing here. */
  readonly missing: string;
}

/** A budget that no figure stands for, because the document disagrees with itself about it. */
export interface ContradictedBudget extends BudgetBase {
  readonly state: 'contradicted';
  /** The arithmetic, in a sentence. */
  readonly contradicted: string;
}

export type Budget = MeasuredBudget | UntestableBudget | ContradictedBudget;

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
