import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { MetricsAddress } from '../../src/address/probe-address.ts';
import { monotonic } from '../../src/clock.ts';
import { openMetricsProbe } from '../../src/probe/metrics.ts';
import type { Probe } from '../../src/probe/probe.ts';
import { openTargetProbes } from '../../src/probe/target-probes.ts';
import { selectorOf } from '../../src/scenario/metric-selector.ts';
import { budget } from '../fixtures/recorded-run.ts';
import { portOf } from '../loopback.ts';

/** A metrics page with a given text; it keeps the headers of the last request. */
async function page(first: string) {
  const state = {
    ...{ text: first as string | Uint8Array, status: 200, headers: {} as Record<string, string> },
    requestHeaders: {} as IncomingHttpHeaders,
  };
  let answer = (response: ServerResponse): void =>
    void response.writeHead(state.status, state.headers).end(state.text);
  const server = createServer((request, response) => {
    state.requestHeaders = request.headers;
    answer(response);
  });
  const url = `http://127.0.0.1:${await portOf(server)}/metrics`;
  const address: MetricsAddress = { url, shown: url, access: {} };
  return {
    state,
    address,
    never: () => {
      answer = () => {};
    },
    /** Answers without an end, a line every 50 ms: when it begins, and when its client has gone. */
    dribble: () => {
      const begun = new Promise<ServerResponse>((resolve) => {
        answer = resolve;
      });
      return {
        begun,
        gone: begun.then(async (response) => {
          const timer = setInterval(() => response.write('a 1\n'), 50);
          await once(response, 'close');
          clearInterval(timer);
        }),
      };
    },
  };
}

const requested = (text: string, ...stats: string[]) => ({
  selector: selectorOf(`target.metrics.${text}`)!,
  stats: new Set(stats),
  isWatched: false,
});

/** The values of a reading, by the names of their series without this prefix. */
const valuesOf = async (probe: Probe, before = '') =>
  Object.fromEntries((await probe.sample()).map(({ series, value }) => [series.slice(before.length), value]));

const COUNTERS = (ok: number, bad: number | null) => `# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a"} ${ok}
http_requests_total{code="200",path="/b"} 5 1700000000000
${bad === null ? '' : `http_requests_total{code="500",path="/a"} ${bad}`}
# TYPE queue_length gauge
queue_length{shard="1"} 3
queue_length{shard="2"} 4.5
other_total 9
`;

test('counters grow from the first reading on, and are selected by label; gauges are added up', async () => {
  const { state, address } = await page(COUNTERS(100, null));
  const probe = openMetricsProbe(address, 2, [
    requested('http_requests_total', 'rate'),
    requested('http_requests_total{code="500"}', 'increase'),
    requested('queue_length', 'max'),
    requested('queue_length{shard="3"}', 'max'),
  ]);
  const read = () => valuesOf(probe);
  const [all, bad] = ['metrics.2.http_requests_total', 'metrics.2.http_requests_total{code="500"}'] as const;
  expect(await read()).toEqual({ [all]: 0, [bad]: 0, 'metrics.2.queue_length': 7.5 });
  // The label has no sample yet, and the name has others.
  expect(probe.found('http_requests_total{code="500"}', 'values')).toBe(true);
  state.text = COUNTERS(110, 2);
  expect(await read()).toMatchObject({ [all]: 12, [bad]: 2 });
  // After a restart, the whole count is new.
  state.text = COUNTERS(4, null);
  expect(await read()).toMatchObject({ [all]: 16, [bad]: 2 });
  // Labels that come back go on from where they were.
  state.text = COUNTERS(4, 3);
  expect(await read()).toMatchObject({ [all]: 17, [bad]: 3 });
  expect(probe.found('http_requests_total{code="500"}', 'values')).toBe(true);
  expect(probe.found('queue_length{shard="3"}', 'values')).toBe(false);
  await probe.close();
});

const HISTOGRAM = (counts: readonly number[], type = true) =>
  `${type ? '# TYPE took_seconds histogram\n' : ''}${['0.1', '0.5', '+Inf']
    .map((le, i) => `took_seconds_bucket{path="/a",le="${le}"} ${counts[i]}\n`)
    .join('')}took_seconds_sum{path="/a"} 12\ntook_seconds_count{path="/a"} ${counts[2]}\n`;

test('a histogram has what its buckets grew by', async () => {
  const { state, address } = await page(HISTOGRAM([1000, 1000, 1000]));
  const probe = openMetricsProbe(address, 1, [
    requested('took_seconds', 'p95', 'rate'),
    requested('took_seconds_count', 'rate'),
  ]);
  const from = monotonic();
  // A histogram has no single value, and therefore no rate.
  expect(await probe.sample()).toEqual([
    { series: 'metrics.1.took_seconds_count', kind: 'counter', value: 0 },
  ]);
  state.text = HISTOGRAM([1010, 1018, 1020]);
  await probe.sample();
  expect(probe.histogram('took_seconds')?.between(from, monotonic())).toEqual({
    bounds: [0.1, 0.5, Number.POSITIVE_INFINITY],
    counts: [10, 8, 2],
  });
  expect(probe.histogram('took_seconds_count')).toBeNull();
  state.text = HISTOGRAM([1, 2]).replace('"+Inf"', '"0.7"');
  await probe.sample();
  expect(probe.histogram('took_seconds')?.problem).toContain('differ between label sets');
  await probe.close();
});

test.each([
  ['a 500', { status: 500 }, /answered 500/],
  ['garbage', { text: '<html>hello</html>\n' }, /not Prometheus text/],
  ['nothing', { text: '' }, /not Prometheus text/],
  ['no end', { text: 'a 1\n'.repeat(2 ** 21 + 1) }, /longer than/],
  ['silence', null, /Headers Timeout/],
])('%s is a gap, reported with the name of the page', async (_, answer, message) => {
  const { address, state, never } = await page(COUNTERS(1, null));
  const probe = openMetricsProbe(address, 1, [requested('queue_length', 'max')]);
  await probe.sample();
  if (answer === null) never();
  else Object.assign(state, answer);
  await expect(probe.sample()).rejects.toThrow(message);
  await expect(probe.sample()).rejects.toThrow(address.shown);
  await probe.close();
});

test('a page with too many samples is refused', async () => {
  const lines = Array.from({ length: 5001 }, (_, i) => `queue_length{shard="${i}"} 1\n`).join('');
  const { address } = await page(lines);
  const probe = openMetricsProbe(address, 1, [requested('queue_length', 'max')]);
  await expect(probe.sample()).rejects.toThrow('more than 5000 samples');
  await probe.close();
});

test('the probe sends the headers that Prometheus sends, and reads compressed answers', async () => {
  const { address, state } = await page(COUNTERS(1, null));
  const probe = openMetricsProbe(address, 1, [requested('queue_length', 'max')]);
  const value = async () => (await probe.sample())[0]?.value;
  expect(await value()).toBe(7.5);
  expect(state.requestHeaders.accept).toMatch(
    /^application\/openmetrics-text;version=1\.0\.0;.*text\/plain;version=0\.0\.4/,
  );
  for (const [encoding, text] of [
    ['gzip', gzipSync('queue_length 2')],
    ['deflate', deflateSync('queue_length 2')],
    ['br', brotliCompressSync('queue_length 2')],
    ['identity', 'queue_length 2'],
  ] as const) {
    Object.assign(state, { text, headers: { 'content-encoding': encoding } });
    expect(await value()).toBe(2);
  }
  const openMetrics = { 'content-type': 'application/openmetrics-text; version=1.0.0' };
  for (const [text, headers, message] of [
    [gzipSync('queue_length 1\n'.repeat(2 ** 20)), { 'content-encoding': 'gzip' }, 'longer than'],
    ['queue_length 2', { 'content-encoding': 'zstd' }, 'encoded as zstd'],
    ['gzip? no', { 'content-encoding': 'gzip' }, address.shown],
    ['queue_length 4\n', openMetrics, 'ends without "# EOF"'],
  ] as const) {
    Object.assign(state, { text, headers });
    await expect(probe.sample()).rejects.toThrow(message);
  }
  state.text = 'queue_length 4\n# EOF\n';
  expect(await value()).toBe(4);
  await probe.close();
});

test('a metric that is not a number, is unreadable or has disappeared has no figure, and each reason is reported', async () => {
  const { address, state } = await page(
    '# TYPE hits counter\nhits_total{x="1"} 5\n# TYPE queue gauge\nqueue 1\n',
  );
  const probe = openMetricsProbe(address, 1, [
    requested('hits_total', 'increase'),
    requested('hits_total{x="2"}', 'increase'),
    requested('queue', 'max'),
  ]);
  const read = (text: string) => {
    state.text = text;
    return valuesOf(probe, 'metrics.1.');
  };
  const from = monotonic();
  const one = 'hits_total{x="2"}';
  const first = await read('# TYPE hits counter\nhits_total{x="1"} 7\nqueue 1\n');
  expect(first).toEqual({ hits_total: 0, [one]: 0, queue: 1 });
  expect(probe.flaw('hits_total', from, monotonic())).toBeNull();
  // A reading without a number leaves a gap, and no count is lost.
  const second = await read('# TYPE hits counter\nhits_total{x="1"} NaN\nqueue +Inf\n');
  expect(second).toEqual({ [one]: 0 });
  const third = await read('# TYPE hits counter\nhits_total{x="1"} 9\nqueue 1\n');
  expect(third).toEqual({ hits_total: 2, [one]: 0, queue: 1 });
  const until = monotonic();
  expect(probe.flaw('hits_total', from, until)).toBe(
    `hits_total was NaN in one reading of the measure phase at ${address.shown}, which is not a number`,
  );
  expect(probe.flaw('queue', from, until)).toContain('queue was Infinity in one reading');
  expect(probe.flaw('hits_total{x="2"}', from, until)).toBeNull();
  expect(probe.flaw('queue', until, monotonic())).toBeNull();
  expect(probe.unreadable('hits_total')).toBeNull();
  // With its labels a line belongs to one metric; without them it may belong to any.
  await read('# TYPE hits counter\nhits_total{x="1"} nine\nqueue 1\n');
  expect(probe.unreadable('hits_total')).toBe(`${address.shown}, line 2: its value "nine" is not a number`);
  expect(probe.unreadable('hits_total{x="2"}')).toBeNull();
  await read('# TYPE hits counter\nhits_total{x="1" 9\nqueue 1\n');
  expect(probe.unreadable('hits_total{x="2"}')).toContain('no comma follows the label x');
  expect(probe.unreadable('queue')).toBeNull();
  const gone = monotonic();
  expect(await read('queue 1\n')).toEqual({ queue: 1 });
  expect(probe.flaw('hits_total', gone, monotonic())).toContain('did not have hits_total in the last');
  // A gauge that disappears keeps its value until then.
  expect(await read('other 1\n')).toEqual({});
  expect(probe.flaw('queue', gone, monotonic())).toBeNull();
  expect(probe.flaw('queue', monotonic(), monotonic())).toContain('had queue before the measure phase');
  await probe.close();
});

test('a counter or a histogram that is only declared counts from 0', async () => {
  const first =
    '# HELP errors Errors.\n# TYPE errors counter\n# TYPE took_seconds histogram\n# TYPE queue gauge\n# EOF\n';
  const { address, state } = await page(first);
  const metrics = ['errors_total{code="500"}', 'took_seconds_count', 'queue', 'eros_total'];
  const watched = await openTargetProbes({
    ...{ tables: [], processes: [] },
    ...{ addresses: { ...none, metrics: [address] }, database: null, ca: undefined },
    budgets: [
      ...metrics.map((metric) =>
        budget({ id: metric, metric: `target.metrics.${metric}`, stat: 'increase' }),
      ),
      budget({ id: 'p', metric: 'target.metrics.took_seconds', stat: 'p95' }),
    ],
  });
  const reported = () => {
    const measured = { from, to: monotonic() };
    return {
      absent: watched
        .absences(measured)
        .map(({ of }) => of)
        .filter((of) => of.startsWith('target.')),
      took: watched.histograms(measured.from, measured.to).took_seconds,
    };
  };
  const from = monotonic();
  const [probe] = watched.probes;
  const read = () => valuesOf(probe!, 'metrics.1.');
  expect(await read()).toMatchObject({ 'errors_total{code="500"}': 0, took_seconds_count: 0 });
  expect(reported()).toEqual({
    absent: ['target.metrics.queue.values', 'target.metrics.eros_total.values'],
    took: { bounds: [], counts: [0] },
  });
  state.text = `${first}errors_total{code="500"} 3\ntook_seconds_bucket{le="1e-1"} 3\ntook_seconds_bucket{le="Inf"} 4\ntook_seconds_count 4\n`;
  expect(await read()).toMatchObject({ 'errors_total{code="500"}': 3, took_seconds_count: 4 });
  expect(reported()).toMatchObject({
    absent: ['target.metrics.queue.values', 'target.metrics.eros_total.values'],
    took: { bounds: [0.1], counts: [3, 1] },
  });
  await probe?.close();
});

test('what is watched and judged by nothing: all that there is of it, whatever its type', async () => {
  const { state, address } = await page(COUNTERS(1, null) + HISTOGRAM([0, 0, 0]));
  const target = await openTargetProbes({
    ...{ tables: [], processes: [], budgets: [], database: null, ca: undefined },
    addresses: { ...none, metrics: [address] },
    watch: ['queue_length', 'target.metrics.http_requests_total', 'took_seconds', 'no_such_thing'],
  });
  const [probe] = target.probes;
  const from = monotonic();
  const before = await valuesOf(probe!, 'metrics.1.');
  expect(before).toMatchObject({ queue_length: 7.5 });
  state.text = COUNTERS(21, null) + HISTOGRAM([0, 10, 10]);
  const after = await valuesOf(probe!, 'metrics.1.');
  expect(after.http_requests_total! - before.http_requests_total!).toBe(20);
  expect(Object.keys(after).filter((name) => name.startsWith('took_seconds'))).toEqual([
    'took_seconds.p50',
    'took_seconds.p95',
  ]);
  const phase = { from, to: monotonic() };
  expect(target.histograms(phase.from, phase.to).took_seconds?.counts).toEqual([0, 10, 0]);
  const missing = target.absences(phase).filter(({ of }) => of.startsWith('target.metrics'));
  expect(missing).toEqual([{ of: 'target.metrics.no_such_thing', because: 'no page has no_such_thing' }]);
  expect(target.unreadable()).toEqual([]);
  await probe?.close();
});

const none = { postgres: null, redis: null, processes: [], foreign: [] };
const watching = (metrics: readonly MetricsAddress[]) =>
  openTargetProbes({
    ...{ tables: [], processes: [] },
    addresses: { ...none, metrics },
    database: null,
    ca: undefined,
    budgets: [
      budget({ id: 'a', metric: 'target.metrics.queue_length', stat: 'max' }),
      budget({ id: 'b', metric: 'target.metrics.no_such_thing', stat: 'max' }),
      budget({ id: 'c', metric: 'target.metrics.queue_length', stat: 'p95' }),
      budget({ id: 'd', metric: 'target.metrics.took_seconds', stat: 'p95' }),
    ],
  });

test('missing addresses and missing metrics are named, and two pages are read as one target', async () => {
  const without = await watching([]);
  expect(without.probes).toEqual([]);
  expect(without.absences(null).map(({ of, because }) => `${of}: ${because}`)).toEqual([
    "ceilings: the ceilings write tables of their own, and a target's database is only read",
    'database: no PostgreSQL URL was given: --probe-postgres',
    'integrity: no PostgreSQL URL was given: --probe-postgres',
    'redis: no Redis URL was given: --probe-redis',
    'target.metrics: no Prometheus URL was given: --probe-metrics',
  ]);

  const pages = [await page(HISTOGRAM([0, 0, 0])), await page(COUNTERS(1, null) + HISTOGRAM([0, 0, 0]))];
  const from = monotonic();
  const watched = await watching(pages.map(({ address }) => address));
  expect(watched.probes.map(({ name }) => name)).toEqual(['metrics-1', 'metrics-2']);
  for (const { state } of pages) state.text = HISTOGRAM([3, 4, 5]);
  for (const probe of watched.probes) await probe.sample();
  expect(watched.histograms(from, monotonic())).toEqual({
    took_seconds: { bounds: [0.1, 0.5], counts: [6, 2, 2] },
  });
  const reasons = Object.fromEntries(watched.absences(null).map(({ of, because }) => [of, because]));
  expect(reasons['target.metrics.no_such_thing.values']).toBe('no page has a sample of no_such_thing');
  expect(reasons['target.metrics.queue_length.percentiles']).toContain('the page has no buckets');
  expect(reasons).not.toHaveProperty(['target.metrics.queue_length.values']);
  expect(reasons).not.toHaveProperty(['target.metrics.took_seconds.percentiles']);
  for (const probe of watched.probes) await probe.close();
});

test('a page that refuses connections ends with 93 before the run begins', async () => {
  const url = 'http://127.0.0.1:1/metrics';
  await expect(watching([{ url, shown: url, access: {} }])).rejects.toMatchObject({
    exitCode: 93,
    message: `connection refused at ${url} (--probe-metrics)`,
  });
});

test.each([
  [
    'is HTML',
    { text: '<!doctype html>\n<p>1</p>' },
    'is not Prometheus text: it begins with "<!doctype html>"',
  ],
  ['is empty', { text: '' }, 'begins with nothing'],
  ['wants a login', { status: 401 }, 'it answered 401'],
  ['has no end', { text: 'a 1\n'.repeat(2 ** 21 + 1) }, 'the page is longer than 8388608 characters'],
])(
  'a page that %s ends with 93 before the run begins, and the other pages are closed',
  async (_, answer, what) => {
    const [good, bad] = [await page(COUNTERS(1, null)), await page('')];
    Object.assign(bad.state, answer);
    await expect(watching([good.address, bad.address])).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringContaining(`the metrics page ${bad.address.shown} cannot be read: `),
      hint: expect.stringContaining('/metrics'),
    });
    await expect(watching([bad.address])).rejects.toThrow(what);
  },
);

test('a page that declares metrics and has no samples yet is valid', async () => {
  const { address } = await page('# HELP queue_length Waiting.\n# TYPE queue_length gauge\n');
  const probe = openMetricsProbe(address, 1, [requested('queue_length', 'max')]);
  expect(await probe.sample()).toEqual([]);
  await probe.close();
});

test('an endless answer is given up after the timeout, or at once when the probe is closed', async () => {
  const { address, dribble } = await page(COUNTERS(1, null));
  const probe = openMetricsProbe(address, 1, [requested('queue_length', 'max')]);
  await probe.sample();
  const { gone } = dribble();
  await expect(probe.sample()).rejects.toThrow(/timeout/);
  await gone;
  const cut = dribble();
  const reading = expect(probe.sample()).rejects.toThrow(/abort/);
  await cut.begun;
  await Promise.all([probe.close(), reading, cut.gone]);
});
