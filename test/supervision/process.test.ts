import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { describeExit, NODE_LADDER, startProcess } from '../../src/supervision/process.ts';
import { descendantsOf, startTime } from '../../src/supervision/process-tree.ts';
import { inheritedFrom, openWatchdog } from '../../src/supervision/watchdog.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder(afterAll);
const odd = { PGPASSWORD: 'secret', NODE_OPTIONS: '', LC_CTYPE: 'C.UTF-8' };
const watchdog = await openWatchdog({ ...process.env, ...odd });
afterAll(() => watchdog.close());

const named = (name: string) => ({ name, log: join(folder, `${name}.log`), watchdog });

function module(name: string, source: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, source);
  return path;
}

test.each([
  [
    'a token, and variables that change Node',
    { GAME_TOKEN: 'x', NODE_OPTIONS: '--inspect', PGPASSWORD: 'x' },
    {},
  ],
  ['CA certificates', { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' }, { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' }],
  // A child has another working directory.
  [
    'CA certificates, relative',
    { NODE_EXTRA_CA_CERTS: 'ca.pem' },
    { NODE_EXTRA_CA_CERTS: resolve('ca.pem') },
  ],
  ['no CA certificates', { NODE_EXTRA_CA_CERTS: '' }, {}],
])('inherited environment: %s', (_what, environment, inherited) => {
  expect(inheritedFrom({ PATH: '/bin', ...environment })).toEqual({ PATH: '/bin', ...inherited });
});

describe('a child process', () => {
  it('inherits a minimal environment and the given variables, and nothing else', async () => {
    const child = await startProcess({ ...named('env'), command: '/usr/bin/env', env: { GIVEN: 'yes' } });
    expect(await child.exited).toMatchObject({ code: 0, signal: null });
    const names = child
      .tail(100)
      .split('\n')
      .map((line) => line.split('=')[0] ?? '')
      // A shell sets these by itself.
      .filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name));
    expect(names).toContain('GIVEN');
    expect(names).toContain('LC_CTYPE');
    expect(
      names.filter((name) => !/^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|NODE_EXTRA_CA_CERTS|GIVEN)$/.test(name)),
    ).toEqual([]);
  });

  it('leads its own process group, which signals of a terminal do not reach', async () => {
    const child = await startProcess({ ...named('sleep'), command: '/bin/sleep', args: ['60'] });
    const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(child.pid)], { encoding: 'utf8' });
    expect(Number(group)).toBe(child.pid);
    expect(child.stopping).toBe(false);
    expect(describeExit(await child.stop())).toBe('killed by SIGTERM');
    expect(child.stopping).toBe(true);
    expect(startTime(child.pid)).toBeNull();
  });

  it('exchanges typed arrays over its channel, and stops when asked', async () => {
    const child = await startProcess({
      ...named('echo'),
      module: module('echo', 'process.on("message", (m) => process.send(m.map((x) => x * 2)))'),
      execArgv: ['--max-old-space-size=64'],
    });
    const answer = new Promise((resolve) => child.onMessage(resolve));
    child.send(Float64Array.of(1, 2.5));
    expect(await answer).toEqual(Float64Array.of(2, 5));
    expect(await child.stop()).toMatchObject({ code: null, signal: 'SIGTERM' });
    // A message to an ended process is lost without an error.
    child.send('anybody?');
  });

  it('is killed with its own children when it ignores the request to stop', async () => {
    const child = await startProcess({
      ...named('deaf'),
      module: module(
        'deaf',
        `import { spawn } from 'node:child_process';
         process.on('SIGTERM', () => {});
         const grandchild = spawn('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 1; done']);
         process.send(grandchild.pid);
         setInterval(() => {}, 1000);`,
      ),
      ladder: [{ signal: 'SIGTERM', patience: 200 }, ...NODE_LADDER.slice(1)],
    });
    const grandchild = await new Promise<unknown>((resolve) => child.onMessage(resolve));
    expect(startTime(Number(grandchild))).not.toBeNull();
    const [first, second] = await Promise.all([child.stop(), child.stop()]);
    expect(first).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(second).toEqual(first);
    await expect.poll(() => startTime(Number(grandchild))).toBeNull();
  });

  it('reports a program that cannot be executed as 127, with the reason in the log', async () => {
    const child = await startProcess({ ...named('nothing'), command: '/nonexistent/program' });
    expect(await child.exited).toMatchObject({ code: 127, signal: null });
    expect(child.tail()).toContain('/nonexistent/program');
  });

  it('fills its log up to the limit, notes that it was cut, and keeps the last lines', async () => {
    const script = 'head -c 9000000 /dev/zero | tr "\\0" x; echo; echo the very last line';
    const child = await startProcess({ ...named('chatty'), command: '/bin/sh', args: ['-c', script] });
    expect(await child.exited).toMatchObject({ code: 0, signal: null });
    expect(child.tail(1)).toBe('the very last line');
    const log = readFileSync(child.log, 'utf8');
    expect(log.length).toBeGreaterThan(8 * 2 ** 20);
    expect(log.length).toBeLessThan(8 * 2 ** 20 + 40_000);
    expect(log).toContain('cut by capbench after 8388608 bytes');
    expect(log.trimEnd().endsWith('the very last line')).toBe(true);
    expect(statSync(child.log).mode & 0o777).toBe(0o600);
  });
});

/** A shell that leaves a process in a session of its own, whose parent has ended, prints its pid and goes on. */
const LEAVES_ORPHAN = "setsid sh -c 'sleep 600 & echo $!'; sleep 0.1; exec sleep 600";

test.runIf(process.platform === 'linux').each(['it is stopped', 'it is killed', 'capbench is killed'])(
  'what a marked process left behind ends when %s',
  async (when) => {
    const own = await openWatchdog(process.env);
    const child = await startProcess({
      ...{ ...named('marked'), watchdog: own, command: '/bin/sh', args: ['-c', LEAVES_ORPHAN] },
      endMethod: 'marked',
    });
    let told = '';
    child.onOutput((text) => {
      told += text;
    });
    await expect.poll(() => told, { timeout: 30_000 }).toMatch(/^\d+\n$/);
    const orphan = Number(told);
    expect(descendantsOf(child.pid)).not.toContain(orphan);
    expect(startTime(orphan)).not.toBeNull();
    if (when === 'it is stopped') await child.stop();
    if (when === 'it is killed') await child.kill();
    // Its pipe ends, as it does when capbench is killed.
    if (when === 'capbench is killed') await own.close();
    expect(startTime(orphan)).toBeNull();
    await child.stop();
    await own.close();
  },
);
