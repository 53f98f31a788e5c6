import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openServerFamily } from '../../src/probe/server-family.ts';
import { descendantsOf, killTree } from '../../src/supervision/process-tree.ts';

/** A server with two workers of 40 MB of their own each. Each line that it reads makes one worker work for so many ms. */
const SERVER = `
  const { fork } = require('node:child_process');
  if (process.argv[2] === 'worker') {
    globalThis.kept = Buffer.alloc(40e6, 1);
    process.on('message', (ms) => {
      for (const until = process.cpuUsage().user + ms * 1e3; process.cpuUsage().user < until; );
      process.send('done');
    });
    process.on('disconnect', () => process.exit());
    process.send('up');
  } else {
    const workers = [1, 2].map(() => fork(process.argv[1], ['worker']));
    let up = 0;
    for (const worker of workers)
      worker.on('message', (text) => (text === 'up' ? ++up === 2 && console.log('up') : console.log('done')));
    process.stdin.on('data', (line) => workers[0].send(Number(line)));
  }`;

async function openServer(): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'family-'));
  writeFileSync(`${folder}/server.cjs`, SERVER);
  const server = spawn(process.execPath, [`${folder}/server.cjs`], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    await killTree(server.pid!);
    rmSync(folder, { recursive: true, force: true });
  });
  await once(server.stdout!, 'data');
  return server;
}

const work = async (server: ChildProcess, ms: number): Promise<void> => {
  const done = once(server.stdout!, 'data');
  server.stdin!.write(`${ms}\n`);
  await done;
};

const residentOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe.skipIf(platform() !== 'linux')('the child processes of a server', () => {
  test('their CPU and their memory count once, and the busiest of them is known', async () => {
    const server = await openServer();
    const family = openServerFamily(() => server.pid!);
    const first = family.read()!;
    expect(first.processes).toBe(3);
    await work(server, 300);
    const after = family.read()!;
    expect(after.childCpuSeconds - first.childCpuSeconds).toBeGreaterThanOrEqual(0.28);
    expect(after.busiestSeconds).toBeGreaterThanOrEqual(0.28);
    expect(after.busiestSeconds).toBeLessThanOrEqual(after.childCpuSeconds + 0.1);
    const each = [server.pid!, ...descendantsOf(server.pid!)].map(residentOf);
    // More than what the workers keep, and less than the sum, which counts the program three times.
    expect(after.memoryBytes).toBeGreaterThan(80e6);
    expect(after.memoryBytes).toBeLessThan(each.reduce((a, b) => a + b, 0));
  });

  test('what an ended child has used stays, and a server that was started again begins again', async () => {
    const server = await openServer();
    let pid = server.pid!;
    const family = openServerFamily(() => pid);
    family.read();
    await work(server, 200);
    const before = family.read()!;
    const [worker] = descendantsOf(server.pid!);
    await killTree(worker!);
    const after = family.read()!;
    expect(after.processes).toBe(2);
    expect(after.childCpuSeconds).toBeGreaterThanOrEqual(before.childCpuSeconds);
    const next = await openServer();
    pid = next.pid!;
    expect(family.read()).toMatchObject({ processes: 3, childCpuSeconds: 0, busiestSeconds: 0 });
  });

  test('a server without children has no such figures, and one that has ended neither', async () => {
    expect(openServerFamily(() => null).read()).toBeNull();
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    expect(openServerFamily(() => child.pid!).read()).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(openServerFamily(() => child.pid!).read()).toBeNull();
  });
});
