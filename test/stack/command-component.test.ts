import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { type CommandPlan, commandComponent } from '../../src/stack/command-component.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { startTime } from '../../src/supervision/process-tree.ts';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { micros } from '../../src/units.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { processesIn } from './leftovers.ts';

/** A server that a command starts, as real processes in a folder of their own. */

const watchdog = await openWatchdog(process.env);
afterAll(() => watchdog.close());

/** It answers HTTP at PORT; STUBBORN ignores SIGTERM, and APART is a child in a session of its own. */
const SERVER = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const { PORT, STUBBORN, APART } = process.env;
process.on('SIGTERM', () => { console.log('asked to end'); if (!STUBBORN) process.exit(0); });
if (APART) writeFileSync('apart', String(spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).pid));
createServer((_, answer) => answer.end('ok')).listen(PORT, '127.0.0.1', () => console.log('listening now'));
`;

interface Opening {
  readonly folder: string;
  readonly port: number;
  readonly opening: Promise<Stack>;
}

async function open(given: Partial<CommandPlan> = {}): Promise<Opening> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'server.mjs'), SERVER);
  const port = await stablePort('127.0.0.1');
  const { environment, ...rest } = given;
  const plan: CommandPlan = {
    ...{ name: 'server', text: 'node server.mjs', start: ['node', 'server.mjs'], ready: port },
    ...{ targets: [`ws://127.0.0.1:${port}`], limit: 30_000, reset: null, stop: null },
    ...rest,
    environment: { PORT: String(port), ...environment },
  };
  const opening = openLocalStack([commandComponent(plan)], {
    ...{ watchdog, signal: new AbortController().signal, env: { MINE: 'from capbench' }, token: '' },
    ...{ password: '', mayRestart: true, scenarioFolder: folder },
  });
  opening.catch(() => undefined);
  onTestFinished(async () => {
    await opening.then((stack) => stack.close()).catch(() => undefined);
  });
  return { folder, port, opening };
}

const logOf = (stack: Stack, name = 'server'): string => readFileSync(stack.logs.get(name) ?? '', 'utf8');

test.each([
  ['a port', {}],
  ['a line of its output', { ready: { line: 'listening' } }],
])('it is ready at %s, runs in the folder of the scenario, and leaves nothing', async (_, given) => {
  const { folder, port, opening } = await open({ ...given, environment: { APART: 'yes' } });
  const stack = await opening;
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('ok');
  const pids = processesIn(folder).map(({ pid }) => pid);
  expect(pids).toContain(stack.endpoints.worlds[0]?.pid);
  const apart = Number(readFileSync(join(folder, 'apart'), 'utf8'));
  expect(startTime(apart)).not.toBeNull();
  await stack.close();
  await expect.poll(() => processesIn(folder)).toEqual([]);
  await expect.poll(() => startTime(apart)).toBeNull();
});

test('a URL has to answer 2xx; what capbench has in its environment comes by name', async () => {
  const start = [
    'node',
    '-e',
    'require("http").createServer((q, a) => { a.statusCode = 503; a.end() }).listen(process.env.PORT, () => console.log(process.env.OURS))',
  ];
  const port = await stablePort('127.0.0.1');
  const { folder, opening } = await open({
    ...{ start, ready: `http://127.0.0.1:${port}/health`, limit: 2_000 },
    environment: { PORT: String(port), OURS: '$MINE' },
  });
  await expect(opening).rejects.toMatchObject({
    exitCode: 93,
    message: expect.stringMatching(
      /^server was not ready within 2 s: http:\S+\/health answered with status 503\n {2}\| from capbench$/,
    ),
  });
  expect(processesIn(folder)).toEqual([]);
});

test.each([
  [
    'ends at once',
    ['sh', '-c', 'echo no database; exit 3'],
    /^server ended while starting: exit code 3\n {2}\| no database$/,
  ],
  ['does not exist', ['no-such-program'], /^server ended while starting: exit code 127\n {2}\| .*not found/],
])('a command that %s: 93, with its last lines', async (_, start, message) => {
  const { opening } = await open({ start });
  await expect(opening).rejects.toMatchObject({ exitCode: 93, message: expect.stringMatching(message) });
});

test('something that listens at its address already is not measured in its place: 93', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { folder, opening } = await open({ ready: port, reset: ['touch', 'was-reset'] });
  await expect(opening).rejects.toMatchObject({
    exitCode: 93,
    message: `something listens at 127.0.0.1:${port} already, where the start command is expected to`,
  });
  expect(existsSync(join(folder, 'was-reset'))).toBe(false);
});

test('reset runs before the start, and its failure is 93', async () => {
  const good = await open({ reset: ['sh', '-c', 'echo emptied; touch was-reset'] });
  const stack = await good.opening;
  expect(existsSync(join(good.folder, 'was-reset'))).toBe(true);
  await expect.poll(() => logOf(stack, 'reset')).toBe('emptied\n');
  const bad = await open({ reset: ['sh', '-c', 'echo no such database; exit 2'] });
  await expect(bad.opening).rejects.toMatchObject({
    exitCode: 93,
    message: 'reset ended with exit code 2\n  | no such database',
  });
});

test('a server that ends by itself fails the stack', async () => {
  const { opening } = await open();
  const stack = await opening;
  process.kill(stack.endpoints.worlds[0]?.pid ?? 0, 'SIGTERM');
  expect(await stack.failure).toMatchObject({
    component: 'server',
    message: expect.stringContaining('the start command ended unexpectedly: exit code 0'),
  });
});

test('stop is asked first', async () => {
  const { folder, opening } = await open({ stop: ['sh', '-c', 'touch was-asked'] });
  await (await opening).close();
  expect(existsSync(join(folder, 'was-asked'))).toBe(true);
});

test('it is restarted at the same address; one that ignores SIGTERM is killed, which is said', async () => {
  const willing = await (await open()).opening;
  const [before, disturb] = [willing.endpoints.worlds[0]?.pid, willing.disturb];
  const down = await disturb?.restart('server', micros(0));
  expect(down?.forced).toBeUndefined();
  expect(willing.endpoints.worlds[0]?.pid).not.toBe(before);
  // What a child has printed arrives some time later.
  await expect.poll(() => logOf(willing)).toBe('listening now\nasked to end\nlistening now\n');

  const stubborn = await (await open({ environment: { STUBBORN: 'yes' }, patience: 300 })).opening;
  const killed = await stubborn.disturb?.restart('server', micros(0));
  expect(killed?.forced).toBe(true);
  // Until it was killed it answered.
  expect((killed?.ended ?? 0) - (killed?.from ?? 0)).toBeGreaterThanOrEqual(290_000);
  expect(killed?.ended).toBeLessThanOrEqual(killed?.to ?? 0);
  await expect.poll(() => logOf(stubborn)).toBe('listening now\nasked to end\nlistening now\n');
});
