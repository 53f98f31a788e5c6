import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { INFO, smallRedis } from '../redis-server.ts';
import { capbench, small } from './capbench.ts';

const SECRETS = { redis: 'rd-Xw7!kk2', page: 'mt-Lq9-vv3' };

/** Its URL, until the test is over. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The small scenario, and a budget on each thing that a target's probes tell. */
function scenario(): string {
  const folder = mkdtempSync(join(tmpdir(), 'probed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'probed.yaml');
  const document = parse(readFileSync(small, 'utf8'));
  const many = { op: '>', limit: 0 };
  document.budgets.push(
    { id: 'commits', metric: 'database.commitsPerSecond', ...many, unit: 'transactions/s' },
    { id: 'statements', metric: 'database.statementsPerSecond', ...many, unit: 'statements/s' },
    { id: 'redis', metric: 'redis.operationsPerSecond', ...many, unit: 'ops/s' },
    {
      id: 'memory',
      metric: 'target.metrics.process_resident_memory_bytes',
      stat: 'max',
      ...many,
      unit: 'MB',
    },
    { id: 'flush', metric: 'target.metrics.capbench_world_flush_ms', stat: 'p50', ...many, unit: 'ms' },
    {
      id: 'by-time',
      metric: 'target.metrics.capbench_world_batches_total{reason="time"}',
      stat: 'increase',
      ...many,
      unit: 'batches',
    },
    // Without these words each of them would be no conclusion.
    ...[
      { id: 'moon', metric: 'target.metrics.from_the_moon', stat: 'last', ...many, unit: 'x' },
      { id: 'errors', metric: 'redis.errorReplies', op: '=', limit: 0, unit: 'errors' },
      { id: 'ceilings', metric: 'ceilings.insertsPerSecond', ...many, unit: 'rows/s' },
    ].map((budget) => ({ ...budget, optional: true })),
  );
  writeFileSync(path, stringify(document));
  return path;
}

test('what is under a target is measured where it is named, the rows are checked, and no secret is told', {
  timeout: 180_000,
}, async () => {
  const served = capbench(['serve', small, '--json']);
  await served.says('"worlds"');
  const { worlds, database } = JSON.parse(served.output().split('\n')[0] ?? '') as {
    worlds: string[];
    database: { host: string; port: number; user: string; password: string; database: string };
  };
  const redis = await smallRedis(SECRETS.redis, INFO);
  const { user, password, host, port } = database;
  const run = capbench(
    [
      ...['run', scenario(), '--duration', '2s', ...worlds.flatMap((url) => ['--target', url])],
      ...['--probe-redis', `redis://:${encodeURIComponent(SECRETS.redis)}@127.0.0.1:${redis.port}`],
    ],
    {
      env: {
        CAPBENCH_PROBE_POSTGRES: `postgresql://${user}:${password}@/${database.database}?host=${host}&port=${port}`,
        CAPBENCH_PROBE_METRICS: worlds
          .map((url) => `${url.replace('://', `://reader:${SECRETS.page}@`)}/metrics`)
          .join(','),
      },
    },
  );
  const { code, stderr } = await run.finished;
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error:')]);
  const { rulings, probes, integrity, ceilings } = run.report();
  expect(Object.fromEntries(rulings.map(({ id, state, reason }) => [id, reason ?? state]))).toEqual({
    ...Object.fromEntries(
      ['connected', 'answers', 'lost', 'commits', 'statements', 'redis', 'memory', 'flush', 'by-time'].map(
        (id) => [id, 'met'],
      ),
    ),
    moon: 'no page has a sample of from_the_moon',
    errors: `INFO of the Redis at 127.0.0.1:${redis.port} does not tell total_error_replies`,
    ceilings: "the ceilings write tables of their own, and a target's database is only read",
  });
  expect(probes.map(({ name }) => name)).toEqual([
    ...['world-1', 'world-2', 'host', 'postgres', 'redis', 'metrics-1', 'metrics-2'],
  ]);
  expect(integrity.applied).toBeGreaterThan(1000);
  expect(integrity.lost).toBe(0);
  expect(ceilings.insertsPerSecond).toBeNull();
  expect(new Set(redis.commands)).toEqual(new Set(['AUTH', 'INFO']));

  const files = readdirSync(run.out, { recursive: true, encoding: 'utf8' })
    .map((name) => join(run.out, name))
    .filter((path) => statSync(path).isFile());
  expect(files.length).toBeGreaterThan(8);
  const texts = [run.output(), ...files.map((path) => readFileSync(path, 'latin1'))].join('\n');
  for (const secret of [SECRETS.redis, SECRETS.page, encodeURIComponent(SECRETS.redis), password]) {
    expect(texts).not.toContain(secret);
  }

  served.child.kill('SIGINT');
  expect((await served.finished).code).toBe(0);
});

test('a page that is none ends the run before it begins, by its URL; one without end does not hold up a SIGTERM', {
  timeout: 60_000,
}, async () => {
  let pages = 0;
  const server = createServer((request, response) => {
    if (request.url === '/html') response.end('<!doctype html>');
    else if (request.url !== '/dribble') response.end();
    else if (pages++ === 0) response.end('a 1\n');
    else {
      const timer = setInterval(() => response.write('a 1\n'), 50);
      response.on('close', () => clearInterval(timer));
    }
  });
  const url = await listening(server);
  const folder = mkdtempSync(join(tmpdir(), 'paged-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'paged.yaml');
  const load = { players: 5, intentsPerSecond: 20, ramp: '0s', warmUp: '0s', duration: '60s', drain: '1s' };
  const players = { protocol: 'http', requests: [{ path: '/' }] };
  const budgets = [{ id: 'all', metric: 'load.peakCcu', op: '>=', limit: 5, unit: 'players' }];
  const calibration = { seconds: 0 };
  writeFileSync(path, stringify({ name: 'paged', system: 'flux', load, players, calibration, budgets }));
  const run = (page: string) => capbench(['run', path, '--target', url, '--probe-metrics', `${url}/${page}`]);

  const none = await run('html').finished;
  expect(none.code).toBe(93);
  expect(none.stderr).toContain(
    `error: the metrics page ${url}/html cannot be read: the answer is no Prometheus text: it begins with "<!doctype html>"`,
  );
  const endless = run('dribble');
  await expect.poll(() => pages, { timeout: 20_000 }).toBeGreaterThan(1);
  endless.child.kill('SIGTERM');
  expect((await endless.finished).code).toBe(105);
  expect(endless.report().probes.find(({ name }) => name === 'metrics-1')).toMatchObject({ samples: 0 });
});

test('growth is of the whole measure phase, from a page as clients write it; a line of it that cannot be read is 90, by name', {
  timeout: 60_000,
}, async () => {
  const started = performance.now();
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.end();
      return;
    }
    // 200 a second by its own clock, whoever asks.
    const count = Math.floor((performance.now() - started) / 5);
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(
      [
        '# TYPE ticks counter',
        `ticks_total{code="200" ,} ${count} # {trace_id="a}b"} 1 1700000000.5`,
        'ticks_created{code="200"} 1.7e9',
        '# TYPE took_seconds histogram',
        `took_seconds_bucket{le="1e-1"} ${count}.0 # {span="1"} 0.05`,
        `took_seconds_bucket{le="+Inf"} ${count}.0`,
        `took_seconds_count\t${count}.0\t1700000000.5`,
        '# TYPE "my.errors" counter',
        'broken{ 5',
        '# EOF\n',
      ].join('\n'),
    );
  });
  const url = await listening(server);
  const folder = mkdtempSync(join(tmpdir(), 'grown-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'grown.yaml');
  const load = {
    ...{ players: 5, intentsPerSecond: 20, ramp: '0s', warmUp: '500ms', duration: '4s', drain: '1s' },
  };
  const grown = { stat: 'increase', op: 'between', limit: [792, 808], unit: 'ticks' };
  const budgets = [
    { id: 'ticks', metric: 'target.metrics.ticks_total{code="200"}', ...grown },
    { id: 'count', metric: 'target.metrics.took_seconds_count', ...grown },
    { id: 'took', metric: 'target.metrics.took_seconds', stat: 'p95', op: '<', limit: 100, unit: 'ms' },
    { id: 'none', metric: 'target.metrics.{"my.errors_total"}', ...grown, op: '=', limit: 0 },
    { id: 'broken', metric: 'target.metrics.broken', stat: 'max', op: '<', limit: 10, unit: 'x' },
  ];
  const players = { protocol: 'http', requests: [{ path: '/' }] };
  writeFileSync(
    path,
    stringify({ name: 'grown', system: 'flux', load, players, calibration: { seconds: 0 }, budgets }),
  );
  const run = capbench(['run', path, '--target', url, '--probe-metrics', `${url}/metrics`]);
  expect((await run.finished).code).toBe(90);
  const { rulings, target, invalidBecause } = run.report();
  expect(Object.fromEntries(rulings.map(({ id, state }) => [id, state]))).toEqual({
    ...{ ticks: 'met', count: 'met', took: 'met', none: 'met', broken: 'unmeasured' },
  });
  expect(target.metrics.took_seconds?.count).toBeGreaterThan(792);
  expect(invalidBecause.join()).toContain(
    `target.metrics.broken: ${url}/metrics, line 9: "5" stands where a label should`,
  );
});
