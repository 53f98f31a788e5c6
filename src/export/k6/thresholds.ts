import { type LatencyBudget, latencyBudgetOf } from '../../judge/latency-budget.ts';
import {
  COUNT_KINDS,
  counterOf,
  METRICS,
  sentRateOf,
  TREND_KINDS,
  trendOf,
  withinRateOf,
} from '../../load/k6/metrics.ts';
import type { Budget, MeasuredBudget } from '../../scenario/budget.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { conversion } from '../../units.ts';

/** One budget as k6 holds it. */
interface K6Threshold {
  readonly budget: MeasuredBudget;
  readonly metric: string;
  /** `p(95)<500` */
  readonly expression: string;
}

/** A latency budget over all that was due: what was not answered counts as slower than everything that was. */
export interface K6Limit extends LatencyBudget {
  readonly rate: string;
}

export interface K6Thresholds {
  readonly thresholds: readonly K6Threshold[];
  readonly limits: readonly K6Limit[];
  /** What a load generator alone cannot tell, and why. */
  readonly left: readonly { readonly budget: Budget; readonly why: string }[];
}

const STATISTICS: Readonly<Record<string, string>> = {
  ...{ p50: 'p(50)', p90: 'p(90)', p95: 'p(95)', p99: 'p(99)', p999: 'p(99.9)' },
  ...{ min: 'min', max: 'max', mean: 'avg' },
};
const OPERATORS: Readonly<Record<string, string>> = { '<': '<', '<=': '<=', '>': '>', '>=': '>=', '=': '==' };

/** The budgets as thresholds, as far as k6 itself can tell; the others by name. */
export function thresholdsOf({ budgets, scale, altered }: Scenario): K6Thresholds {
  const thresholds: K6Threshold[] = [];
  const limits: K6Limit[] = [];
  const left: { budget: Budget; why: string }[] = [];
  for (const budget of budgets) {
    if (budget.state !== 'measured' || budget.contradicted !== null) {
      left.push({ budget, why: 'nothing that a run could decide' });
    } else if (budget.fullLoad && (scale !== 1 || altered.length > 0)) {
      left.push({ budget, why: 'speaks of the full load, and this is another' });
    } else {
      const found = expressionsOf(budget);
      thresholds.push(...found.map(([metric, expression]) => ({ budget, metric, expression })));
      if (found.length === 0) left.push({ budget, why: 'not to be seen from the load' });
      // The percentiles above are of what was answered; these are of all that was due.
      const latency = latencyBudgetOf(budget);
      if (latency?.kind === 'due') {
        const rate = withinRateOf(budget.id);
        limits.push({ ...latency, rate });
        thresholds.push({ budget, metric: rate, expression: `rate>=${ratio(latency.percent)}` });
      }
    }
  }
  return { thresholds, limits, left };
}

const ratio = (percent: number): number => Number((percent / 100).toPrecision(12));

/** [metric, expression] of one budget; none where k6 has no figure for it. */
function expressionsOf(budget: MeasuredBudget): readonly (readonly [metric: string, expression: string])[] {
  const { stat, op, limit } = budget;
  const { figure, operation } = budget.metric;
  const operator = OPERATORS[op];
  if (operator === undefined || typeof limit !== 'number') return [];
  const statistic = stat === null ? undefined : STATISTICS[stat];
  const perMs = conversion('ms', budget.metricUnit);
  const timed = (name: string): readonly (readonly [string, string])[] =>
    statistic === undefined || perMs === undefined ? [] : [[name, `${statistic}${operator}${limit / perMs}`]];
  if (figure === 'network.connectMs') return timed(METRICS.connect);
  if (figure === 'network.disconnects') return [[METRICS.disconnects, `count${operator}${limit}`]];
  if (figure === 'load.peakCcu') return [[METRICS.connected, `count${operator}${limit}`]];
  if (operation === null) return [];
  const { id } = operation;
  const trend = TREND_KINDS.find((kind) => figure === `latency.${kind}`);
  if (trend !== undefined) return timed(trendOf(id, trend));
  if (figure === 'load.sentPercent') return [[sentRateOf(id), `rate${operator}${ratio(limit)}`]];
  const kind = COUNT_KINDS.find((one) => figure === `load.operations.${one}`);
  return kind === undefined ? [] : [[counterOf(id, kind), `count${operator}${limit}`]];
}
