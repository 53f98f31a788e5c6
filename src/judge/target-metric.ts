import type { MetricFigures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { type Growth, growthOf, isWhole, numbered } from '../measurement/readings.ts';
import { COUNTER_STATS, GAUGE_STATS, HISTOGRAM_STATS, type MeasuredBudget } from '../scenario/budget.ts';
import { keeps } from './comparison.ts';

/** The words under which the absence of this statistic is noted (probe/target-probes.ts). */
export const noteOf = ({ metric, stat }: MeasuredBudget): string =>
  `${metric.path}.${isOneOf(HISTOGRAM_STATS, stat) ? 'percentiles' : 'values'}`;

const isOneOf = (stats: readonly string[], stat: string | null): boolean =>
  stat !== null && stats.includes(stat);

/** Why a metric that is there has no such statistic; null when that is not the reason. */
export function unfitting(
  { metric, stat }: MeasuredBudget,
  { series: all = {} }: Partial<Pick<Measurements, 'series'>>,
): string | null {
  const { selector } = metric;
  const [series] = selector === null ? [] : numbered(all, 'metrics', selector.text);
  if (selector === null || series === undefined) return null;
  if (series.kind === 'counter' && isOneOf(GAUGE_STATS, stat)) {
    return `${selector.name} is a counter: its statistics are ${COUNTER_STATS.join(' and ')}`;
  }
  if (series.kind === 'gauge' && isOneOf(COUNTER_STATS, stat)) {
    return `${selector.name} is a gauge: its statistics are ${GAUGE_STATS.join(', ')}`;
  }
  if (series.kind === 'counter' && isOneOf(COUNTER_STATS, stat)) {
    return `${selector.name} was not read near both ends of the measure phase, so its growth is not known`;
  }
  return null;
}

/**
 * A percentile above the largest finite bucket is only known to be at least that bound: it breaches an upper limit below
 * it, meets a lower one, and decides nothing else. Null where the figure decides. `kept`: judged by the largest bound.
 */
export function beyondBuckets(
  { metric, stat, op }: MeasuredBudget,
  kept: boolean,
  metrics: Readonly<Record<string, MetricFigures>>,
): string | null {
  const { selector } = metric;
  if (selector === null || !isOneOf(HISTOGRAM_STATS, stat)) return null;
  if ((op === '<' || op === '<=') && !kept) return null;
  if ((op === '>' || op === '>=') && kept) return null;
  const figures = Object.hasOwn(metrics, selector.text) ? metrics[selector.text] : undefined;
  const observed = figures?.[stat as keyof MetricFigures] ?? null;
  if (observed === null || observed !== figures?.largestBound) return null;
  return `it is at least ${observed}, the largest bucket of ${selector.name}, and may be larger`;
}

/**
 * Where a page was not read when the measure phase began or ended, the growth of a counter is only known between two
 * bounds, and a limit between them is neither met nor breached. Null where the figure decides.
 * @param factor from the metric's unit to the budget's
 */
export function betweenReadings(
  { metric, stat, op, limit, metricUnit }: MeasuredBudget,
  factor: number,
  { series: all = {}, measured }: Partial<Pick<Measurements, 'series'>> & Pick<Measurements, 'measured'>,
): string | null {
  const { selector } = metric;
  if (selector === null || measured === null || !isOneOf(COUNTER_STATS, stat)) return null;
  const pages = numbered(all, 'metrics', selector.text).filter(({ kind }) => kind === 'counter');
  const growths = pages.map((page) => growthOf(page, measured));
  if (!growths.every((growth): growth is Growth => growth !== null)) return null;
  const sum = (of: (growth: Growth) => number): number => growths.reduce((total, one) => total + of(one), 0);
  const unread = sum(({ unreadSeconds }) => unreadSeconds);
  if (unread === 0) return null;
  const scale = (stat === 'rate' ? 1 / (measured.to - measured.from) : 1) * factor;
  const whole = stat === 'increase' && pages.every(isWhole);
  const bounds = [-1, 0, 1].map((side) => {
    const grown = Math.max(
      0,
      sum((growth) => growth.grown + side * growth.off),
    );
    return (whole ? Math.round(grown) : grown) * scale;
  });
  const kept = new Set(bounds.map((bound) => keeps(bound, op, limit)));
  if (kept.size === 1) return null;
  const [low, , high] = bounds.map((bound) => Number(bound.toPrecision(4)).toLocaleString('en-US'));
  return `it is between ${low} and ${high} ${metricUnit}: the page was read ${unread.toFixed(1)} s away from the ends of the measure phase`;
}
