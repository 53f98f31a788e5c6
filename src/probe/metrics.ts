import { Agent, request } from 'undici';
import { monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import { type MetricSelector, selects } from '../scenario/metric-selector.ts';
import { connectorOptions } from '../stack/access.ts';
import { tlsProblemOf } from '../stack/certificate.ts';
import type { MetricsAddress } from '../stack/probe-address.ts';
import type { Micros } from '../units.ts';
import { type HistogramGrowth, openHistogramGrowth } from './histogram-growth.ts';
import { openLabelledTotal } from './labelled-total.ts';
import { kindOf, type MetricsPage, readMetricsPage } from './metrics-page.ts';
import type { Probe, Sample } from './probe.ts';

const TIMEOUT_MS = 900;
/** An answer that dribbles, or has no end, is none. */
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER = 8 * 2 ** 20;

/** What is asked for: a selector, and the statistics of the budgets that name it. */
export interface AskedMetric {
  readonly selector: MetricSelector;
  readonly stats: ReadonlySet<string>;
}

/** A Prometheus page of a target. */
export interface MetricsProbe extends Probe {
  /** Whether a sample of it was ever there, or a bucket. */
  found(selector: string, what: 'values' | 'percentiles'): boolean;
  /** The histogram of a selector; null where no percentile of it is asked for. */
  histogram(selector: string): HistogramGrowth | null;
}

const COUNTS = ['rate', 'increase'];
export const isPercentile = (stat: string): boolean => /^p\d+$/.test(stat);

interface Watched extends AskedMetric {
  readonly total: ReturnType<typeof openLabelledTotal>;
  readonly growth: HistogramGrowth | null;
  readonly found: { values: boolean; percentiles: boolean };
}

/** @param index 1-based, as in the series' names: `metrics.1.http_requests_total{code="500"}`. */
export function openMetricsProbe(
  address: MetricsAddress,
  index: number,
  asked: readonly AskedMetric[],
): MetricsProbe {
  const connect = connectorOptions(address.access);
  const own = connect === null ? null : new Agent({ connect });
  const watched = asked.map(
    (one): Watched => ({
      ...one,
      total: openLabelledTotal(),
      growth: [...one.stats].some(isPercentile) ? openHistogramGrowth() : null,
      found: { values: false, percentiles: false },
    }),
  );
  const names = new Set(watched.flatMap(({ selector: { name } }) => [name, `${name}_bucket`]));
  const of = (text: string): Watched | undefined => watched.find(({ selector }) => selector.text === text);

  const read = async (): Promise<MetricsPage> => {
    const response = await request(address.url, {
      headers: { ...address.access.headers, accept: 'text/plain; version=0.0.4' },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      ...(own === null ? {} : { dispatcher: own }),
    });
    let text = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > LONGEST_ANSWER) throw new Error('the answer has no end');
    }
    if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`);
    return readMetricsPage(text, names);
  };

  return {
    name: `metrics-${index}`,
    async sample() {
      const page = await read().catch((error) => {
        throw new Error(`GET ${address.shown}: ${messageOf(error)}`, { cause: error });
      });
      const at = monotonic();
      return watched.flatMap((one) => samplesOf(one, page, index, at));
    },
    found: (text, what) => of(text)?.found[what] ?? false,
    histogram: (text) => of(text)?.growth ?? null,
    close: async () => own?.destroy(),
  };
}

function samplesOf(one: Watched, page: MetricsPage, index: number, at: Micros): readonly Sample[] {
  const { selector, stats, total, growth } = one;
  const chosen = (name: string) =>
    (page.samples.get(name) ?? []).filter(({ labels }) => selects(selector, labels));
  if (growth !== null) {
    const buckets = chosen(`${selector.name}_bucket`);
    growth.add(at, buckets);
    if (buckets.length > 0) one.found.percentiles = true;
  }
  const samples = chosen(selector.name);
  if (samples.length > 0) one.found.values = true;
  const series = `metrics.${index}.${selector.text}`;
  // What has begun to be counted after GO counts from 0: so it is read from the first page on, found or not.
  const kind = kindOf(selector.name, page) ?? (COUNTS.some((stat) => stats.has(stat)) ? 'counter' : 'gauge');
  if (kind === 'histogram') return [];
  if (kind === 'counter') {
    return [
      { series, kind: 'counter', value: total(samples.map(({ key, value }) => [key, value] as const)) },
    ];
  }
  if (samples.length === 0) return [];
  return [{ series, kind: 'gauge', value: samples.reduce((sum, { value }) => sum + value, 0) }];
}

/** A page that cannot be reached at all is told before the run begins (93); whatever it answers, the run tells. */
export function metricsUnreachable(thrown: unknown, { shown }: MetricsAddress): Error | null {
  const error = thrown instanceof Error ? thrown.cause : null;
  const tls = tlsProblemOf(error);
  if (tls !== null) return stackFailed(`the metrics page ${shown}: ${tls.what}`, tls.hint, error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code !== 'ECONNREFUSED' && code !== 'EHOSTUNREACH' && code !== 'ENETUNREACH') return null;
  return stackFailed(
    `nobody listens at ${shown} for --probe-metrics`,
    'start it there, or correct the URL; a page has its whole path: http://127.0.0.1:9100/metrics',
    error,
  );
}
