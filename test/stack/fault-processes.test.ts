import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Target } from '../../src/address/target-address.ts';
import { readFaultProcesses, refuseUnreachableFaults } from '../../src/commands/fault-processes.ts';
import type { CommandPlan } from '../../src/stack/command-component.ts';
import { withFaultProcesses } from '../../src/stack/fault-processes.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { readProcess } from '../../src/supervision/proc.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { micros } from '../../src/units.ts';
import { memoryHost } from '../memory-host.ts';
import { read as readScenario } from '../scenario/scenario-text.ts';

/** Processes that are not capbench's, and that faults hit by consent. */

const here: Target = {
  ...{ url: 'http://127.0.0.1:8080', host: '127.0.0.1', addresses: ['127.0.0.1'] },
  ...{ foreign: false, onThisHost: true },
};
const away: Target = { ...here, host: 'game.example', foreign: true };

function other(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}
const stateOf = (pid: number): string | undefined => readProcess(pid)?.state;

const attached: Stack = {
  ...{ kind: 'target', endpoints: { worlds: [], database: null }, settings: [], disturb: null },
  ...{ failure: new Promise(() => {}), logs: new Map(), close: async () => {} },
};

async function theWatchdog() {
  const watchdog = await openWatchdog(process.env);
  onTestFinished(async () => void (await watchdog.close()));
  return watchdog;
}

const read = (faultProcess: readonly string[], targets: readonly Target[] = [here]) => {
  const host = memoryHost([]);
  return readFaultProcesses(
    { machine: { ...host.machine, pid: process.pid, uid: process.getuid?.() ?? null } },
    { faultProcess },
    targets,
  );
};

describe.runIf(process.platform === 'linux')('with /proc', () => {
  test('a process is stopped and continued, and killed', async () => {
    const [watchdog, child] = [await theWatchdog(), other()];
    const stack = withFaultProcesses(attached, read([`redis=${child.pid}`]), watchdog);
    const stopping = stack.disturb!.stop('redis', micros(300_000));
    await expect.poll(() => stateOf(child.pid), { interval: 5 }).toBe('T');
    const { from, to } = await stopping;
    expect(to - from).toBeGreaterThanOrEqual(300_000);
    await expect.poll(() => stateOf(child.pid)).toBe('S');
    const ended = once(child, 'exit');
    expect((await stack.disturb!.kill('redis', micros(0))).forGood).toBe(true);
    expect((await ended)[1]).toBe('SIGKILL');
    await expect(stack.disturb!.stop('redis', micros(0))).rejects.toThrow('has ended before the fault');
    await expect(stack.disturb!.restart('redis', micros(0))).rejects.toThrow(
      'is not named by --fault-process',
    );
  });

  test('a stopped process is continued when the stack is closed, and by the watchdog when nothing else does it', async () => {
    const [watchdog, child] = [await openWatchdog(process.env), other()];
    const stack = withFaultProcesses(attached, read([`redis=${child.pid}`]), watchdog);
    const stopping = stack.disturb!.stop('redis', micros(600e6)).catch(() => 'closed');
    await expect.poll(() => stateOf(child.pid), { interval: 5 }).toBe('T');
    await stack.close();
    expect(await stopping).toBe('closed');
    await expect.poll(() => stateOf(child.pid)).toBe('S');

    await watchdog.guardStopped(child.pid);
    process.kill(child.pid, 'SIGSTOP');
    await expect.poll(() => stateOf(child.pid)).toBe('T');
    // Its pipe ends, as it does when capbench is killed.
    await watchdog.close();
    await expect.poll(() => stateOf(child.pid)).toBe('S');
  });

  test('a pid that belongs to another process by now: 104', async () => {
    const [watchdog, child] = [await theWatchdog(), other()];
    const [one] = read([`redis=${child.pid}`]);
    expect(() => withFaultProcesses(attached, [{ ...one!, startedAt: '1' }], watchdog)).toThrow(
      `process ${child.pid} (redis) has ended, or its pid is another process's by now`,
    );
  });

  test.each([
    ['redis', 'got "redis", expected NAME=PID'],
    ['redis=:6379', 'expected NAME=PID'],
    ['Redis=5', 'expected NAME=PID'],
    ['redis=1', 'got the pid 1, expected 2 to'],
    ['redis=4194304', 'there is no process 4194304 (redis)'],
    [`redis=${process.pid}`, `process ${process.pid} (redis) is capbench, or started it`],
    [`redis=${process.ppid}`, 'is capbench, or started it'],
  ])('--fault-process %s is refused', (text, message) => {
    expect(() => read([text])).toThrow(message);
  });

  test('it needs loopback targets, one name for each process, and processes of this user', () => {
    const { pid } = other();
    expect(() => read([`a=${pid}`], [])).toThrow('is given without --target');
    expect(() => read([`a=${pid}`], [here, away])).toThrow('is given with the target game.example');
    expect(() => read([`a=${pid}`, `a=${pid}`])).toThrow('the name a is given twice');
    const { machine } = memoryHost([]);
    const stranger = { machine: { ...machine, uid: 12_345, pid: process.pid } };
    expect(() => readFaultProcesses(stranger, { faultProcess: [`a=${pid}`] }, [here])).toThrow(
      `process ${pid} (a) belongs to another user`,
    );
  });
});

const scenarioWith = (fault: string, stack = '') => {
  const scenario = readScenario(
    `name: mine\nsystem: own\nload: { players: 10 }\nplayers: { protocol: json, commands: [{ command: look }] }\nfaults: [${fault}]\n${stack}`,
  );
  return { scenario, system: SYSTEMS.systemOf(scenario) };
};
const STACK = 'stack: { start: node server.mjs, ready: 8080 }\n';
const starts = {} as CommandPlan;

test('a fault hits what the run starts or names, and nothing else', () => {
  const target = { targets: [here], starts: null };
  const own = { targets: [here], starts };
  const redis = [{ name: 'redis' }];
  const stop = scenarioWith('{ action: stop, of: redis, at: 1s }');
  expect(() => refuseUnreachableFaults(stop, target, redis)).not.toThrow();
  expect(() => refuseUnreachableFaults(stop, target, [])).toThrow(
    'faults: stop of redis needs a stack that capbench starts, or the pid of the process, and this run has neither',
  );
  expect(() => refuseUnreachableFaults(scenarioWith(''), target, redis)).toThrow(
    'no fault of the scenario is of redis',
  );
  const server = scenarioWith('{ action: restart, of: server, at: 1s }', STACK);
  expect(() => refuseUnreachableFaults(server, own, [])).not.toThrow();
  expect(() => refuseUnreachableFaults(server, target, [])).toThrow(
    'faults: restart of server needs a stack',
  );
  expect(() => refuseUnreachableFaults(server, target, [{ name: 'server' }])).toThrow(
    'capbench starts only what it has started, and server is of --fault-process',
  );
  expect(() => refuseUnreachableFaults(server, own, [{ name: 'server' }])).toThrow(
    'capbench starts server itself',
  );
});
