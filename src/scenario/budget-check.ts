import { comparableUnits, conversion } from '../units.ts';
import { type Budget, type MeasuredBudget, type Metric, type Metrics, metricAt, SELECTED } from './budget.ts';
import { nearest, nearestPath } from './nearest.ts';

/** Every budget whose metric, statistic, unit or limit makes no sense; empty when all can be ruled. */
export function checkBudgets(budgets: readonly Budget[], metrics: Metrics) {
  return budgets.flatMap((budget) => {
    const message = budget.state === 'measured' ? problemOf(budget, metrics) : null;
    return message === null ? [] : [{ id: budget.id, message }];
  });
}

function problemOf(budget: MeasuredBudget, metrics: Metrics): string | null {
  const { path } = budget.metric;
  const metric = metricAt(metrics, path, budget.stat);
  if (metric === undefined) {
    return path.startsWith(`${SELECTED}.`)
      ? `metric "${path}" names no metric of a Prometheus page, expected one such as target.metrics.http_requests_total{code="500"}`
      : `metric "${path}" is not a figure of report.json${meant(budget, metrics)}`;
  }
  if (budget.stage !== undefined && metric.stages === 'no') {
    return `metric "${path}" is not measured stage by stage; leave "stage: ${budget.stage}" out`;
  }
  if (budget.stage === undefined && metric.stages === 'only') {
    return `metric "${path}" is a stage's; say which with "stage:"`;
  }
  const wrong = statisticProblem(budget, metric);
  if (wrong !== null || metric.unit === 'setting') return wrong;
  const numeric = typeof budget.limit !== 'string';
  if (metric.unit === 'text') {
    return numeric ? `metric "${path}" is text; its limit must be text` : null;
  }
  if (!numeric) return `metric "${path}" is a number in ${metric.unit}; its limit must be a number`;
  if (metric.unit === 'any' || conversion(metric.unit, budget.metricUnit) !== undefined) return null;
  const units = comparableUnits(metric.unit);
  return `metric "${path}" is in ${metric.unit} and cannot be compared with ${budget.metricUnit}; expected ${oneOf(units)}`;
}

/** Of figures that are there under a name of their own: the settings of the stack, and a target's own metrics. */
const NAMED_ROOMS = ['stack.applied', SELECTED];

/** What a path that leads nowhere may have meant, and where all are listed. */
function meant({ metric: { path }, stage }: MeasuredBudget, metrics: Metrics): string {
  const listed = 'capbench metrics lists them all';
  const at = path.lastIndexOf('.');
  const [above, last] = [path.slice(0, at), path.slice(at + 1)];
  const isFitting = ({ stages }: Metric): boolean => stages !== (stage === undefined ? 'only' : 'no');
  const parent = metricAt(metrics, above);
  if (parent?.stats?.includes(last) === true && isFitting(parent)) {
    return `; ${last} is a statistic of it: metric: ${above}, stat: ${last}`;
  }
  const [one = '', two = '', ...name] = path.split('.');
  const room = name.length === 0 ? undefined : nearest(`${one}.${two}`, NAMED_ROOMS);
  const known = [...metrics].flatMap(([known, metric]) => (isFitting(metric) ? [known] : []));
  const near = room === undefined ? nearestPath(path, known) : `${room}.${name.join('.')}`;
  return near === undefined ? `; ${listed}` : `; did you mean "${near}"? ${listed}`;
}

/** Words that other tools have for the same. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ...{ avg: 'mean', average: 'mean', med: 'p50', median: 'p50', maximum: 'max', minimum: 'min' },
  ...{ p100: 'max', delta: 'increase', count: 'increase', value: 'last' },
};

function statisticProblem({ metric: { path }, stat }: MeasuredBudget, { stats }: Metric): string | null {
  if (stats === null) return stat === null ? null : `metric "${path}" has no statistics; leave "${stat}" out`;
  if (stat !== null && stats.includes(stat)) return null;
  const synonym = stat === null ? undefined : SYNONYMS[stat.toLowerCase()];
  const found =
    synonym !== undefined && stats.includes(synonym)
      ? synonym
      : stat === null
        ? undefined
        : nearest(stat, stats);
  const hint = found === undefined ? '' : `; did you mean ${found}?`;
  return `metric "${path}" has the statistics ${stats.join(', ')}; got ${stat ?? 'none'}${hint}`;
}

const oneOf = (words: readonly string[]): string =>
  words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
