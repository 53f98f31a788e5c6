import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Endpoints } from '../../src/stack/stack.ts';
import { stopTree } from '../../src/supervision/process-tree.ts';
import { canTraverse } from '../../src/supervision/run-folder.ts';
import { mayLimitCpus } from '../stack/groups-here.ts';
import { processesIn } from '../stack/leftovers.ts';
import { bundleOpener } from './opener-bundle.ts';

// Another process opens a whole stack, and the tests look at what it leaves behind.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

interface Opener {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** Resolves with the line that reports it. */
  at(stage: string): Promise<Record<string, unknown>>;
}

let opener: Awaited<ReturnType<typeof bundleOpener>>;
let tmp: string;

beforeAll(async () => {
  opener = await bundleOpener();
});
afterAll(() => opener.remove());
beforeEach(() => {
  tmp = mkdtempSync('/tmp/life-');
  // When the test runs as root, PostgreSQL's account needs access.
  chmodSync(tmp, 0o755);
});
afterEach(() => {
  for (const { pid } of processesIn(tmp)) process.kill(pid, 'SIGKILL');
  rmSync(tmp, { recursive: true, force: true });
});

const { CAPBENCH_TEST_POSTGRES_BIN: bin } = process.env;
/** The suite's PostgreSQL, whose cluster is copied. */
const COPIED = bin === undefined ? {} : { CAPBENCH_TEST_POSTGRES_BIN: bin };
/** The real `initdb`. */
const INITDB = {};

function open(before: readonly string[] = [], env: Readonly<Record<string, string>> = COPIED): Opener {
  const [command = '', ...args] = [...before, process.execPath, opener.program];
  const child = spawn(command, args, {
    detached: true,
    env: { PATH: process.env.PATH ?? '', TMPDIR: tmp, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  const seen = createInterface({ input: child.stdout });
  seen.on('line', (line) => lines.push(JSON.parse(line)));
  return {
    child,
    at: (stage) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines.find((each) => each.at === stage);
          if (line !== undefined) resolve(line);
        };
        seen.on('line', look);
        seen.once('close', () => reject(new Error(`it ended before it was at "${stage}"`)));
        look();
      }),
  };
}

const commands = () => processesIn(tmp).map(({ command }) => command);
const running = (pattern: RegExp) =>
  expect.poll(commands, { timeout: 20_000, interval: 3 }).toContainEqual(expect.stringMatching(pattern));

const root = process.getuid?.() === 0;

/** No process, no folder, and no listener at the ports. */
async function nothingIsLeft(endpoints?: Endpoints): Promise<void> {
  await expect.poll(commands, { timeout: 20_000 }).toEqual([]);
  expect(readdirSync(tmp)).toEqual([]);
  for (const { url } of endpoints?.worlds ?? []) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  }
}

/** Ends its stdin: it exits with 0 and leaves nothing. */
async function closes({ child, at }: Opener, endpoints?: Endpoints): Promise<void> {
  child.stdin.end();
  await at('closed');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await nothingIsLeft(endpoints);
}

/** The segments that the kernel keeps, by id. */
const sharedMemory = () =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => line.split(/\s+/).slice(1, 2));

/** The segment of this PostgreSQL: the second number in line 7 of its lock file. */
function sharedMemoryOf({ database }: Endpoints): string {
  const lines = readFileSync(join(database?.host ?? '', '../data/postmaster.pid'), 'utf8').split('\n');
  return lines[6]?.trim().split(/\s+/)[1] ?? '';
}

const endpointsOf = (line: Record<string, unknown>) => line.endpoints as Endpoints;

it('a stack that is closed leaves no process, no port and no folder, into which only its own accounts could get', async () => {
  const opened = open([], INITDB);
  const endpoints = endpointsOf(await opened.at('up'));
  expect(endpoints.worlds).toHaveLength(2);
  expect(readdirSync(tmp)).toEqual([expect.stringMatching(/^capbench-[0-9a-f]{12}$/)]);
  // The opener, the watchdog, two world servers, and PostgreSQL's processes.
  expect(commands().length).toBeGreaterThan(5);
  const { database } = endpoints;
  const run = join(tmp, readdirSync(tmp)[0] ?? '');
  expect(statSync(run).mode & 0o7).toBe(0);
  expect(statSync(run).mode & 0o22).toBe(0);
  expect(statSync(join(run, 'data')).mode & 0o77).toBe(0);
  expect(statSync(database?.host ?? '').mode & 0o77).toBe(0);
  // Only initdb needed the file with the superuser's password.
  expect(readdirSync(run)).not.toContain('password');
  // Root's PostgreSQL runs as an account without privileges.
  if (root) expect(statSync(`/proc/${database?.pid}`).uid).not.toBe(0);
  await closes(opened, endpoints);
});

describe('SIGKILL of the process that opened it leaves nothing', () => {
  it('right after the watchdog started', async () => {
    const { child, at } = open();
    await at('watchdog');
    child.kill('SIGKILL');
    await nothingIsLeft();
  });

  it.each([
    ['the cluster is made', /\/initdb /, INITDB],
    ['PostgreSQL starts', /\/postgres -D /, COPIED],
    ['the world servers start', /flux-server\.js/, COPIED],
  ])('while %s', async (_what, command, postgres) => {
    const { child } = open([], postgres);
    await running(command);
    child.kill('SIGKILL');
    await nothingIsLeft();
  });

  it('when everything is up', async () => {
    const { child, at } = open();
    const endpoints = endpointsOf(await at('up'));
    child.kill('SIGKILL');
    await nothingIsLeft(endpoints);
  });

  it.skipIf(!mayLimitCpus())('also no control group', async () => {
    const { child, at } = open([], { ...COPIED, OPENER_CPUS: '0.5', CAPBENCH_CGROUP: '/' });
    const endpoints = endpointsOf(await at('up'));
    const groups = endpoints.limited?.map(({ groups: { cpu } }) => cpu ?? '') ?? [];
    // Of the whole stack, and within that of each server.
    expect(groups).toHaveLength(3);
    const inside = new Set(groups.slice(1).map((group) => dirname(group)));
    expect(inside).toEqual(new Set([groups[0]]));
    for (const group of groups) expect(existsSync(group)).toBe(true);
    child.kill('SIGKILL');
    await nothingIsLeft(endpoints);
    await expect.poll(() => groups.filter(existsSync)).toEqual([]);
  });

  it('even when PostgreSQL and a world server do not react to signals', async () => {
    const { child, at } = open();
    const endpoints = endpointsOf(await at('up'));
    const segment = sharedMemoryOf(endpoints);
    expect(sharedMemory()).toContain(segment);
    process.kill(endpoints.database?.pid ?? 0, 'SIGSTOP');
    process.kill(endpoints.worlds[0]?.pid ?? 0, 'SIGSTOP');
    child.kill('SIGKILL');
    await nothingIsLeft(endpoints);
    expect(sharedMemory()).not.toContain(segment);
  });
});

it('SIGKILL while all processes of PostgreSQL are stopped leaves nothing', async () => {
  const { child, at } = open();
  const endpoints = endpointsOf(await at('up'));
  const segment = sharedMemoryOf(endpoints);
  await stopTree(endpoints.database?.pid ?? 0);
  child.kill('SIGKILL');
  await nothingIsLeft(endpoints);
  expect(sharedMemory()).not.toContain(segment);
});

it('SIGKILL of the opener and the watchdog leaves nothing, even of stopped processes', async () => {
  const { child, at } = open();
  const endpoints = endpointsOf(await at('up'));
  const { pid } = await at('watchdog');
  const segment = sharedMemoryOf(endpoints);
  await stopTree(endpoints.database?.pid ?? 0);
  process.kill(endpoints.worlds[0]?.pid ?? 0, 'SIGSTOP');
  process.kill(Number(pid), 'SIGKILL');
  child.kill('SIGKILL');
  await nothingIsLeft(endpoints);
  expect(sharedMemory()).not.toContain(segment);
});

it('signals of a terminal end the opener, and the watchdog cleans up', async () => {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) {
    const { child, at } = open();
    const endpoints = endpointsOf(await at('up'));
    const { pid } = await at('watchdog');
    // Even if the terminal's signal reached the watchdog, it would finish its work first.
    process.kill(Number(pid), signal);
    process.kill(-(child.pid ?? 0), signal);
    await nothingIsLeft(endpoints);
  }
});

const nobody = { name: 'nobody', uid: 65534, gid: 65534 };
const setpriv = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];

it.runIf(root && hasSetpriv() && canTraverse(import.meta.dirname, nobody))(
  "everything works for an ordinary user, who sees less of root's processes",
  async () => {
    chmodSync(tmp, 0o777);
    const opened = open(setpriv, INITDB);
    const { database } = endpointsOf(await opened.at('up'));
    expect(statSync(`/proc/${database?.pid}`).uid).toBe(nobody.uid);
    expect(statSync(join(database?.host ?? '', '..')).mode & 0o77).toBe(0);
    await closes(opened);
  },
);

function hasSetpriv(): boolean {
  try {
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
