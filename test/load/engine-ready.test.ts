import { once } from 'node:events';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { HostLimits } from '../../src/load/limits.ts';
import { portOf } from '../loopback.ts';
import { workloadWith } from './a-workload.ts';
import { failureOf, isAlive, load, prepare, run, serve } from './engine-room.ts';
import type { ServerOptions } from './protocol-server.ts';

const HOST: HostLimits = {
  descriptors: 20_000,
  ports: { from: 32_768, to: 60_999 },
  loopbackAliases: true,
  cpus: 2,
};

test.skipIf(platform() !== 'linux')('players that find no port come from another address', async () => {
  const workload = workloadWith({ players: 250, intentRate: 1, duration: 1, postRate: 0 });
  const { servers, endpoints } = await serve(workload);
  const limits = { ...HOST, ports: { from: 40_000, to: 40_099 } };
  const fleet = await prepare(workload, endpoints, { workers: 2, limits });
  expect(fleet.connect).toMatchObject({ connected: 250, failed: 0 });
  const counts = { '127.0.0.1': 95, '127.0.0.2': 95, '127.0.0.3': 60 };
  expect(Object.fromEntries(servers[0]?.sources ?? [])).toEqual(counts);
});

test('too few descriptors are reported before any player connects', async () => {
  const workload = workloadWith({ players: 900 });
  const { servers, endpoints } = await serve(workload);
  const limits = { ...HOST, descriptors: 256 };
  const error = await failureOf(prepare(workload, endpoints, { workers: 2, limits }));
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain('450 connections each');
  expect(error.hint).toContain('--workers 8');
  expect(servers[0]?.sources.size).toBe(0);
});

test('the connection is refused', async () => {
  const spare = createServer();
  const port = await portOf(spare);
  spare.close();
  await once(spare, 'close');
  const endpoints = { worlds: [{ url: `http://127.0.0.1:${port}`, pid: null }], database: null };
  const error = await failureOf(prepare(workloadWith(), endpoints));
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain(`127.0.0.1:${port}`);
});

test.each<[what: string, players: number, options: Partial<ServerOptions>, expected: string]>([
  ['more than one percent cannot connect', 300, { refuses: (player) => player % 50 === 0 }, '404'],
  ['a first frame that is no welcome', 4, { welcome: () => '{"hello":1}' }, 'not a welcome'],
  ['another world than the scenario means', 20, { playersTotal: 21 }, '21 players'],
])('%s: 93', async (_what, players, options, expected) => {
  const workload = workloadWith({ players, postRate: 0 });
  const { endpoints } = await serve(workload, options);
  const error = await failureOf(prepare(workload, endpoints, { workers: 2 }));
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain(expected);
});

test('fewer refusals than that are counted, and their operations fail when due', async () => {
  const workload = workloadWith({ players: 300, intentRate: 1, postRate: 0, duration: 2 });
  const { tally, fleet } = await load(workload, { refuses: (player) => player === 7 }, { workers: 2 });
  expect(fleet.connect).toMatchObject({ connected: 299, failed: 1 });
  expect(fleet.connect.errors).toHaveLength(1);
  const { whole } = tally.operations.intent;
  expect(whole.failed).toBeGreaterThanOrEqual(1);
  expect(whole.ok).toBe(whole.scheduled - whole.failed);
  expect(tally.disconnects).toBe(0);
});

test('an interruption while players connect leaves no process', async () => {
  const workload = workloadWith({ players: 500, connectsPerSecond: 100 });
  const { endpoints, servers } = await serve(workload);
  const abort = new AbortController();
  const preparing = prepare(workload, endpoints, { workers: 2, signal: abort.signal });
  setTimeout(() => abort.abort(), 600);
  const error = await failureOf(preparing);
  expect(error.exitCode).toBe(105);
  expect(servers[0]?.peak).toBeLessThan(500);
});

test('the error names a worker that was killed', async () => {
  const workload = workloadWith({ duration: 10 });
  const { endpoints } = await serve(workload);
  const fleet = await prepare(workload, endpoints, { workers: 2 });
  const running = failureOf(run(fleet));
  await sleep(500);
  kill(fleet.workerPids[1] ?? 0, 'SIGKILL');
  const error = await running;
  expect(error.message).toContain(`load worker 1 (process ${fleet.workerPids[1]})`);
  expect(error.message).toContain('SIGKILL');
  await fleet.close();
  expect(fleet.workerPids.filter(isAlive)).toEqual([]);
});
