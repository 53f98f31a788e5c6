import type { FoundBudget } from './proposal.ts';

const STATS: Readonly<Record<string, string>> = {
  ...{ avg: 'mean', mean: 'mean', med: 'p50', median: 'p50', min: 'min', max: 'max' },
  ...{ p50: 'p50', p90: 'p90', p95: 'p95', p99: 'p99', p999: 'p999' },
};

/** The statistic of a latency by another tool's name of it: `p(95)`, `p95`, `avg`; null where there is none. */
export function statOf(name: string): string | null {
  const [, percent] = /^p\((\d+(?:\.\d+)?)\)$/.exec(name.replaceAll(/\s/g, '')) ?? [];
  const key = percent === undefined ? name : `p${percent.replace('.', '')}`;
  return Object.hasOwn(STATS, key) ? (STATS[key] ?? null) : null;
}

const OPS = ['<', '<=', '>', '>='] as const;

/** `p(95)<500` in its parts; null where it is no comparison with a number. */
export function comparisonOf(text: string) {
  const [, left = '', op = '', limit = ''] =
    /^\s*([\w.()\s-]+?)\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
  const known = OPS.find((one) => one === op);
  return known === undefined ? null : { left, op: known, limit: Number(limit) };
}

/** A budget on the latency of every operation, from the scheduled time. */
export const latencyBudget = (
  id: string,
  stat: string,
  { op, limit, line }: Pick<FoundBudget, 'op' | 'limit' | 'line'>,
): FoundBudget => ({ id, metric: 'latency.{op}.due', stat, op, limit, unit: 'ms', line });
