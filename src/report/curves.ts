import { countOf, percentileOf } from '../histogram.ts';
import type { BucketData, Measurements, Series } from '../measurement/measurements.ts';
import { numbered, processNamesOf, ratesAt, sumColumns, valuesAt } from '../measurement/readings.ts';
import { ofOperation } from '../scenario/operations.ts';
import { conversion, grouped, toMillis } from '../units.ts';
import type { Report } from './report.ts';
import { areMany } from './report-text.ts';
import { limitText } from './ruling-text.ts';

/** A line of a chart: y for each x, null where there is no data. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

const hasData = ({ y }: Curve): boolean => y.some((value) => value !== null);

/** The whole seconds from GO until the last reading. */
export function secondsOf({ series }: Measurements): number[] {
  const last = Object.values(series).reduce((most, { points }) => Math.max(most, points.at(-1)?.[0] ?? 0), 0);
  return Array.from({ length: Math.floor(last) }, (_, i) => i + 1);
}

type Operations = Report['operations'];

/** As many as there are colours. */
const MOST_OPERATIONS = 6;

/** The operations that charts of latency show, in their order; of too many, those with a budget on it before the others. */
export function chartedOf({ operations, rulings }: Pick<Report, 'operations' | 'rulings'>): Operations {
  const isPromised = ({ id }: Operations[number]): boolean =>
    rulings.some(({ metric }) => metric?.startsWith(`latency.${id}.`));
  const chosen = [...operations.filter(isPromised), ...operations.filter((one) => !isPromised(one))];
  const shown = chosen.slice(0, MOST_OPERATIONS);
  return operations.filter((one) => shown.includes(one));
}

/** Null in a second without an answer: a rare operation would otherwise keep the latency of the last one. */
export function ownValues(series: Series | undefined, seconds: readonly number[]): (number | null)[] {
  const values = valuesAt(series, seconds);
  if (series === undefined || (series.thinned ?? 1) > 1) return values;
  const own = new Set(series.points.map(([at]) => Math.ceil(at - 1e-6)));
  return values.map((value, i) => (own.has(seconds[i] ?? 0) ? value : null));
}

/**
 * Latency from the scheduled time in each second, in milliseconds: three percentiles of the first operation and one of the
 * others; one of each where there are many.
 */
export function latencyCurves(m: Measurements, operations: Operations): readonly Curve[] {
  const x = secondsOf(m);
  const many = areMany(operations);
  return operations
    .flatMap(({ id, label }, i) =>
      (i === 0 && !many ? ['p50', 'p95', 'p99'] : ['p95']).map((stat) => ({
        name: `${label} ${stat}`,
        x,
        y: ownValues(m.series[`load.${id}.${stat}Ms`], x),
      })),
    )
    .filter(hasData);
}

/** A budget on a percentile of a latency, as a line to stay below. */
export interface LatencyLimit {
  readonly name: string;
  readonly ms: number;
  readonly stage: string | undefined;
}

/** More lines cannot be told apart. */
const MOST_LIMITS = 4;

/** The budgets on percentiles of the latency from the scheduled time; of several with one limit, the first. */
export function latencyLimits({ rulings, operations }: Report): readonly LatencyLimit[] {
  const paths = operations.map(({ id }) => `latency.${id}.due`);
  const limits = rulings.flatMap((ruling): LatencyLimit[] => {
    const { id, metric, stat, metricUnit, op, limit, stage } = ruling;
    const ms = metricUnit === null ? undefined : conversion(metricUnit, 'ms');
    const isLimit = paths.includes(metric ?? '') && /^p\d/.test(stat ?? '') && (op === '<' || op === '<=');
    if (!isLimit || typeof limit !== 'number' || ms === undefined) return [];
    return [{ name: `${id}: ${stat} ${limitText(ruling)}`, ms: limit * ms, stage }];
  });
  const isFirst = ({ ms, stage }: LatencyLimit, i: number): boolean =>
    limits.findIndex((other) => other.ms === ms && other.stage === stage) === i;
  return limits.filter(isFirst).slice(0, MOST_LIMITS);
}

/**
 * Latency in milliseconds over 1 / (1 - quantile): 10 is p90, 100 is p99. A curve ends where the unanswered
 * operations begin, or where a single operation is all that is left. Of many operations only that from the scheduled time.
 */
export function percentileCurves(m: Measurements, operations: Operations): readonly Curve[] {
  const many = areMany(operations);
  return operations
    .flatMap(({ id, label }) =>
      (many ? (['due'] as const) : (['due', 'service'] as const)).map((kind): Curve => {
        const { measured, [kind]: data } = ofOperation(m.operations, id);
        const unanswered =
          kind === 'due' ? measured.failed + measured.timedOut + measured.skipped + measured.unfinished : 0;
        const population = countOf(data) + unanswered;
        const x: number[] = [];
        for (let one = 1; one <= population; one *= 10 ** 0.05) x.push(one);
        return {
          name: many ? label : `${label}, from ${kind === 'due' ? 'the scheduled time' : 'sending'}`,
          x,
          y: x.map((inverse) => {
            const value = percentileOf(data, 100 * (1 - 1 / inverse), population);
            return value === null ? null : toMillis(value);
          }),
        };
      }),
    )
    .filter(hasData);
}

/** Operations due and answered, and rows written, in each second. */
export function throughputCurves(m: Measurements): readonly Curve[] {
  const x = secondsOf(m);
  const over = (...outcomes: readonly string[]): (number | null)[] =>
    sumColumns(
      Object.keys(m.operations).flatMap((op) =>
        outcomes.map((outcome) => ratesAt(m.series[`load.${op}.${outcome}`], x)),
      ),
    );
  return [
    { name: 'operations due', x, y: over('scheduled') },
    { name: 'operations answered (ok or rejected)', x, y: over('ok', 'rejected') },
    { name: 'row writes', x, y: sumColumns(rowWriteSeries(m).map((series) => ratesAt(series, x))) },
  ].filter(hasData);
}

/** As the servers count them; of servers that do not, as PostgreSQL does. */
function rowWriteSeries({ series }: Measurements): readonly (Measurements['series'][string] | undefined)[] {
  const own = numbered(series, 'world', 'rowWrites');
  const names = ['rowsInserted', 'rowsUpdated', 'rowsDeleted'];
  return own.length > 0 ? own : names.map((name) => series[`postgres.${name}`]);
}

/** What players did not hear in time, in each second in which it was due; none where nothing was lost. */
export function lostCurves(m: Measurements): readonly Curve[] {
  if ((m.deliveries?.lost ?? 0) === 0) return [];
  const x = secondsOf(m);
  const zero = { kind: 'counter', points: [[0, 0], ...(m.series['delivery.lost']?.points ?? [])] } as const;
  return [{ name: 'deliveries lost', x, y: ratesAt(zero, x) }].filter(hasData);
}

/**
 * A metric of a target's pages over the time of the run: a gauge as it is, a counter as its growth in each second, both
 * over all pages; of a histogram the percentiles of each reading, for each page.
 */
export function watchedCurves(m: Measurements, selector: string): readonly Curve[] {
  const x = secondsOf(m);
  const pages = numbered(m.series, 'metrics', selector);
  const counters = pages.filter(({ kind }) => kind === 'counter');
  const gauges = pages.filter(({ kind }) => kind === 'gauge');
  const percentiles = ['p50', 'p95'].flatMap((stat) => {
    const all = numbered(m.series, 'metrics', `${selector}.${stat}`);
    return all.map((series, i) => ({
      name: all.length === 1 ? stat : `${stat}, page ${i + 1}`,
      x,
      y: valuesAt(series, x),
    }));
  });
  return [
    { name: 'per second', x, y: sumColumns(counters.map((series) => ratesAt(series, x))) },
    { name: selector, x, y: sumColumns(gauges.map((series) => valuesAt(series, x))) },
    ...percentiles,
  ].filter(hasData);
}

/** Cores in use, by process. */
export function cpuCurves(m: Measurements): readonly Curve[] {
  const x = secondsOf(m);
  const rates = (room: string): (number | null)[] =>
    sumColumns(numbered(m.series, room, 'cpuSeconds').map((series) => ratesAt(series, x)));
  const busy = ratesAt(m.series['host.cpuBusySeconds'], x);
  const parts = [
    { name: 'world servers', x, y: rates('world') },
    { name: 'PostgreSQL', x, y: ratesAt(m.series['postgres.cpuSeconds'], x) },
    ...processNamesOf(m).map((name) => ({ name, x, y: ratesAt(m.series[`process.${name}.cpuSeconds`], x) })),
    { name: 'generator', x, y: rates('generator') },
  ].filter(hasData);
  const known = sumColumns(parts.map(({ y }) => y));
  const others = busy.map((cores, i) => {
    const used = parts.length === 0 ? 0 : (known[i] ?? null);
    return cores === null || used === null ? null : Math.max(0, cores - used);
  });
  return [...parts, { name: 'others', x, y: others }].filter(hasData);
}

/** Resident memory of each watched process of a target, in MB. */
export function memoryCurves(m: Measurements): readonly Curve[] {
  const x = secondsOf(m);
  return processNamesOf(m)
    .map((name) => {
      const bytes = valuesAt(m.series[`process.${name}.memoryBytes`], x);
      return { name, x, y: bytes.map((value) => (value === null ? null : value / MEGABYTE)) };
    })
    .filter(hasData);
}

const MEGABYTE = 2 ** 20;

/** Batches by their number of operations; empty buckets at both ends are left out. */
export function batchBars(m: Measurements): { readonly labels: string[]; readonly counts: number[] } {
  const data: BucketData = m.worlds?.batchOperations ?? { bounds: [], counts: [] };
  const first = data.counts.findIndex((count) => count > 0);
  const last = data.counts.findLastIndex((count) => count > 0);
  const bars = data.counts.map((count, i) => ({ label: bucketLabel(data.bounds, i), count }));
  const shown = first === -1 ? [] : bars.slice(first, last + 1);
  return { labels: shown.map(({ label }) => label), counts: shown.map(({ count }) => count) };
}

function bucketLabel(bounds: readonly number[], i: number): string {
  const upper = bounds[i];
  const lower = i === 0 ? 0 : (bounds[i - 1] ?? 0);
  if (upper === undefined) return `over ${grouped(lower)}`;
  return lower + 1 >= upper ? grouped(upper) : `${grouped(lower + 1)}–${grouped(upper)}`;
}
