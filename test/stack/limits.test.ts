import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { resolveTargets } from '../../src/address/target-address.ts';
import { openStarted } from '../../src/commands/stack-opener.ts';
import { openLimitsProbe } from '../../src/probe/limits.ts';
import { edgeSchema } from '../../src/scenario/edge.ts';
import { openComponent } from '../../src/stack/component.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { readGroups } from '../../src/stack/control-groups.ts';
import { edgeComponent } from '../../src/stack/edge-component.ts';
import { lookForEdge } from '../../src/stack/edge-program.ts';
import { type LocalStackOptions, openLocalStack } from '../../src/stack/local.ts';
import { redisComponent } from '../../src/stack/redis-component.ts';
import { lookForRedis } from '../../src/stack/redis-program.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { cpuNumbers, cpuTimes } from '../../src/supervision/proc.ts';
import { startProcess } from '../../src/supervision/process.ts';
import { childrenOf } from '../../src/supervision/process-tree.ts';
import { findProgram } from '../../src/supervision/program.ts';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { seconds } from '../../src/units.ts';
import { read } from '../scenario/scenario-text.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { mayLimitCpus } from './groups-here.ts';
import { openSmallStack, scenarioOf } from './small-scenario.ts';

let watchdog: Watchdog;
beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterAll(() => watchdog.close());

/** The CPUs that a process may run on: `0`, `0-1`. */
const cpusOf = (pid: number): string =>
  /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** A process with all that it has started. */
const family = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** A component that runs this line of shell, and is ready at once. */
const shell = (name: string, script: string, limits: ComponentSpec['limits']): ComponentSpec => ({
  ...{ name, faults: ['kill'], after: [], limits: limits ?? null },
  async start({ folder, closing, confine, watchdog: guard }) {
    const start = async () => ({
      process: await startProcess({
        ...{ name, command: '/bin/sh', args: ['-c', script], confine, endMethod: 'tree' },
        ...{ log: folder.file(`${name}.log`), watchdog: guard },
      }),
      failure: new Promise<never>(() => {}),
      answers: async () => {},
    });
    return { component: openComponent(await start(), start, closing) };
  },
});

async function open(
  specs: readonly ComponentSpec[],
  env: LocalStackOptions['env'] = { PATH: process.env.PATH },
  stackLimits: LocalStackOptions['stackLimits'] = null,
): Promise<Stack> {
  const stack = await openLocalStack(specs, {
    ...{
      watchdog,
      env,
      stackLimits,
      signal: new AbortController().signal,
      token: '',
      password: 'p',
      mayRestart: true,
    },
  });
  onTestFinished(() => stack.close());
  return stack;
}

const limited = (stack: Stack, name: string) => {
  const found = stack.endpoints.limited?.find((one) => one.name === name);
  return found ?? expect.fail(`${name} is not limited`);
};

const appliedTo = (stack: Stack, section: string): string | undefined =>
  stack.settings.find(({ setting }) => setting === `${section}Limits`)?.applied;

const hasNginx = (await lookForEdge('nginx', process.env)) !== null;
const hasRedis = (await lookForRedis(process.env)) !== null;
/** Linux, with what binds processes to CPUs, and more than one of these. */
const canBind =
  platform() === 'linux' &&
  (await findProgram('taskset', process.env)) !== null &&
  availableParallelism() > 1;

describe.skipIf(!canBind)('affinity', () => {
  test('servers, PostgreSQL and their children run on one CPU each, and do so again after a kill', {
    timeout: 60_000,
  }, async () => {
    const scenario = scenarioOf({});
    const { PATH, CAPBENCH_TEST_POSTGRES_BIN: bin } = process.env;
    const stack = await openSmallStack(
      {
        ...scenario,
        world: { ...scenario.world, limits: { cpus: 1, memory: 1024 } },
        postgres: { ...scenario.postgres, limits: { cpus: 1 } },
      },
      {
        ...{ watchdog, mayRestart: true },
        env: { PATH, ...(bin === undefined ? {} : { CAPBENCH_POSTGRES_BIN: bin }) },
      },
    );
    onTestFinished(() => stack.close());
    const cpus = (name: string): readonly string[] => [
      ...new Set(family(limited(stack, name).pids[0] ?? 0).map(cpusOf)),
    ];
    for (const name of ['world-1', 'world-2', 'postgres'])
      expect(cpus(name)).toEqual([expect.stringMatching(/^\d+$/)]);
    expect(cpus('world-1')).not.toEqual(cpus('world-2'));
    expect(family(limited(stack, 'postgres').pids[0] ?? 0).length).toBeGreaterThan(3);
    expect(appliedTo(stack, 'world')).toBe('1 CPU by affinity, memory measured against it');
    expect(appliedTo(stack, 'postgres')).toBe('1 CPU by affinity');
    // What is not under test is not limited.
    expect(cpusOf(process.pid)).not.toMatch(/^\d+$/);

    const before = limited(stack, 'world-1').pids[0];
    const where = cpus('world-1');
    await stack.disturb?.kill('world-1', seconds(0));
    expect(limited(stack, 'world-1').pids[0]).not.toBe(before);
    expect(cpus('world-1')).toEqual(where);
  });

  test.skipIf(!hasRedis)('so does Redis', async () => {
    const stack = await open([{ ...redisComponent(), limits: { cpus: 1 } }], process.env);
    expect(cpusOf(limited(stack, 'redis').pids[0] ?? 0)).toMatch(/^\d+$/);
  });

  test.skipIf(!hasNginx)('so do all processes of the proxy', async () => {
    const behind = createServer((_, answer) => answer.end()).listen(0, '127.0.0.1');
    await once(behind, 'listening');
    onTestFinished(() => void behind.close());
    const url = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
    const server: ComponentSpec = {
      ...shell('world-1', 'sleep 100', null),
      start: async (context) => ({
        ...(await shell('world-1', 'sleep 100', null).start(context)),
        server: { url, pid: null },
      }),
    };
    const edge = edgeComponent(edgeSchema.parse({ program: 'nginx' }), ['world-1']);
    const stack = await open([server, { ...edge, limits: { cpus: 1 } }], process.env);
    const all = family(limited(stack, 'edge').pids[0] ?? 0);
    expect(all.length).toBeGreaterThan(1);
    expect([...new Set(all.map(cpusOf))]).toEqual([expect.stringMatching(/^\d+$/)]);
  });

  test('all components share the CPUs of the stack, also after a kill, and are read together', async () => {
    const busy = 'while :; do :; done & sleep 100';
    const stack = await open([shell('world-1', busy, null), shell('relay', busy, null)], undefined, {
      ...{ cpus: 1, memory: 512 },
    });
    expect(stack.endpoints.limited?.map(({ name }) => name)).toEqual(['stack']);
    expect(appliedTo(stack, 'stack')).toBe('1 CPU by affinity, memory measured against it');
    const all = () => limited(stack, 'stack').pids.flatMap(family);
    const cpus = () => [...new Set(all().map(cpusOf))];
    await expect.poll(() => all().length).toBeGreaterThanOrEqual(6);
    expect(cpus()).toEqual([expect.stringMatching(/^\d+$/)]);
    const where = cpus();
    // A process of the load can be kept off it.
    const { otherCpus } = stack.endpoints;
    const load = spawn('sleep', ['100']);
    onTestFinished(() => void load.kill());
    expect(otherCpus?.besideBox).toBe(true);
    expect(otherCpus?.cpus).toHaveLength(availableParallelism() - 1);
    await otherCpus?.confine(load.pid ?? 0);
    expect(cpuNumbers(cpusOf(load.pid ?? 0))).toEqual(otherCpus?.cpus);
    expect(otherCpus?.cpus).not.toContain(Number(where[0]));
    await stack.disturb?.kill('relay', seconds(0));
    await expect.poll(() => all().length).toBeGreaterThanOrEqual(6);
    expect(cpus()).toEqual(where);
    const probe = openLimitsProbe(stack.endpoints.limited ?? []);
    const used = async () =>
      (await probe.sample()).find(({ series }) => series === 'limits.stack.cpuSeconds')?.value;
    expect(await used()).toBe(0);
    await expect.poll(used).toBeGreaterThan(0.05);
  });

  test('the server of a start command has those of the world, with its children', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'server.mjs'),
      "import { spawn } from 'node:child_process'; import { createServer } from 'node:http'; spawn('sleep', ['600']); createServer((_, a) => a.end()).listen(process.env.PORT, '127.0.0.1');",
    );
    const port = await stablePort('127.0.0.1');
    const scenario = read(`
name: mine
system: own
load: { players: 1, operations: { get: { perSecond: 1 } } }
players: { protocol: http, requests: [{ path: /, operation: get }] }
world: { limits: { cpus: 1 } }
stack: { start: node server.mjs, ready: ${port}, environment: { PORT: '${port}' } }
budgets: []
`);
    const system = SYSTEMS.systemOf(scenario);
    const command = system.command?.(scenario) ?? expect.fail('no command');
    const stack = await openStarted(
      { env: process.env },
      { scenario, system, path: join(folder, 'mine.yaml') },
      command,
      { targets: await resolveTargets(command.targets, []) },
      { watchdog, signal: new AbortController().signal },
    );
    onTestFinished(() => stack.close());
    const [pid] = limited(stack, 'server').pids;
    await expect.poll(() => family(pid ?? 0).length).toBeGreaterThan(1);
    expect(new Set(family(pid ?? 0).map(cpusOf))).toEqual(new Set([expect.stringMatching(/^\d+$/)]));
    expect(appliedTo(stack, 'world')).toBe('1 CPU by affinity');
  });

  test('the probe reads CPU and memory of a component with its children', async () => {
    const stack = await open([
      shell('world-1', 'while :; do :; done & sleep 100', { cpus: 1, memory: 64 }),
      shell('edge', 'sleep 100', null),
    ]);
    expect(stack.endpoints.limited?.map(({ name }) => name)).toEqual(['world-1']);
    const probe = openLimitsProbe(stack.endpoints.limited ?? []);
    const value = async (series: string): Promise<number | undefined> =>
      (await probe.sample()).find((one) => one.series === `limits.world-1.${series}`)?.value;
    expect(await value('cpuSeconds')).toBe(0);
    // Its child is busy, not itself.
    await expect.poll(() => value('cpuSeconds')).toBeGreaterThan(0.05);
    expect(await value('memoryBytes')).toBeGreaterThan(50_000);
    expect(await value('throttledPeriods')).toBeUndefined();
    await stack.close();
    expect(await probe.sample()).toEqual([]);
  });
});

test('where nothing can be applied, limits are measured against', async () => {
  const stack = await open([shell('world-1', 'sleep 100', { cpus: 1, memory: 64 })], {});
  expect(appliedTo(stack, 'world')).toBe('CPUs measured against it, memory measured against it');
  expect(limited(stack, 'world-1').groups).toEqual({ cpu: null, memory: null });
});

test.runIf(platform() === 'linux')(
  'a group that cannot be used ends the start (93), and leaves nothing',
  async () => {
    const opening = open([shell('world-1', 'sleep 100', { cpus: 0.5 })], {
      CAPBENCH_CGROUP: '/no-such-group',
    });
    await expect(opening).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^CAPBENCH_CGROUP is \/no-such-group/),
    });
  },
);

describe.skipIf(cpuTimes() === null || !mayLimitCpus())('a control group', () => {
  const HERE = { PATH: process.env.PATH, CAPBENCH_CGROUP: '/' };

  test('holds a share of a CPU of a component and its children, says so, and goes with the stack', async () => {
    const stack = await open([shell('world-1', 'while :; do :; done & sleep 100', { cpus: 0.2 })], HERE);
    expect(appliedTo(stack, 'world')).toMatch(/^0\.2 CPUs by quota of a control group \(version [12]\)$/);
    const { pids, groups } = limited(stack, 'world-1');
    const [pid] = pids;
    const folder = groups.cpu ?? '';
    const inside = () => readFileSync(`${folder}/cgroup.procs`, 'utf8').trim().split('\n').map(Number);
    await expect.poll(() => family(pid ?? 0).length).toBeGreaterThan(1);
    expect(inside().toSorted()).toEqual(family(pid ?? 0).toSorted());
    await expect.poll(() => readGroups(groups).throttledPeriods).toBeGreaterThan(0);
    const samples = await openLimitsProbe(stack.endpoints.limited ?? []).sample();
    expect(samples.map(({ series }) => series)).toEqual(
      expect.arrayContaining(['limits.world-1.periods', 'limits.world-1.throttledPeriods']),
    );
    await stack.disturb?.kill('world-1', seconds(0));
    expect(inside()).toContain(limited(stack, 'world-1').pids[0]);
    await stack.close();
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(dirname(folder)).filter((name) => name.includes(folder.split('-')[1] ?? '?'))).toEqual(
      [],
    );
  });

  test('of the whole stack holds the CPU of all components together', async () => {
    const busy = 'while :; do :; done & sleep 100';
    const specs = [shell('world-1', busy, { cpus: 0.2 }), shell('relay', busy, null)];
    const stack = await open(specs, HERE, { cpus: 0.3 });
    expect(appliedTo(stack, 'stack')).toMatch(/^0\.3 CPUs by quota of a control group \(version [12]\)$/);
    const folder = limited(stack, 'stack').groups.cpu ?? '';
    const own = limited(stack, 'world-1').groups.cpu ?? '';
    expect(dirname(own)).toBe(folder);
    const inside = () =>
      [own, own.replace(/world-1$/, 'relay')]
        .flatMap((one) => readFileSync(`${one}/cgroup.procs`, 'utf8').trim().split('\n'))
        .map(Number);
    const all = () => limited(stack, 'stack').pids.flatMap(family);
    await expect.poll(() => all().length).toBeGreaterThanOrEqual(6);
    await stack.disturb?.kill('relay', seconds(0));
    await expect.poll(() => all().length).toBeGreaterThanOrEqual(6);
    expect(inside().toSorted()).toEqual(all().toSorted());
    const throttled = () => readGroups(limited(stack, 'stack').groups).throttledPeriods;
    await expect.poll(throttled).toBeGreaterThan(0);
    await stack.close();
    expect(existsSync(folder)).toBe(false);
  });

  test('is removed when a component does not start', async () => {
    let folder = '';
    const failing: ComponentSpec = {
      ...shell('world-2', 'sleep 100', { cpus: 0.2 }),
      after: ['world-1'],
      start: async ({ started }) => {
        const pid = started('world-1').component.pid ?? 0;
        folder = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
        throw new Error('no port');
      },
    };
    await expect(open([shell('world-1', 'sleep 100', { cpus: 0.2 }), failing], HERE)).rejects.toThrow(
      'no port',
    );
    const [, name = ''] = /\/(capbench-[0-9a-f]{12})-world-1/.exec(folder) ?? [];
    expect(name).not.toBe('');
    const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu'].filter(existsSync);
    expect(roots.flatMap((root) => readdirSync(root)).filter((one) => one.startsWith(name))).toEqual([]);
  });
});
