import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { portOf } from '../loopback.ts';
import { INFO, smallRedis } from '../redis-server.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, filesIn, serve, small } from './capbench.ts';

const SECRETS = { redis: 'rd-Xw7!kk2', page: 'mt-Lq9-vv3' };

/** The small scenario, and a budget on each thing that a target's probes tell. */
function scenario(): string {
  const document = parse(readFileSync(small, 'utf8'));
  const many = { op: '>', limit: 0 };
  document.budgets.push(
    { id: 'commits', metric: 'database.commitsPerSecond', ...many, unit: 'transactions/s' },
    { id: 'statements', metric: 'database.statementsPerSecond', ...many, unit: 'statements/s' },
    { id: 'redis', metric: 'redis.operationsPerSecond', ...many, unit: 'ops/s' },
    ...[
      { id: 'memory', metric: 'process_resident_memory_bytes', stat: 'max', unit: 'MB' },
      { id: 'flush', metric: 'capbench_world_flush_seconds', stat: 'p50', unit: 'ms' },
      {
        id: 'by-time',
        metric: 'capbench_world_batches_total{reason="time"}',
        stat: 'increase',
        unit: 'batches',
      },
      // Without `optional` the run would be invalid.
      { id: 'moon', metric: 'from_the_moon', stat: 'last', unit: 'x', optional: true },
    ].map((budget) => ({ ...budget, ...many, metric: `target.metrics.${budget.metric}` })),
    ...[
      { id: 'errors', metric: 'redis.errorReplies', op: '=', limit: 0, unit: 'errors' },
      { id: 'ceilings', metric: 'ceilings.insertsPerSecond', ...many, unit: 'rows/s' },
    ].map((budget) => ({ ...budget, optional: true })),
  );
  const path = join(temporaryFolder(), 'probed.yaml');
  writeFileSync(path, stringify(document));
  return path;
}

/** An address of this host that is not loopback: what is sent there stays in the kernel. */
const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** Forwards this host's other address to a port on loopback; resolves to the port. */
function doorTo(port: number): Promise<number> {
  const server = createServer((socket) => {
    const inner = connect(port, '127.0.0.1');
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) {
      end.on('error', () => {
        socket.destroy();
        inner.destroy();
      });
    }
  });
  return portOf(server, own);
}

/** The same players continue with the numbers of the rows; at an address that is not loopback only with --i-own. */
async function isDrivenAgain(worlds: readonly string[]): Promise<void> {
  const ports = worlds.map((url) => Number(new URL(url).port));
  const doors = own === undefined ? ports : await Promise.all(ports.map(doorTo));
  const targets = doors.flatMap((port) => ['--target', `http://${own ?? '127.0.0.1'}:${port}`]);
  const owned = own === undefined ? [] : ['--i-own', own];
  if (own !== undefined) {
    const refused = await capbench(['run', small, ...targets]).ends(104);
    expect(refused.stderr).toContain(`--i-own ${own}`);
  }
  const run = capbench(['run', small, '--duration', '1s', ...targets, ...owned]);
  const { stderr } = await run.ends(0, 90, 99);
  if (own !== undefined)
    expect(stderr).toMatch(
      /^loading http:\/\/.* for \d+.*: 60 players, 120 intents\/s, 2,000 monster commands\/s/m,
    );
  expect(run.report().load.peakCcu).toBe(60);
  expect(run.report().rulings.find(({ id }) => id === 'lost')?.state).toBe('unmeasured');
  const { intent } = run.report().load.wholeRun;
  expect(intent.ok + intent.rejected).toBe(intent.scheduled);
  // It is this host in spite of the address.
  expect(run.measurements().colocated).toBe(true);
}

test('a stack that serve holds: its given parts are measured, the rows are checked, no secret is printed, and it is driven again', {
  timeout: 180_000,
}, async () => {
  const { worlds, targets, database, stop } = await serve();
  expect(worlds).toHaveLength(2);
  const redis = await smallRedis(SECRETS.redis, INFO);
  const { user, password, host, port } = database;
  const run = capbench(
    [
      ...['run', scenario(), '--duration', '2s', ...targets],
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
  expect((await run.ends(0)).stderr).not.toContain('error:');
  const { rulings, probes, integrity, ceilings } = run.report();
  expect(Object.fromEntries(rulings.map(({ id, state, reason }) => [id, reason ?? state]))).toEqual({
    ...{ connected: 'met', answers: 'met', lost: 'met', commits: 'met', statements: 'met', redis: 'met' },
    ...{ memory: 'met', flush: 'met', 'by-time': 'met' },
    moon: 'no page has a sample of from_the_moon',
    errors: `INFO of the Redis at 127.0.0.1:${redis.port} has no total_error_replies`,
    ceilings: "the ceilings write tables of their own, and a target's database is only read",
  });
  expect(probes.map(({ name }) => name)).toEqual([
    ...['world-1', 'world-2', 'host', 'postgres', 'redis', 'metrics-1', 'metrics-2'],
  ]);
  expect(integrity.applied).toBeGreaterThan(1000);
  expect(integrity.lost).toBe(0);
  expect(ceilings.insertsPerSecond).toBeNull();
  expect(new Set(redis.commands)).toEqual(new Set(['AUTH', 'INFO']));

  const files = filesIn(run.out);
  expect(files.length).toBeGreaterThan(8);
  const texts = [run.output(), ...files.map((path) => readFileSync(path, 'latin1'))].join('\n');
  for (const secret of [SECRETS.redis, SECRETS.page, encodeURIComponent(SECRETS.redis), password]) {
    expect(texts).not.toContain(secret);
  }
  await isDrivenAgain(worlds);
  await stop();
});
