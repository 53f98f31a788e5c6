import { expect, test } from 'vitest';
import { NullWorld } from '../../src/systems/flux/null/server.ts';
import { portOf } from '../loopback.ts';
import { CA_FILE, tlsFront } from '../tls-front.ts';
import { capbench, small } from './capbench.ts';

/** A few operations are enough, because the test checks how they arrive, not how soon. */
const LESS = [
  ...['--duration', '2s', '--set', 'load.players=12', '--set', 'load.monsters=40'],
  ...['--set', 'load.intentsPerSecond=24', '--set', 'load.monsterCommandsPerSecond=100'],
  ...['--set', 'load.commandsPerPost=10', '--set', 'budgets.connected.limit=12'],
];

/** A null world for the small scenario, and what reached it: the path, and one header. */
async function nullWorld() {
  const world = new NullWorld({ instance: 1, instances: 1, players: 12, monsters: 40 });
  const tokens = new Map<string, Set<string | undefined>>();
  const note = (path: string | undefined, token: string | undefined): void => {
    const at = String(path).split('?')[0] ?? '';
    tokens.set(at, (tokens.get(at) ?? new Set()).add(token));
  };
  world.http.on('request', ({ url, headers }) => note(url, headers.authorization));
  world.http.on('upgrade', ({ url, headers }) => note(url, headers.authorization));
  return { tokens, port: await portOf(world.http) };
}

test('a run over TLS: 93 without the CA; with it every request arrives with its token', {
  timeout: 120_000,
}, async () => {
  const { tokens, port } = await nullWorld();
  const target = ['run', small, ...LESS, '--target', `wss://localhost:${await tlsFront(port)}`];
  const refused = await capbench(target).ends(93);
  expect(refused.stderr).toMatch(/error: https:\/\/localhost:\d+: the certificate is signed by a CA/);
  expect(refused.stderr).toContain('--ca-file');
  expect(tokens.size).toBe(0);

  const run = capbench([...target, '--header-env', 'Authorization=GAME_AUTH'], {
    env: { GAME_AUTH: 'Bearer t0k-5Hq9', CAPBENCH_CA_FILE: CA_FILE },
  });
  expect((await run.ends(0)).stderr).not.toContain('error');
  expect(run.report().load.peakCcu).toBe(12);
  expect(run.measurements().errors).toEqual([]);
  expect([...tokens.keys()].sort()).toEqual(['/commands', '/commits', '/health', '/metrics', '/play']);
  for (const seen of tokens.values()) expect(seen).toEqual(new Set(['Bearer t0k-5Hq9']));
  expect(JSON.stringify([run.report(), run.measurements()]) + run.output()).not.toContain('t0k-5Hq9');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
