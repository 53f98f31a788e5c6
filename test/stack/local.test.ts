import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { platform } from 'node:os';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveTargets } from '../../src/address/target-address.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { LocalStackOptions } from '../../src/stack/local.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { attachWorld } from '../../src/systems/flux/attach.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { processesIn } from './leftovers.ts';
import { never, openSmallStack, scenarioOf } from './small-scenario.ts';
import { query } from './sql.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const watchdog = await openWatchdog(process.env);
afterAll(() => watchdog.close());
let opened: Stack[] = [];
afterEach(async () => {
  await Promise.all(opened.map((stack) => stack.close()));
  opened = [];
});

type Given = Partial<LocalStackOptions> & { readonly scenario?: Scenario };

async function open({ scenario = scenarioOf({}), ...given }: Given = {}): Promise<Stack> {
  const stack = await openSmallStack(scenario, { watchdog, ...given });
  opened.push(stack);
  return stack;
}

async function listening(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Two neighbouring ports below the kernel's ephemeral range. */
async function freePair(): Promise<number> {
  for (let port = 20_000 + 2 * Math.floor(Math.random() * 5_000); ; port += 2) {
    const pair = await Promise.all([listening(port), listening(port + 1)]).catch(() => null);
    if (pair === null) continue;
    await Promise.all(pair.map((server) => new Promise((resolve) => server.close(resolve))));
    return port;
  }
}

async function leavesNothing(stack: Stack): Promise<void> {
  const folder = dirname(stack.endpoints.database?.host ?? '');
  await stack.close();
  expect(existsSync(folder)).toBe(false);
  expect(processesIn(folder)).toEqual([]);
}

const pidOf = (stack: Stack, world: number): number => stack.endpoints.worlds[world]?.pid ?? 0;

describe('a local stack', () => {
  it('is one world with the servers of the scenario, and can be a target', async () => {
    const preloaded = scenarioOf({ shared_preload_libraries: 'pg_stat_statements' });
    const stack = await open({ scenario: preloaded, token: 'of-this-stack-alone', env: {} });
    expect(stack.kind).toBe('local');
    const { worlds, database } = stack.endpoints;
    const targets = await resolveTargets(worlds.map(({ url }) => url).reverse(), []);
    const target = await attachWorld(targets, preloaded, { signal: never });
    expect(target.endpoints.worlds.map(({ url }) => url)).toEqual(worlds.map(({ url }) => url));
    expect(await askHealth(worlds[0]!, never)).toMatchObject({ playersTotal: 20, monstersTotal: 30 });
    expect([...stack.logs.keys()]).toEqual(['initdb', 'postgres', 'world-1', 'world-2']);
    for (const path of stack.logs.values()) expect(readFileSync(path, 'utf8')).not.toBe('');
    const asDocumented = { setting: 'shared_buffers', documented: '32MB', applied: '32MB', reason: null };
    expect(stack.settings).toContainEqual(expect.objectContaining(asDocumented));
    const names = stack.settings.map(({ setting }) => setting);
    expect(new Set(names).size).toBe(names.length);
    expect(stack.settings).toContainEqual({
      ...{ setting: 'worldServers', documented: '2', applied: '2', reason: null, hardware: false },
    });
    expect(names).toContain('worldRowShape');
    for (const { url, headers } of worlds) {
      const post = (given: Readonly<Record<string, string>>) =>
        fetch(`${url}/commands`, { method: 'POST', headers: given }).then(({ status }) => status);
      expect(await post({})).toBe(401);
      expect(await post({ ...headers })).toBe(400);
    }
    const rows = await query(
      database,
      "select current_setting('shared_buffers') as buffers, count(*) filter (where query <> '') > 0 as seen from pg_stat_statements",
    );
    expect(rows).toEqual([{ buffers: '32MB', seen: true }]);
    await leavesNothing(stack);
    // It was asked to end, which is no failure.
    expect(await Promise.race([stack.failure, 'none'])).toBe('none');
  });

  it.runIf(platform() === 'linux')(
    'gives its servers no more of the environment than they need',
    async () => {
      const stack = await open();
      const names = readFileSync(`/proc/${pidOf(stack, 0)}/environ`, 'utf8')
        .split('\0')
        .map((line) => line.split('=')[0] ?? '')
        .filter((name) => name !== '');
      const own =
        /^(HOST|PORT|INSTANCE_ID|INSTANCES|PLAYERS|MONSTERS|PLAYERS_PER_PLACE|BATCH_SIZE_LIMIT|BATCH_TIME_LIMIT_MS|ROW_SHAPE|TOKEN|RECONNECT_SECONDS|DB_[A-Z_]+)$/;
      const inherited =
        /^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|NODE_EXTRA_CA_CERTS|NODE_CHANNEL_[A-Z_]+|PWD|OLDPWD|SHLVL|_)$/;
      expect(names.filter((name) => !own.test(name) && !inherited.test(name))).toEqual([]);
      expect(names).toContain('DB_PASSWORD');
      // The file is readable only for its owner, because it contains the password.
      expect(statSync(`/proc/${pidOf(stack, 0)}/environ`).mode & 0o077).toBe(0);
      expect(readFileSync(`/proc/${pidOf(stack, 0)}/cmdline`, 'utf8')).toContain('--max-old-space-size=128');
    },
  );

  it('says which world server ended unexpectedly', async () => {
    const stack = await open();
    process.kill(pidOf(stack, 1), 'SIGKILL');
    expect(await stack.failure).toMatchObject({ component: 'world-2', message: /killed by SIGKILL/ });
  });

  it('reports PostgreSQL as the cause when the world servers end with it', async () => {
    const stack = await open();
    process.kill(stack.endpoints.database?.pid ?? 0, 'SIGKILL');
    expect(await stack.failure).toMatchObject({ component: 'postgres' });
  });
});

it('a stack that loses its watchdog fails, and still closes without leaving anything', async () => {
  const own = await openWatchdog(process.env);
  const stack = await open({ watchdog: own });
  process.kill(own.pid, 'SIGKILL');
  expect(await stack.failure).toMatchObject({
    component: 'watchdog',
    message: expect.stringMatching(/ended unexpectedly: killed by SIGKILL$/),
  });
  await leavesNothing(stack);
  await own.close();
});

describe('a stack that does not start', () => {
  let tmp: string;
  beforeEach(() => {
    tmp = mkdtempSync('/tmp/no-start-');
    // When the test runs as root, PostgreSQL's account needs access.
    chmodSync(tmp, 0o755);
    vi.stubEnv('TMPDIR', tmp);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    expect(readdirSync(tmp)).toEqual([]);
    expect(processesIn(tmp)).toEqual([]);
    rmSync(tmp, { recursive: true });
  });

  it('because a port is in use: 93, the port, and what to do', async () => {
    const port = await freePair();
    const other = await listening(port + 1);
    await expect(open({ basePort: port })).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringContaining(`127.0.0.1:${port + 1}`),
      hint: expect.stringContaining('--port'),
    });
    other.close();
  });

  it.each([0, 100, 700, 1500])('because it is interrupted after %i ms: 105', async (delay) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), delay);
    const outcome = await open({ signal: abort.signal }).then(
      // On a fast machine the start is complete by then.
      (stack) => stack.close().then(() => 105),
      (error: unknown) => (error instanceof Error && 'exitCode' in error ? error.exitCode : error),
    );
    expect(outcome).toBe(105);
  });
});

it('fixed ports are assigned in the order of the instances', async () => {
  const port = await freePair();
  const stack = await open({ basePort: port });
  expect(stack.endpoints.worlds.map(({ url }) => url)).toEqual([
    `http://127.0.0.1:${port}`,
    `http://127.0.0.1:${port + 1}`,
  ]);
  expect((await askHealth({ url: `http://127.0.0.1:${port + 1}` }, never)).instance).toBe(2);
});
