import type { Budget } from '../scenario/budget.ts';
import { conversion } from '../units.ts';

/** A budget that a percentile of a latency must stay below. */
export interface LatencyBudget {
  /** By its id. */
  readonly operation: string;
  readonly kind: 'due' | 'ok' | 'service' | 'lag';
  /** 95 for p95. */
  readonly percent: number;
  readonly limitMs: number;
  /** `<`: a latency equal to the limit is over it. */
  readonly strict: boolean;
}

const KINDS = ['due', 'ok', 'service', 'lag'] as const;
const PERCENTS: Readonly<Record<string, number>> = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9 };

/** Null for a budget on anything else. */
export function latencyBudgetOf(budget: Budget): LatencyBudget | null {
  if (budget.state !== 'measured' || budget.contradicted !== null) return null;
  const { metric, stat, op, limit, metricUnit } = budget;
  const kind = KINDS.find((one) => metric.figure === `latency.${one}`);
  const percent = stat === null ? undefined : PERCENTS[stat];
  const factor = conversion('ms', metricUnit);
  if (metric.operation === null || kind === undefined || percent === undefined) return null;
  if ((op !== '<' && op !== '<=') || typeof limit !== 'number' || factor === undefined) return null;
  return { operation: metric.operation.id, kind, percent, limitMs: limit / factor, strict: op === '<' };
}

/**
 * A latency that is too small to matter, in milliseconds: a tenth of the tightest limit on a p95, and at least 5. Of one
 * operation, or of all.
 */
export function negligibleMs(budgets: readonly Budget[], of?: string): number {
  const limits = budgets.flatMap((budget) => {
    const one = latencyBudgetOf(budget);
    return one?.percent === 95 && (of === undefined || one.operation === of) ? [one.limitMs] : [];
  });
  return limits.length === 0 ? LEAST_MS : Math.max(LEAST_MS, Math.min(...limits) / 10);
}

const LEAST_MS = 5;
