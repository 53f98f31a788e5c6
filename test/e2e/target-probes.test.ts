import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { INFO, smallRedis } from '../redis-server.ts';
import { capbench, small } from './capbench.ts';

const SECRETS = { redis: 'rd-Xw7!kk2', page: 'mt-Lq9-vv3' };

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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
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
