import {
  type Metric,
  type Metrics,
  metricAt,
  playerFigureOf,
  processesIn,
  selectorsOf,
} from '../scenario/budget.ts';
import { LIMIT_FIGURES, LIMIT_ROOM, limitMetricOf } from '../scenario/limit-metric.ts';
import { OUTAGE_FIGURES, OUTAGE_ROOM, OUTAGE_SHARES } from '../scenario/outage-metric.ts';
import { PROCESS_FIGURES, PROCESS_ROOM } from '../scenario/process-metric.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A metric in the list of all metrics. */
export interface ListedMetric extends Omit<Metric, 'within'> {
  readonly path: string;
  /** The scenario's budgets on it. */
  readonly budgets: readonly string[];
}

const SETTING = 'stack.applied.<setting>';
const PLAYER = 'player.<name>';
const SELECTOR = 'target.metrics.<name>{label="value"}';
const OUTAGE = `${OUTAGE_ROOM}.<component>`;
const LIMIT = `${LIMIT_ROOM}.<component>`;
const PROCESS = `${PROCESS_ROOM}.<name>`;

/**
 * Every metric that a budget may name. With a scenario: also its settings, the target's metrics that it names,
 * and the budgets on each.
 */
export function catalogue(
  metrics: Metrics,
  scenario: Pick<Scenario, 'budgets' | 'watch'> | null,
  settings: readonly string[],
): readonly ListedMetric[] {
  const budgets = scenario?.budgets ?? [];
  const listed = (path: string, metric: Metric | undefined): ListedMetric[] => {
    if (metric === undefined) return [];
    const { unit, stats, stages } = metric;
    const ids = budgets.flatMap((one) =>
      one.state === 'measured' && one.metric.path === path ? [one.id] : [],
    );
    return [{ path, unit, stats, stages, budgets: ids }];
  };
  const named = (paths: readonly string[]) => paths.flatMap((path) => listed(path, metricAt(metrics, path)));
  const measured = [
    ...new Set(
      budgets.flatMap((one) =>
        one.state === 'measured' && playerFigureOf(one.metric.path) !== null ? [one.metric.path] : [],
      ),
    ),
  ];
  const selectors = [...selectorsOf(budgets, scenario?.watch).keys()];
  return [
    ...[...metrics].flatMap(([path, metric]) => listed(path, metric)),
    ...listed(SETTING, metricAt(metrics, 'stack.applied.any')),
    ...named(settings.map((name) => `stack.applied.${name}`)),
    ...listed(PLAYER, metricAt(metrics, 'player.any')),
    ...named(measured),
    ...listed(SELECTOR, metricAt(metrics, 'target.metrics.any')),
    ...named(selectors.map((text) => `target.metrics.${text}`)),
    ...Object.keys(PROCESS_FIGURES).flatMap((figure) =>
      listed(`${PROCESS}.${figure}`, metricAt(metrics, `${PROCESS_ROOM}.any.${figure}`)),
    ),
    ...Object.keys(OUTAGE_FIGURES).flatMap((figure) =>
      listed(`${OUTAGE}.${figure}`, metricAt(metrics, `${OUTAGE_ROOM}.any.${figure}`)),
    ),
    ...OUTAGE_SHARES.flatMap((figure) =>
      listed(`${OUTAGE}.operations.<operation>.${figure}`, metricAt(metrics, `${OUTAGE_ROOM}.any.${figure}`)),
    ),
    ...LIMIT_FIGURES.flatMap((figure) =>
      listed(`${LIMIT}.${figure}`, metricAt(metrics, `${LIMIT_ROOM}.any.${figure}`)),
    ),
    ...named([
      ...new Set(
        budgets.flatMap((one) =>
          one.state === 'measured' &&
          (one.metric.section === OUTAGE_ROOM || limitMetricOf(one.metric.path) !== null)
            ? [one.metric.path]
            : [],
        ),
      ),
    ]),
    ...named(
      [...processesIn(budgets)].flatMap((name) =>
        Object.keys(PROCESS_FIGURES).map((figure) => `${PROCESS_ROOM}.${name}.${figure}`),
      ),
    ),
  ];
}
