import { causeOfError } from '../address/connection-cause.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { CapbenchError, stackFailed } from '../errors.ts';
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
/** An answer that dribbles, or has no end, is none: the end of a run waits for it twice at most. */
const ANSWER_LIMIT_MS = 1_500;
/** What was never asked before may have to be woken. */
const FIRST_ANSWER_MS = 5_000;
const LONGEST_ANSWER = 8 * 2 ** 20;

/** What is asked for: a selector, and the statistics of the budgets that name it. */
export interface AskedMetric {
  readonly selector: MetricSelector;
  readonly stats: ReadonlySet<string>;
}

/** A Prometheus page of a target. */
export interface MetricsProbe extends Probe {
  /** Whether a sample of it was ever there, or a bucket; a counter or a histogram that is declared counts from 0. */
  found(selector: string, what: 'values' | 'percentiles'): boolean;
  /** The histogram of a selector; null where no percentile of it is asked for. */
  histogram(selector: string): HistogramGrowth | null;
  /** Why what was read of it in a span, both ends included, makes no figure; null where it does. */
  flaw(selector: string, from: Micros, to: Micros): string | null;
  /** The first line of it that could not be read, whenever that was; null where all could. */
  unreadable(selector: string): string | null;
}

const COUNTS = ['rate', 'increase'];
export const isPercentile = (stat: string): boolean => /^p\d+$/.test(stat);
/** So many readings without a number are remembered. */
const MOST_NUMBERLESS = 10_000;

interface Watched extends AskedMetric {
  readonly total: ReturnType<typeof openTotal>;
  readonly growth: HistogramGrowth | null;
  readonly found: { values: boolean; percentiles: boolean };
  /** When a sample was NaN, infinite, or beyond all numbers, and what it was. */
  readonly numberless: { readonly at: Micros; readonly was: string }[];
  /** It was there, and is no longer. */
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
      growth: [...one.stats].some(isPercentile) ? openHistogramGrowth() : null,
      found: { values: false, percentiles: false },
      ...{ numberless: [], goneSince: null, kind: null, unreadable: null },
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
      // A gauge that went was what it was until then.
      const mayGo = one.kind === 'gauge' && (one.goneSince ?? 0) > from;
      if (one.goneSince !== null && one.goneSince <= to && !mayGo) {
        const seconds = ((to - Math.max(from, one.goneSince)) / 1e6).toFixed(1);
        return one.goneSince <= from
          ? `${address.shown} had ${text} before the measure phase, and no longer in it`
          : `${address.shown} no longer had ${text} for the last ${seconds} s of the measure phase`;
      }
      const without = one.numberless.filter(({ at }) => at >= from && at <= to);
      const [first] = without;
      if (first === undefined) return null;
      const readings = without.length === 1 ? 'one reading' : `${without.length} readings`;
      return `${first.was} in ${readings} of the measure phase at ${address.shown}: that is no number`;
    },
    close: () => reader.close(),
  };
}

/** The first line that is of what is asked for, as far as it can be read. */
function unreadableOf({ selector, stats }: AskedMetric, page: MetricsPage): string | null {
  const other = otherNameOf(selector.name);
  const names = [
    selector.name,
    ...(kindOf(other, page) === 'counter' ? [other] : []),
    ...([...stats].some(isPercentile) ? [`${selector.name}_bucket`] : []),
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
  // What has begun to be counted after GO counts from 0: so it is read from the first page on, found or not.
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
  if (kind === 'histogram') return [];
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

/**
 * A label set that has no sample yet may still come; a label that no sample of the family bears is mistyped. A family
 * without any sample says nothing of its labels.
 */
function hasLabels({ labels }: MetricSelector, { samples }: MetricsPage, name: string): boolean {
  const all = [name, `${name}_bucket`].flatMap((one) => samples.get(one) ?? []);
  return all.length === 0 || [...labels.keys()].every((label) => all.some((one) => one.labels.has(label)));
}

const labelsShown = ({ labels }: PageSample): string =>
  `{${[...labels].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`.slice(0, 100);

/** What was wrong with a page when it was asked first, before the run begins: exit code 93. */
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
  const what = isSlow ? `no whole answer within ${FIRST_ANSWER_MS / 1e3} s` : cause.what;
  // What stands in a scenario's paths is nothing of this page's.
  const hint = error instanceof CapbenchError && error.hint ? `${error.hint}; ${WHOLE_PATH}` : null;
  const own = isSlow || error instanceof CapbenchError ? null : cause.hint;
  return failed(`the metrics page ${shown} cannot be read: ${what}`, hint ?? own ?? WHOLE_PATH);
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

const WHOLE_PATH =
  'correct the URL; a page of Prometheus text has its whole path: http://127.0.0.1:9100/metrics';
