import { causeOfError } from '../address/connection-cause.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { bucketQuantile } from '../buckets.ts';
import { CapbenchError, stackFailed } from '../errors.ts';
import type { AskedMetric } from '../scenario/budget.ts';
import { type MetricSelector, selects } from '../scenario/metric-selector.ts';
import type { Micros } from '../units.ts';
import { type HistogramGrowth, openHistogramGrowth } from './histogram-growth.ts';
import {
  isDeclared,
  kindOf,
  type MetricsPage,
  nameOn,
  otherNameOf,
  type PageSample,
  type UnreadableLine,
} from './metrics-page.ts';
import { openPageReader } from './metrics-request.ts';
import { isFigure, type Probe, type Sample } from './probe.ts';
import { openTotal } from './total.ts';

const TIMEOUT_MS = 900;
/** Also limits answers that arrive byte by byte: the end of a run waits at most twice for one. */
const ANSWER_LIMIT_MS = 1_500;
/** The first request may start something up on the target. */
const FIRST_ANSWER_MS = 5_000;
const LONGEST_ANSWER = 8 * 2 ** 20;

/** A Prometheus page of a target. */
export interface MetricsProbe extends Probe {
  /** Whether any reading had a sample or a bucket of it. A declared counter or histogram counts as 0 without one. */
  found(selector: string, what: 'values' | 'percentiles'): boolean;
  /** The histogram of a selector; null where nobody asks for its percentiles. */
  histogram(selector: string): HistogramGrowth | null;
  /** Why its readings from `from` to `to` (inclusive) give no figure; null where they do. */
  flaw(selector: string, from: Micros, to: Micros): string | null;
  /** The first malformed line of it in any reading; null where there was none. */
  unreadable(selector: string): string | null;
}

const COUNTS = ['rate', 'increase'];
export const isPercentile = (stat: string): boolean => /^p\d+$/.test(stat);
const asksForPercentiles = ({ stats, isWatched }: AskedMetric): boolean =>
  isWatched || [...stats].some(isPercentile);
/** How many readings without a number are remembered. */
const MOST_NUMBERLESS = 10_000;

interface Watched extends AskedMetric {
  readonly total: ReturnType<typeof openTotal>;
  readonly growth: HistogramGrowth | null;
  readonly found: { values: boolean; percentiles: boolean };
  /** The readings in which a sample was no figure (NaN, infinite or too large). */
  readonly numberless: { readonly at: Micros; readonly was: string }[];
  /** When its buckets were read last. */
  bucketsAt: Micros | null;
  /** Since when a selector that was found before has no samples. */
  goneSince: Micros | null;
  kind: ReturnType<typeof kindOf>;
  unreadable: string | null;
}

/** @param index 1-based, as in the series' names: `metrics.1.http_requests_total{code="500"}`. */
export function openMetricsProbe(
  address: MetricsAddress,
  index: number,
  asked: readonly AskedMetric[],
): MetricsProbe {
  const watched = asked.map(
    (one): Watched => ({
      ...one,
      total: openTotal({ remembers: true }),
      growth: asksForPercentiles(one) ? openHistogramGrowth() : null,
      found: { values: false, percentiles: false },
      ...{ numberless: [], goneSince: null, kind: null, unreadable: null, bucketsAt: null },
    }),
  );
  const names = new Set(
    watched.flatMap(({ selector: { name } }) => [name, otherNameOf(name), `${name}_bucket`]),
  );
  const of = (text: string): Watched | undefined => watched.find(({ selector }) => selector.text === text);

  const reader = openPageReader(address, names, LONGEST_ANSWER);
  let isFirst = true;

  return {
    name: `metrics-${index}`,
    async sample(isBoundary) {
      const limit = isFirst ? FIRST_ANSWER_MS : ANSWER_LIMIT_MS;
      const patience = isFirst ? FIRST_ANSWER_MS : TIMEOUT_MS;
      isFirst = false;
      const { page, at } = await reader.read(patience, limit);
      return watched.flatMap((one) => {
        one.unreadable ??= unreadableOf(one, page);
        return samplesOf(one, page, { index, at, isBoundary: isBoundary ?? false });
      });
    },
    found: (text, what) => of(text)?.found[what] ?? false,
    histogram: (text) => of(text)?.growth ?? null,
    unreadable(text) {
      const line = of(text)?.unreadable ?? null;
      return line === null ? null : `${address.shown}, ${line}`;
    },
    flaw(text, from, to) {
      const one = of(text);
      if (one === undefined) return null;
      // A gauge that disappeared within the span still has its values until then.
      const mayGo = one.kind === 'gauge' && (one.goneSince ?? 0) > from;
      if (one.goneSince !== null && one.goneSince <= to && !mayGo) {
        const seconds = ((to - Math.max(from, one.goneSince)) / 1e6).toFixed(1);
        return one.goneSince <= from
          ? `${address.shown} had ${text} before the measure phase, but not in it`
          : `${address.shown} did not have ${text} in the last ${seconds} s of the measure phase`;
      }
      const without = one.numberless.filter(({ at }) => at >= from && at <= to);
      const [first] = without;
      if (first === undefined) return null;
      const readings = without.length === 1 ? 'one reading' : `${without.length} readings`;
      return `${first.was} in ${readings} of the measure phase at ${address.shown}, which is not a number`;
    },
    close: () => reader.close(),
  };
}

/** The first malformed line that belongs to the selector. */
function unreadableOf(one: AskedMetric, page: MetricsPage): string | null {
  const { selector } = one;
  const other = otherNameOf(selector.name);
  const names = [
    selector.name,
    ...(kindOf(other, page) === 'counter' ? [other] : []),
    ...(asksForPercentiles(one) ? [`${selector.name}_bucket`] : []),
  ];
  const isOf = ({ name, labels }: UnreadableLine): boolean =>
    names.includes(name) && (labels === null || selects(selector, labels));
  return page.unreadable.find(isOf)?.problem ?? null;
}

interface Reading {
  readonly index: number;
  readonly at: Micros;
  readonly isBoundary: boolean;
}

function samplesOf(one: Watched, page: MetricsPage, { index, at, isBoundary }: Reading): readonly Sample[] {
  const { selector, stats, total, growth, found } = one;
  const chosen = (name: string) =>
    (page.samples.get(name) ?? []).filter(({ labels }) => selects(selector, labels));
  const areNumbers = (name: string, samples: readonly PageSample[]): boolean => {
    const odd = samples.find(({ value }) => !isFigure(value));
    if (odd !== undefined && one.numberless.length < MOST_NUMBERLESS) {
      one.numberless.push({
        at,
        was: `${name}${samples.length > 1 ? labelsShown(odd) : ''} was ${odd.value}`,
      });
    }
    return odd === undefined;
  };

  const name = nameOn(page, selector.name);
  const samples = chosen(name);
  // A counter that appears after GO counts from 0, so an empty one is recorded from the first page on.
  const kind = kindOf(name, page) ?? (COUNTS.some((stat) => stats.has(stat)) ? 'counter' : 'gauge');
  one.kind = kind;
  const declared = isDeclared(name, page) && hasLabels(selector, page, name);
  const buckets = growth === null ? [] : chosen(`${selector.name}_bucket`);
  const isThere =
    (samples.length > 0 && kind !== 'histogram') || buckets.length > 0 || (declared && kind !== 'gauge');
  if (isThere) one.goneSince = null;
  else if (found.values || found.percentiles) one.goneSince ??= at;

  if (growth !== null) {
    if (buckets.length > 0 || (declared && kind === 'histogram')) found.percentiles = true;
    if (areNumbers(`${selector.name}_bucket`, buckets)) growth.add(at, buckets, isBoundary);
  }
  if (kind === 'histogram') return quantileSamples(one, index, at);
  if (samples.length > 0 || (declared && kind === 'counter')) found.values = true;
  const series = `metrics.${index}.${selector.text}`;
  if (one.goneSince !== null || !areNumbers(name, samples)) return [];
  if (kind === 'counter') {
    return [
      { series, kind: 'counter', value: total(samples.map(({ key, value }) => [key, value] as const)) },
    ];
  }
  if (samples.length === 0) return [];
  return [{ series, kind: 'gauge', value: samples.reduce((sum, { value }) => sum + value, 0) }];
}

const CHARTED = [50, 95] as const;

/** Of a watched histogram: percentiles of what was counted since the reading before; none where that is nothing. */
function quantileSamples(one: Watched, index: number, at: Micros): readonly Sample[] {
  const { growth, isWatched, bucketsAt, selector } = one;
  if (!isWatched || growth === null) return [];
  one.bucketsAt = at;
  const grown = bucketsAt === null ? null : growth.between(bucketsAt, at);
  if (grown === null) return [];
  const { counts } = grown;
  const bounds = grown.bounds.filter(Number.isFinite);
  return CHARTED.flatMap((percent) => {
    const value = bucketQuantile({ bounds, counts }, percent);
    const series = `metrics.${index}.${selector.text}.p${percent}`;
    return value === null ? [] : [{ series, kind: 'gauge' as const, value }];
  });
}

/**
 * A label set without a sample may still appear, but a label that no sample of the family has is mistyped. A family
 * without samples may have any labels.
 */
function hasLabels({ labels }: MetricSelector, { samples }: MetricsPage, name: string): boolean {
  const all = [name, `${name}_bucket`].flatMap((one) => samples.get(one) ?? []);
  return all.length === 0 || [...labels.keys()].every((label) => all.some((one) => one.labels.has(label)));
}

const labelsShown = ({ labels }: PageSample): string =>
  `{${[...labels].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`.slice(0, 100);

/** The error for a page that cannot be read before the run begins: exit code 93. */
export function metricsUnreadable(thrown: unknown, { shown }: MetricsAddress): Error {
  const error = thrown instanceof Error ? thrown.cause : null;
  const failed = (what: string, hint: string): Error => stackFailed(what, hint, error);
  const cause = causeOfError(error);
  if (cause.kind === 'certificate' || cause.kind === 'noTls') {
    return failed(`the metrics page ${shown}: ${cause.what}`, cause.hint ?? WHOLE_PATH);
  }
  if (cause.kind === 'refused' || cause.kind === 'noRoute') {
    return failed(`connection refused at ${shown} (--probe-metrics)`, `start it there, or ${WHOLE_PATH}`);
  }
  const isSlow = cause.kind === 'timeout' || isTimeout(error);
  const what = isSlow ? `no complete answer within ${FIRST_ANSWER_MS / 1e3} s` : cause.what;
  const hint = error instanceof CapbenchError && error.hint ? `${error.hint}; ${WHOLE_PATH}` : null;
  const own = isSlow || error instanceof CapbenchError ? null : cause.hint;
  return failed(`the metrics page ${shown} cannot be read: ${what}`, hint ?? own ?? WHOLE_PATH);
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

const WHOLE_PATH =
  'correct the URL, which has to include the path of the page: http://127.0.0.1:9100/metrics';
