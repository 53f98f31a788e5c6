import { selectorsOf } from '../scenario/budget.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { bucketQuantile } from './buckets.ts';
import type { Figures, MetricFigures } from './figures.ts';
import type { BucketData, Measurements, Series } from './measurements.ts';
import {
  gaugeOf,
  increaseOf,
  NOWHERE,
  numbered,
  percentOf,
  rateOf,
  ratesAt,
  secondsOf,
  spreadOf,
  sumColumns,
  sumOf,
  valuesAt,
} from './readings.ts';

export function redisFigures(m: Measurements): Figures['redis'] {
  const window = m.measured ?? NOWHERE;
  const series = (name: string): Series | undefined => m.series[`redis.${name}`];
  const increase = (name: string): number | null => increaseOf(series(name), window);
  const hits = increase('keyspaceHits');
  return {
    operationsPerSecond: rateOf(series('operations'), window),
    usedMemoryBytes: gaugeOf(series('usedMemoryBytes'), window),
    connections: gaugeOf(series('connections'), window),
    cpuPercentOfCore: spreadOf(
      ratesAt(series('cpuSeconds'), secondsOf(window).slice(1)).map((one) => percentOf(one, 1)),
    ),
    evictedKeys: increase('evictedKeys'),
    expiredKeys: increase('expiredKeys'),
    hitRatioPercent: percentOf(hits, sumOf([hits, increase('keyspaceMisses')])),
    rejectedConnections: increase('rejectedConnections'),
    errorReplies: increase('errorReplies'),
    networkBytesPerSecond: rateOf(series('networkBytes'), window),
  };
}

/** Of every metric that a budget names. */
export const targetFigures = (m: Measurements, { budgets }: Scenario): Figures['target'] => ({
  metrics: Object.fromEntries([...selectorsOf(budgets).keys()].map((text) => [text, metricFigures(m, text)])),
});

/** Declared by its page, without a single observation yet: it counts as 0, as such a counter does. */
const isUnborn = ({ bounds, counts }: BucketData): boolean => bounds.length === 0 && counts[0] === 0;

function metricFigures(m: Measurements, text: string): MetricFigures {
  const window = m.measured ?? NOWHERE;
  // A counter that nobody counted stands at 0 all the time, and is none.
  const isAbsent = m.absences?.some(({ of }) => of === `target.metrics.${text}.values`) ?? false;
  const pages = isAbsent ? [] : numbered(m.series, 'metrics', text);
  const counters = pages.filter(({ kind }) => kind === 'counter');
  const gauges = pages.filter(({ kind }) => kind === 'gauge');
  const sums = sumColumns(gauges.map((series) => valuesAt(series, secondsOf(window))));
  const spread = spreadOf(sums);
  const buckets =
    m.histograms !== undefined && Object.hasOwn(m.histograms, text) ? m.histograms[text] : undefined;
  const at = (percent: number): number | null =>
    buckets === undefined ? null : isUnborn(buckets) ? 0 : bucketQuantile(buckets, percent);
  return {
    ...spread,
    last: sums.findLast((value) => value !== null) ?? null,
    rate: sumOf(counters.map((series) => rateOf(series, window))),
    increase: sumOf(counters.map((series) => increaseOf(series, window))),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    count: buckets === undefined ? null : buckets.counts.reduce((sum, count) => sum + count, 0),
    largestBound: buckets?.bounds.at(-1) ?? null,
  };
}
