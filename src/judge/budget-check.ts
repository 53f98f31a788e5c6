import type { Budget, MeasuredBudget } from '../scenario/budget.ts';
import { nearest } from '../scenario/nearest.ts';
import { conversion } from '../units.ts';
import { METRICS, metricAt, STAGE_METRICS, stageMetricAt } from './metric.ts';

/** Why a budget cannot be ruled, whatever the run measures: a mistake in the scenario. */
export interface BudgetProblem {
  readonly id: string;
  readonly message: string;
}

/** Every budget whose metric, statistic, unit or limit makes no sense; empty when all can be ruled. */
export function checkBudgets(budgets: readonly Budget[]): readonly BudgetProblem[] {
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured') return [];
    const message = problemOf(budget);
    return message === null ? [] : [{ id: budget.id, message }];
  });
}

function problemOf(budget: MeasuredBudget): string | null {
  const metric =
    budget.stage === undefined ? metricAt(budget.metric, budget.stat) : stageMetricAt(budget.metric);
  if (metric === undefined && budget.metric.startsWith('target.metrics.')) {
    if (budget.stage !== undefined) {
      return `metric "${budget.metric}" is not measured stage by stage; leave "stage: ${budget.stage}" out`;
    }
    return `metric "${budget.metric}" names no metric of a Prometheus page, expected one such as target.metrics.http_requests_total{code="500"}`;
  }
  if (metric === undefined) {
    if (budget.stage !== undefined && metricAt(budget.metric) !== undefined) {
      return `metric "${budget.metric}" is not measured stage by stage; leave "stage: ${budget.stage}" out`;
    }
    if (budget.stage === undefined && stageMetricAt(budget.metric) !== undefined) {
      return `metric "${budget.metric}" is a stage's; say which with "stage:"`;
    }
    const known = Object.keys(budget.stage === undefined ? METRICS : { ...METRICS, ...STAGE_METRICS });
    const meant = nearest(budget.metric, known);
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return `metric "${budget.metric}" is not a figure of report.json${hint}`;
  }
  if (metric.stats === null && budget.stat !== null) {
    return `metric "${budget.metric}" has no statistics; leave "${budget.stat}" out`;
  }
  if (metric.stats !== null && (budget.stat === null || !metric.stats.includes(budget.stat))) {
    return `metric "${budget.metric}" has the statistics ${metric.stats.join(', ')}; got ${budget.stat ?? 'none'}`;
  }
  const numeric = typeof budget.limit !== 'string';
  if (metric.unit === 'setting') return null;
  if (metric.unit === 'text') {
    return numeric ? `metric "${budget.metric}" is text; its limit must be text` : null;
  }
  if (!numeric) return `metric "${budget.metric}" is a number in ${metric.unit}; its limit must be a number`;
  if (metric.unit === 'any') return null;
  if (conversion(metric.unit, budget.metricUnit) === undefined) {
    return `metric "${budget.metric}" is in ${metric.unit} and cannot be compared with ${budget.metricUnit}`;
  }
  return null;
}
