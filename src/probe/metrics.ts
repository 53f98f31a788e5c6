import { Agent, request } from 'undici';
import { monotonic } from '../clock.ts';
import { CapbenchError, messageOf, stackFailed } from '../errors.ts';
import { type MetricSelector, selects } from '../scenario/metric-selector.ts';
import { connectorOptions } from '../stack/access.ts';
import { causeOfAnswer, causeOfError } from '../stack/connection-cause.ts';
import type { MetricsAddress } from '../stack/probe-address.ts';
import type { Micros } from '../units.ts';
import { type HistogramGrowth, openHistogramGrowth } from './histogram-growth.ts';
import { openLabelledTotal } from './labelled-total.ts';
import { kindOf, type MetricsPage, readMetricsPage } from './metrics-page.ts';
import type { Probe, Sample } from './probe.ts';

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

  const closed = new AbortController();
  let isFirst = true;

  const read = async (): Promise<MetricsPage> => {
    const patience = isFirst ? FIRST_ANSWER_MS : TIMEOUT_MS;
    const limit = AbortSignal.timeout(isFirst ? FIRST_ANSWER_MS : ANSWER_LIMIT_MS);
    isFirst = false;
    const response = await request(address.url, {
      headers: { ...address.access.headers, accept: 'text/plain; version=0.0.4' },
      headersTimeout: patience,
      bodyTimeout: patience,
      signal: AbortSignal.any([limit, closed.signal]),
      ...(own === null ? {} : { dispatcher: own }),
    });
    if (response.statusCode !== 200) {
      // Nobody reads the rest of it.
      response.body.on('error', () => {}).destroy();
      const location = response.headers.location?.toString();
      const { kind, what, hint } = causeOfAnswer(response.statusCode, location);
      // What stands in a scenario's paths is nothing of this page's.
      const own = kind === 'notFound' || hint === null ? WHOLE_PATH : `${hint}; ${WHOLE_PATH}`;
      throw stackFailed(`it answered ${what.replace(/^status /, '')}`, own);
    }
    let text = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > LONGEST_ANSWER) throw new Error('the answer has no end');
    }
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
    async close() {
      closed.abort();
      await own?.destroy();
    },
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

/** What was wrong with a page when it was asked first, before the run begins: exit code 93. */
export function metricsUnreadable(thrown: unknown, { shown }: MetricsAddress): Error {
  const error = thrown instanceof Error ? thrown.cause : null;
  const cause = causeOfError(error);
  if (cause.kind === 'certificate' || cause.kind === 'noTls') {
    return stackFailed(`the metrics page ${shown}: ${cause.what}`, cause.hint ?? WHOLE_PATH, error);
  }
  if (cause.kind === 'nobody' || cause.kind === 'noRoute') {
    return stackFailed(
      `nobody listens at ${shown} for --probe-metrics`,
      `start it there, or ${WHOLE_PATH}`,
      error,
    );
  }
  const isSlow = cause.kind === 'silent' || isTimeout(error);
  const what = isSlow ? `no whole answer within ${FIRST_ANSWER_MS / 1e3} s` : cause.what;
  const hint = error instanceof CapbenchError ? error.hint : isSlow ? null : cause.hint;
  return stackFailed(`the metrics page ${shown} cannot be read: ${what}`, hint ?? WHOLE_PATH, error);
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

const WHOLE_PATH =
  'correct the URL; a page of Prometheus text has its whole path: http://127.0.0.1:9100/metrics';
