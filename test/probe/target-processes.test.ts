import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { platform } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseProcess } from '../../src/address/process-address.ts';
import { openProcessProbes, refuseProcesses } from '../../src/probe/target-processes.ts';
import { readProcess } from '../../src/supervision/proc.ts';
import { portOf } from '../loopback.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const TICK_SECONDS = 0.01;
const open = (text: string) => openProcessProbes([parseProcess(text, '--probe-process', '/')]);

/** A Node process that is ended with its test; `line` is what it printed first. */
async function node(script: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const end = 'setTimeout(() => process.exit(), 120000);';
  const child = spawn(process.execPath, ['-e', end + script], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, line: String(line).trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

type Probe = Awaited<ReturnType<typeof open>>[number];
const read = async (probe: Probe | undefined): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await probe!.sample()).map(({ series, value }) => [series.split('.').slice(2).join('.'), value]),
  );

/** On its first line of input it uses a second of CPU, and half a second in a child; the next line ends the child. */
const BUSY = `const spin = (s) => { const u = () => { const c = process.cpuUsage(); return (c.user + c.system) / 1e6; };
  const from = u(); while (u() - from < s); };
  let child;
  process.stdin.on('data', () => {
    if (child) return child.stdin.end();
    const script = 'const spin = ' + spin + '; spin(0.5); process.stdin.resume(); console.log()';
    child = require('child_process').spawn(process.execPath, ['-e', script]);
    child.stdout.once('data', () => console.log('spun'));
    child.once('exit', () => console.log('ended'));
    spin(1);
  });
  console.log('ready');`;

describe.runIf(platform() === 'linux')('with /proc', () => {
  test('CPU is what /proc counts, that of a child that came and went included', async () => {
    const { child } = await node(BUSY);
    const pid = child.pid!;
    const usedByProc = (): number => {
      const { ownSeconds, reapedSeconds } = readProcess(pid)!;
      return ownSeconds + reapedSeconds;
    };
    const [probe] = await open(`api=${pid}`);
    expect(probe?.roots()).toEqual([pid]);
    const first = await read(probe);
    const usedBefore = usedByProc();
    const spun = once(child.stdout!, 'data');
    child.stdin!.write('go\n');
    await spun;
    const busy = await read(probe);
    expect(busy.processes).toBe(2);
    expect(busy.threads).toBeGreaterThan(first.threads!);
    expect(busy.cpuSeconds! - first.cpuSeconds!).toBeGreaterThan(1.5 - 4 * TICK_SECONDS);
    const ended = once(child.stdout!, 'data');
    child.stdin!.write('end\n');
    await ended;
    // It does nothing any more, so both are read of the same.
    const last = await read(probe);
    const [counted, byProc] = [last.cpuSeconds! - first.cpuSeconds!, usedByProc() - usedBefore];
    expect(byProc).toBeGreaterThan(1.5);
    expect(Math.abs(counted - byProc)).toBeLessThan(0.05 * byProc);
    // The one that used a second is one of several threads.
    const busiest = last.busiestThreadSeconds! - first.busiestThreadSeconds!;
    // The rest of what the process counted for itself was that of its other threads.
    expect(busiest).toBeGreaterThan(0.8);
    expect(busiest).toBeLessThanOrEqual(counted + TICK_SECONDS);
    expect(last.processes).toBe(1);
    expect(last.memoryBytes).toBeGreaterThan(10e6);
    expect(last.descriptors).toBeGreaterThan(3);
    expect(probe?.absences()).toEqual([]);
  });

  test('what listens on a port is followed to its next process, and the time between is a gap with its reason', async () => {
    const listen = (port: number) =>
      `require('net').createServer().listen(${port}, '127.0.0.1', function () { console.log(this.address().port); });`;
    const server = await node(listen(0));
    const port = Number(server.line);
    const [probe] = await open(`api=:${port}`);
    expect(probe?.name).toBe('process-api');
    expect(probe?.roots()).toEqual([server.child.pid]);
    const first = await read(probe);
    await kill(server.child);
    await expect(read(probe)).rejects.toThrow(
      `api (port ${port}) has ended: nothing listens on port ${port} of a loopback address`,
    );
    const { child } = await node(listen(port));
    const again = await read(probe);
    expect(probe?.roots()).toEqual([child.pid]);
    expect(again.processes).toBe(1);
    expect(again.cpuSeconds).toBeGreaterThanOrEqual(first.cpuSeconds!);
  });

  test('a pid file is read again when its process has ended; a pid is not', async () => {
    const file = join(temporaryFolder(), 'api.pid');
    const [old, next] = [await node("console.log('')"), await node("console.log('')")];
    writeFileSync(file, `${old.child.pid}\n/some/folder\n`);
    const [byFile, byPid] = [await open(`api=${file}`), await open(`db=${old.child.pid}`)];
    await kill(old.child);
    await expect(read(byPid[0])).rejects.toThrow(
      `db (pid ${old.child.pid}) has ended: there is no process ${old.child.pid} any more`,
    );
    await expect(read(byFile[0])).rejects.toThrow(
      `there is no process ${old.child.pid}, which the file names`,
    );
    writeFileSync(file, String(next.child.pid));
    expect((await read(byFile[0])).processes).toBe(1);
  });

  test('each process counts for the nearest named one above it', async () => {
    const { child, line } = await node(
      `const api = require('child_process').spawn('/bin/sh', ['-c', 'sleep 120 & echo $!; wait']);
      api.stdout.once('data', (worker) => console.log(api.pid + ' ' + worker));`,
    );
    const [apiPid, workerPid] = line.split(' ');
    const of = [`outer=${child.pid}`, `api=${apiPid}`, `worker=${workerPid}`];
    const probes = await openProcessProbes(of.map((text) => parseProcess(text, 'it', '/')));
    const [outer, api, worker] = await Promise.all(probes.map(read));
    expect([outer?.processes, api?.processes, worker?.processes]).toEqual([1, 1, 1]);
    process.kill(Number(workerPid), 'SIGKILL');
  });

  test.each([
    ['api=:1', 'api (port 1) is not there: nothing listens on port 1 of a loopback address'],
    ['api=4194303', 'api (pid 4194303) is not there: there is no process 4194303'],
    ['api=/no/such.pid', 'api (pid file /no/such.pid) is not there: the pid file cannot be read: ENOENT'],
    ['api=/etc/hostname', 'api (pid file /etc/hostname) is not there: the first line of the file is no pid'],
  ])('%s is not there: 93, with what was looked for', async (text, message) => {
    await expect(open(text)).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringContaining(message),
    });
  });

  test('two names for one process, and capbench or what started it, are 104, however they are named', async () => {
    const { child, line } = await node(
      "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); });",
    );
    const [folder, above] = [temporaryFolder(), process.ppid];
    const file = (name: string, pid: number | undefined): string => {
      writeFileSync(join(folder, name), String(pid));
      return join(folder, name);
    };
    const [ofChild, ofInit] = [file('child.pid', child.pid), file('init.pid', 1)];
    const same = `are the same process ${child.pid}, expected one name for each`;
    for (const [texts, message] of [
      [[`a=:${line}`, `b=:${line}`], same],
      [[`a=${child.pid}`, 'other=:1', `b=:${line}`], same],
      [[`a=${child.pid}`, `b=${ofChild}`], same],
      [[`a=${child.pid}`, `b=${above}`], `b (pid ${above}): process ${above} is capbench, or started it`],
      [[`a=${process.pid}`], 'is capbench, or started it'],
      [[`a=${ofInit}`], 'process 1 is capbench, or started it'],
    ] as const) {
      const addresses = texts.map((text) => parseProcess(text, '--probe-process', '/'));
      const refused = { exitCode: 104, message: expect.stringContaining(message) };
      expect(() => refuseProcesses(addresses)).toThrow(expect.objectContaining(refused));
      // A port or a file may come to name the same process only once the stack has been started.
      const there = addresses.filter((one) => one.name !== 'other');
      await expect(openProcessProbes(there)).rejects.toMatchObject(refused);
    }
    const component = { name: 'server', by: 'component' } as const;
    const port = parseProcess(`b=:${line}`, '--probe-process', '/');
    expect(() => refuseProcesses([component, port])).not.toThrow();
    await expect(openProcessProbes([component, port], () => child.pid ?? null)).rejects.toThrow(same);
  });

  test('capbench’s own port is nobody’s', async () => {
    const port = await portOf(createServer());
    await expect(open(`api=:${port}`)).rejects.toThrow(/nothing listens|only process/);
  });
});
