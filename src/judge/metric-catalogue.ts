import { selectorsOf } from '../scenario/metric-selector.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { METRICS, type Metric, metricAt, STAGE_METRICS, stageMetricAt } from './metric.ts';

/** A metric as a list of all shows it. */
export interface ListedMetric {
  readonly path: string;
  /** In the words of units.ts; `setting` and `any` for what has a unit of its own. */
  readonly unit: string;
  /** Null when the path is a figure itself. */
  readonly stats: readonly string[] | null;
  /** Whether a budget with `stage:` may name it: not, too, or only such a one. */
  readonly stages: 'no' | 'too' | 'only';
  /** The scenario's budgets on it. */
  readonly budgets: readonly string[];
}

const SETTING = 'stack.applied.<setting>';
const SELECTOR = 'target.metrics.<name>{label="value"}';

/**
 * Every metric that a budget may name; of a scenario with its settings, the target's metrics that its budgets name, and
 * which of them name what.
 */
export function catalogue(
  scenario: Pick<Scenario, 'budgets'> | null,
  settings: readonly string[],
): readonly ListedMetric[] {
  const budgets = scenario?.budgets ?? [];
  const listed = (path: string, metric: Metric | undefined): ListedMetric[] => {
    if (metric === undefined) return [];
    const { unit, stats } = metric;
    const stages = Object.hasOwn(STAGE_METRICS, path) ? 'only' : stageMetricAt(path) ? 'too' : 'no';
    const ids = budgets.flatMap((one) => (one.state === 'measured' && one.metric === path ? [one.id] : []));
    return [{ path, unit, stats, stages, budgets: ids }];
  };
  const named = (paths: readonly string[]) => paths.flatMap((path) => listed(path, metricAt(path)));
  const selectors = [...selectorsOf(budgets).keys()];
  return [
    ...Object.entries({ ...METRICS, ...STAGE_METRICS }).flatMap(([path, metric]) => listed(path, metric)),
    ...listed(SETTING, metricAt('stack.applied.any')),
    ...named(settings.map((name) => `stack.applied.${name}`)),
    ...listed(SELECTOR, metricAt('target.metrics.any')),
    ...named(selectors.map((text) => `target.metrics.${text}`)),
  ];
}
