import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { platform } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { busyForeignProcesses, portsUnderTest } from '../../src/probe/foreign-processes.ts';
import { openHostProbe } from '../../src/probe/host.ts';
import type { Sample } from '../../src/probe/probe.ts';
import { openProcessTable } from '../../src/probe/process-table.ts';
import type { Endpoints } from '../../src/stack/stack.ts';

const NOTHING: Endpoints = { worlds: [], database: null };
/** Uses this many milliseconds of CPU, then waits for a signal; exits by itself after a while in any case. */
const WORK_MS = 600;
const SPIN = `const u = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
  setTimeout(() => process.exit(), 60000); const from = u(); while (u() - from < ${WORK_MS});`;

const lastOf = (samples: readonly Sample[], series: string): number | undefined =>
  samples.find((sample) => sample.series === series)?.value;
/** By how much a series grew. */
const growth = (from: readonly Sample[], to: readonly Sample[], series: string): number =>
  lastOf(to, series)! - lastOf(from, series)!;

/** The pid of a Node process that runs a script and whose parent has ended. */
async function orphan(script: string): Promise<number> {
  const shell = spawn('sh', ['-c', '"$0" -e "$1" >/dev/null 2>&1 & echo $!', process.execPath, script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [pid] = (await once(shell.stdout, 'data')) as [Buffer];
  if (shell.exitCode === null) await once(shell, 'exit');
  return Number(String(pid));
}

describe.runIf(platform() === 'linux')('with /proc', () => {
  test('CPU of a child counts for the run, also after it ended; CPU of an unrelated process is foreign, and named', async () => {
    const probe = openHostProbe(NOTHING);
    const first = await probe.sample();
    // Its parent ends before a scan sees either, so that nothing connects it to this process.
    const foreign = await orphan(SPIN);
    const child = spawn(process.execPath, ['-e', SPIN], { detached: true, stdio: 'ignore' });
    try {
      // On a machine with busier processes, the named ones are those; the third is then busy enough, too.
      const busy = (): boolean => {
        const named = probe.foreignProcesses();
        const own = named.find(({ pid }) => pid === foreign) ?? named.at(2);
        return own !== undefined && own.name !== '' && own.cpuSeconds * 1e3 > WORK_MS;
      };
      let last = first;
      for (let i = 0; i < 200; i++) {
        await sleep(200);
        last = await probe.sample();
        if (growth(first, last, 'host.runCpuSeconds') * 1e3 > WORK_MS && busy()) break;
      }
      expect(growth(first, last, 'host.runCpuSeconds') * 1e3).toBeGreaterThan(WORK_MS);
      expect(busy()).toBe(true);
      expect(growth(first, last, 'host.foreignCpuSeconds') * 1e3).toBeGreaterThan(WORK_MS);
      process.kill(child.pid!, 'SIGKILL');
      await once(child, 'exit');
      const ended = await probe.sample();
      expect(growth(last, ended, 'host.runCpuSeconds')).toBeGreaterThanOrEqual(0);
    } finally {
      child.kill('SIGKILL');
      process.kill(foreign, 'SIGKILL');
      await probe.close();
    }
  });

  test('PostgreSQL and world servers are followed to their current pids', async () => {
    const spinning = () => spawn(process.execPath, ['-e', SPIN], { detached: true, stdio: 'ignore' });
    const children = [spinning()];
    const endpoint = {
      get pid() {
        return children.at(-1)!.pid!;
      },
    };
    const world = Object.assign(Object.create(endpoint), { url: 'http://127.0.0.1:1' });
    const nowhere = { host: '', port: 1, user: '', password: '', database: '' };
    const database = Object.assign(Object.create(endpoint), nowhere);
    const probe = openHostProbe({ worlds: [world], database });
    try {
      const first = await probe.sample();
      expect(lastOf(first, 'postgres.memoryBytes')).toBeGreaterThan(0);
      process.kill(children[0]!.pid!, 'SIGKILL');
      await once(children[0]!, 'exit');
      // Only now, so that all that it uses is used while it is followed.
      children.push(spinning());
      let last = first;
      for (let i = 0; i < 200 && growth(first, last, 'postgres.cpuSeconds') * 1e3 < WORK_MS; i++) {
        await sleep(200);
        const next = await probe.sample();
        for (const { series, kind, value } of next) {
          if (kind === 'counter') expect(value, series).toBeGreaterThanOrEqual(lastOf(last, series) ?? 0);
        }
        last = next;
      }
      expect(growth(first, last, 'postgres.cpuSeconds') * 1e3).toBeGreaterThanOrEqual(WORK_MS);
      expect(growth(first, last, 'host.runCpuSeconds')).toBeGreaterThanOrEqual(
        growth(first, last, 'postgres.cpuSeconds'),
      );
      if (existsSync('/proc/self/schedstat')) {
        expect(lastOf(last, 'world.1.waitedSeconds')).toBeGreaterThan(0);
        expect(lastOf(last, 'postgres.waitedSeconds')).toBeGreaterThan(0);
      }
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await probe.close();
    }
  });

  test('where capbench did not start what is under test, foreign CPU is unknown', async () => {
    const probe = openHostProbe({ worlds: [{ url: 'http://127.0.0.1:1', pid: null }], database: null });
    const samples = await probe.sample();
    expect(lastOf(samples, 'host.foreignCpuSeconds')).toBeUndefined();
    expect(lastOf(samples, 'host.runCpuSeconds')).toBeDefined();
    expect(lastOf(samples, 'world.1.waitedSeconds')).toBeUndefined();
    expect(probe.foreignProcesses()).toEqual([]);
  });

  test('beside a target, a process that is busy before the load is foreign, and the one that listens on its port is not', async () => {
    const spin =
      'setTimeout(() => process.exit(), 60000); setInterval(() => { const end = Date.now() + 45; while (Date.now() < end); }, 50);';
    const listen = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
    // Started first, so that it is busy when the server begins to listen.
    const neighbour = await orphan(spin);
    const server = spawn(process.execPath, ['-e', listen + spin], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${Number(String(port))}`;
    const target = { worlds: [{ url, pid: null }], database: null };
    try {
      const ports = portsUnderTest(target, { metrics: [], redis: null, postgres: null });
      await expect.poll(() => busyForeignProcesses(ports), { timeout: 20_000 }).toContain(neighbour);
      expect(await busyForeignProcesses(ports)).not.toContain(server.pid);
      const probe = openHostProbe(target, new Set([neighbour]));
      const first = await probe.sample();
      const grown = async () => growth(first, await probe.sample(), 'host.foreignCpuSeconds');
      await expect.poll(grown, { timeout: 20_000 }).toBeGreaterThan(0.05);
      expect(probe.foreignProcesses().map((one) => one.pid)).toEqual([neighbour]);
    } finally {
      server.kill('SIGKILL');
      process.kill(neighbour, 'SIGKILL');
    }
  });

  test('a scan lists this process and its parent, lowest pids first, and no kernel threads', async () => {
    const table = openProcessTable();
    await table.scan();
    const scan = await table.scan();
    expect(scan.find(({ pid }) => pid === process.pid)?.parent).toBe(process.ppid);
    expect(scan.map(({ pid }) => pid)).toEqual(scan.map(({ pid }) => pid).sort((a, b) => a - b));
    expect(scan.filter(({ kernelThread }) => kernelThread)).toEqual([]);
  });
});
