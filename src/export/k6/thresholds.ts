import {
  COUNT_KINDS,
  counterOf,
  METRICS,
  TREND_KINDS,
  trendOf,
  withinRateOf,
} from '../../load/k6/metrics.ts';
import type { Budget, MeasuredBudget } from '../../scenario/budget.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { conversion } from '../../units.ts';
import { sentRateOf } from './names.ts';

/** One budget as k6 holds it. */
export interface K6Threshold {
  readonly budget: MeasuredBudget;
  readonly metric: string;
  /** `p(95)<500` */
  readonly expression: string;
}

/** A latency budget over all that was due: what was not answered counts as slower than everything that was. */
export interface K6Limit {
  readonly operation: string;
  readonly rate: string;
  readonly limitMs: number;
  readonly strict: boolean;
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
export function thresholdsOf({ budgets, scale, altered, operations }: Scenario): K6Thresholds {
  const thresholds: K6Threshold[] = [];
  const limits: K6Limit[] = [];
  const left: { budget: Budget; why: string }[] = [];
  for (const budget of budgets) {
    if (budget.state !== 'measured' || budget.contradicted !== null) {
      left.push({ budget, why: 'nothing that a run could decide' });
    } else if (budget.fullLoad && (scale !== 1 || altered.length > 0)) {
      left.push({ budget, why: 'speaks of the full load, and this is another' });
    } else {
      const found = expressionsOf(budget, operations);
      thresholds.push(...found.map(([metric, expression]) => ({ budget, metric, expression })));
      if (found.length === 0) left.push({ budget, why: 'not to be seen from the load' });
      // The percentiles above are of what was answered; these are of all that was due.
      const latency = limitOf(budget, operations);
      if (latency !== null) {
        limits.push(latency.limit);
        thresholds.push({
          budget,
          metric: latency.limit.rate,
          expression: `rate>=${ratio(latency.percent)}`,
        });
      }
    }
  }
  return { thresholds, limits, left };
}

const PERCENTS: Readonly<Record<string, number>> = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9 };

/** A percentile of the latency from due that has to stay below something; null for every other budget. */
function limitOf(
  budget: MeasuredBudget,
  operations: readonly OperationSpec[],
): { readonly limit: K6Limit; readonly percent: number } | null {
  const { metric, stat, op, limit, metricUnit, id } = budget;
  const operation = operations.find((one) => metric === `latency.${one.id}.due`)?.id;
  const percent = stat === null ? undefined : PERCENTS[stat];
  const perMs = conversion('ms', metricUnit);
  if (operation === undefined || percent === undefined || perMs === undefined) return null;
  if ((op !== '<' && op !== '<=') || typeof limit !== 'number') return null;
  return {
    limit: { operation, rate: withinRateOf(id), limitMs: limit / perMs, strict: op === '<' },
    percent,
  };
}

const ratio = (percent: number): number => Number((percent / 100).toPrecision(12));

/** [metric, expression] of one budget; none where k6 has no figure for it. */
function expressionsOf(
  budget: MeasuredBudget,
  operations: readonly OperationSpec[],
): readonly (readonly [metric: string, expression: string])[] {
  const { metric, stat, op, limit } = budget;
  const operator = OPERATORS[op];
  if (operator === undefined || typeof limit !== 'number') return [];
  const statistic = stat === null ? undefined : STATISTICS[stat];
  const perMs = conversion('ms', budget.metricUnit);
  const timed = (name: string): readonly (readonly [string, string])[] =>
    statistic === undefined || perMs === undefined ? [] : [[name, `${statistic}${operator}${limit / perMs}`]];
  if (metric === 'network.connectMs') return timed(METRICS.connect);
  if (metric === 'network.disconnects') return [[METRICS.disconnects, `count${operator}${limit}`]];
  if (metric === 'load.peakCcu') return [[METRICS.connected, `count${operator}${limit}`]];
  for (const { id } of operations) {
    for (const kind of TREND_KINDS) {
      if (kind !== 'ownLag' && metric === `latency.${id}.${kind}`) return timed(trendOf(id, kind));
    }
    if (metric === `load.sentPercent.${id}`) {
      return [[sentRateOf(id), `rate${operator}${ratio(limit)}`]];
    }
    for (const kind of COUNT_KINDS) {
      if (metric === `load.operations.${id}.${kind}`) {
        return [[counterOf(id, kind), `count${operator}${limit}`]];
      }
    }
  }
  return [];
}
