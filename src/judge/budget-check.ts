import type { Budget, MeasuredBudget } from '../scenario/budget.ts';
import { nearest, nearestPath } from '../scenario/nearest.ts';
import { comparableUnits, conversion } from '../units.ts';
import { METRICS, type Metric, metricAt, STAGE_METRICS, stageMetricAt } from './metric.ts';

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
    return `metric "${budget.metric}" is not a figure of report.json${meant(budget)}`;
  }
  const wrong = statisticProblem(budget, metric);
  if (wrong !== null) return wrong;
  const numeric = typeof budget.limit !== 'string';
  if (metric.unit === 'setting') return null;
  if (metric.unit === 'text') {
    return numeric ? `metric "${budget.metric}" is text; its limit must be text` : null;
  }
  if (!numeric) return `metric "${budget.metric}" is a number in ${metric.unit}; its limit must be a number`;
  if (metric.unit === 'any') return null;
  if (conversion(metric.unit, budget.metricUnit) === undefined) {
    const units = comparableUnits(metric.unit);
    return `metric "${budget.metric}" is in ${metric.unit} and cannot be compared with ${budget.metricUnit}; expected ${oneOf(units)}`;
  }
  return null;
}

/** Of figures that are there under a name of their own: the settings of the stack, and a target's own metrics. */
const NAMED_ROOMS = ['stack.applied', 'target.metrics'];

/** What a path that leads nowhere may have meant, and where all are listed. */
function meant({ metric, stage }: MeasuredBudget): string {
  const listed = 'capbench metrics lists them all';
  const at = metric.lastIndexOf('.');
  const [above, last] = [metric.slice(0, at), metric.slice(at + 1)];
  const parent = stage === undefined ? metricAt(above) : stageMetricAt(above);
  if (parent?.stats?.includes(last) === true) {
    return `; ${last} is a statistic of it: metric: ${above}, stat: ${last}`;
  }
  const [one = '', two = '', ...name] = metric.split('.');
  const room = name.length === 0 ? undefined : nearest(`${one}.${two}`, NAMED_ROOMS);
  const known = Object.keys(stage === undefined ? METRICS : { ...METRICS, ...STAGE_METRICS });
  const path =
    room === undefined
      ? nearestPath(metric, stage === undefined ? known : known.filter((one) => stageMetricAt(one)))
      : `${room}.${name.join('.')}`;
  return path === undefined ? `; ${listed}` : `; did you mean "${path}"? ${listed}`;
}

/** Words that other tools have for the same. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ...{ avg: 'mean', average: 'mean', med: 'p50', median: 'p50', maximum: 'max', minimum: 'min' },
  ...{ p100: 'max', delta: 'increase', count: 'increase', value: 'last' },
};

function statisticProblem({ metric, stat }: MeasuredBudget, { stats }: Metric): string | null {
  if (stats === null)
    return stat === null ? null : `metric "${metric}" has no statistics; leave "${stat}" out`;
  if (stat !== null && stats.includes(stat)) return null;
  const synonym = stat === null ? undefined : SYNONYMS[stat.toLowerCase()];
  const found =
    synonym !== undefined && stats.includes(synonym)
      ? synonym
      : stat === null
        ? undefined
        : nearest(stat, stats);
  const hint = found === undefined ? '' : `; did you mean ${found}?`;
  return `metric "${metric}" has the statistics ${stats.join(', ')}; got ${stat ?? 'none'}${hint}`;
}

const oneOf = (words: readonly string[]): string =>
  words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
