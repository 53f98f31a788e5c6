import type { BudgetMetric } from '../scenario/budget-metric.ts';

/** Under which keys of the figures a metric stands. A budget on `due` is held against what is `judged` (measurement/figures.ts). */
export function keysOf({ path, figure, operation, setting, selector }: BudgetMetric): readonly string[] {
  if (setting !== null) return ['stack', 'applied', setting];
  if (selector !== null) return ['target', 'metrics', selector.text];
  return figure === 'latency.due' && operation !== null
    ? ['latency', operation.id, 'judged']
    : path.split('.');
}

/** The figure under these keys: a finite number, a text, or null when it was not measured. */
export function figureAt(figures: object, keys: readonly string[]): number | string | null {
  let at: unknown = figures;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null;
    at = Reflect.get(at, key);
  }
  if (typeof at === 'number') return Number.isFinite(at) ? at : null;
  return typeof at === 'string' ? at : null;
}
