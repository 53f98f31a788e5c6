import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyLimits, cpuMask } from '../../src/stack/applied-limits.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { groupParents, groupsBelow, makeGroups, readGroups } from '../../src/stack/control-groups.ts';
import { cpuNumbers } from '../../src/supervision/proc.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Folders like those of the kernel's control groups, which let everything be written. */
function groupsOf(version: 1 | 2, path: string): string {
  const mount = temporaryFolder();
  const put = (folder: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  if (version === 2) {
    put(mount, { 'cgroup.controllers': 'cpu memory\n' });
    put(join(mount, path), { 'cgroup.procs': '', 'cgroup.subtree_control': 'cpu\n' });
  } else {
    put(join(mount, 'cpu', path), { 'cgroup.procs': '' });
    put(join(mount, 'memory', path), { 'cgroup.procs': '' });
  }
  return mount;
}

const BOTH = new Set(['cpu', 'memory'] as const);
const read = (folder: string | null, name: string): string => readFileSync(join(folder ?? '', name), 'utf8');

test('a group of version 2 has both limits and no swap', async () => {
  const mount = groupsOf(2, 'bench');
  const parents = groupParents('/bench', BOTH, mount, '0::/\n');
  expect(parents).toEqual({ version: 2, cpu: join(mount, 'bench'), memory: join(mount, 'bench') });
  const groups = groupsBelow(parents!, 'capbench-1-world-1', BOTH);
  await makeGroups(groups, { cpus: 0.5, memory: 512 }, 2, BOTH);
  expect(groups.cpu).toBe(groups.memory);
  expect(read(groups.cpu, 'cpu.max')).toBe('50000 100000');
  expect(read(groups.memory, 'memory.max')).toBe(String(512 * 2 ** 20));
  // The group above had only one of the controllers.
  expect(read(join(mount, 'bench'), 'cgroup.subtree_control')).toBe('+memory');
});

test('version 1 has a folder for each controller', async () => {
  const mount = groupsOf(1, 'bench');
  const parents = groupParents('/bench', BOTH, mount, '4:memory:/\n1:cpu,cpuacct:/\n');
  expect(parents).toMatchObject({ version: 1 });
  const groups = groupsBelow(parents!, 'capbench-1-redis', BOTH);
  await makeGroups(groups, { cpus: 1.5, memory: 64 }, 1, BOTH);
  expect(read(join(mount, 'cpu/bench/capbench-1-redis'), 'cpu.cfs_quota_us')).toBe('150000');
  expect(read(join(mount, 'cpu/bench/capbench-1-redis'), 'cpu.cfs_period_us')).toBe('100000');
  expect(read(join(mount, 'memory/bench/capbench-1-redis'), 'memory.limit_in_bytes')).toBe(
    String(64 * 2 ** 20),
  );
});

test('no group is made where none is named, or no limit needs one', () => {
  expect(groupParents(undefined, BOTH)).toBeNull();
  expect(groupParents('', BOTH)).toBeNull();
  expect(groupParents('/no-such-group', new Set())).toBeNull();
});

describe('a name that cannot be used is refused (93)', () => {
  const refusal = (run: () => unknown): unknown => {
    try {
      run();
      return null;
    } catch (error) {
      return error;
    }
  };

  test('no such group', () => {
    const mount = groupsOf(2, 'bench');
    expect(refusal(() => groupParents('/other', BOTH, mount, '0::/'))).toMatchObject({
      exitCode: 93,
      message: `CAPBENCH_CGROUP is /other, and ${join(mount, 'other')} is no control group`,
    });
  });

  test.each(['bench', '/../bench', '/bench/../../other', '..'])('no path of a group: %s', (named) => {
    expect(refusal(() => groupParents(named, BOTH, groupsOf(2, 'bench'), '0::/'))).toMatchObject({
      exitCode: 93,
      message: `CAPBENCH_CGROUP is ${named}, and that is no path of a control group`,
    });
  });

  test('one in which a limit of capbench itself would not hold', () => {
    for (const [version, file, text] of [
      [2, 'box/memory.max', '1073741824\n'],
      [1, 'memory/box/memory.limit_in_bytes', '1073741824\n'],
      [1, 'cpu/box/cpu.cfs_quota_us', '50000\n'],
    ] as const) {
      const mount = groupsOf(version, 'bench');
      for (const folder of ['box/inner', 'cpu/box/inner', 'memory/box/inner'])
        mkdirSync(join(mount, folder), { recursive: true });
      writeFileSync(join(mount, file), text);
      const own = version === 2 ? '0::/box/inner' : '4:memory:/box/inner\n1:cpu:/box/inner';
      expect(refusal(() => groupParents('/bench', BOTH, mount, own))).toMatchObject({
        exitCode: 93,
        message: expect.stringMatching(/limit of .*box, which holds for capbench, would not hold there$/),
      });
      // Below the limited group it would.
      mkdirSync(join(mount, 'box/inner'), { recursive: true });
      for (const folder of ['box/inner', 'cpu/box/inner', 'memory/box/inner'])
        writeFileSync(join(mount, folder, 'cgroup.procs'), '');
      expect(groupParents('/box/inner', BOTH, mount, own)).toMatchObject({ version });
    }
  });

  test('unlimited groups above capbench forbid nothing', () => {
    const mount = groupsOf(1, 'bench');
    mkdirSync(join(mount, 'memory/box'), { recursive: true });
    writeFileSync(join(mount, 'memory/box/memory.limit_in_bytes'), '9223372036854771712\n');
    expect(groupParents('/bench', BOTH, mount, '4:memory:/box\n1:cpu:/')).toMatchObject({ version: 1 });
  });
});

test('what the kernel counts is read in the words of both versions', () => {
  const cpu = temporaryFolder();
  const memory = temporaryFolder();
  expect(readGroups({ cpu: null, memory: null })).toEqual({
    ...{ periods: null, throttledPeriods: null, outOfMemoryKills: null },
  });
  writeFileSync(join(cpu, 'cpu.stat'), 'nr_periods 40\nnr_throttled 30\nthrottled_time 12\n');
  writeFileSync(join(memory, 'memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
  expect(readGroups({ cpu, memory })).toEqual({ periods: 40, throttledPeriods: 30, outOfMemoryKills: 2 });
  writeFileSync(join(memory, 'memory.events'), 'low 0\noom 3\noom_kill 1\n');
  expect(readGroups({ cpu: null, memory }).outOfMemoryKills).toBe(1);
});

test('a component that the kernel killed for its memory is said to be', async () => {
  const mount = groupsOf(1, 'bench');
  const guarded: string[] = [];
  const watchdog = { guardGroup: async (path: string) => void guarded.push(path), releaseGroup: () => {} };
  const spec = { name: 'world-1', limits: { memory: 64 } } as ComponentSpec;
  const applied = await applyLimits([spec], { CAPBENCH_CGROUP: '/bench' }, watchdog, null, mount);
  const { cpu, memory } = applied.groupsOf('world-1');
  expect(cpu).toBeNull();
  expect(guarded).toEqual([memory]);
  expect(existsSync(memory ?? '')).toBe(true);
  await applied.confine('world-1')(4711);
  expect(read(memory, 'cgroup.procs')).toBe('4711');
  const failure = { component: 'world-1', message: 'it ended', hint: 'see its log' };
  expect(applied.blame(failure)).toBe(failure);
  writeFileSync(join(memory ?? '', 'memory.oom_control'), 'oom_kill 1\n');
  expect(applied.blame(failure)).toEqual({
    component: 'world-1',
    message: 'it ended: the kernel killed a process of it at its limit of 64MB',
    hint: 'raise world.limits.memory in the scenario, or lower what it needs',
  });
  expect(applied.blame({ ...failure, component: 'redis' }).message).toBe('it ended');
});

test('CPUs are read as the kernel lists them, and written as taskset wants them', () => {
  expect(cpuNumbers('0-3,8\n')).toEqual([0, 1, 2, 3, 8]);
  expect(cpuNumbers('5')).toEqual([5]);
  expect(cpuNumbers('')).toEqual([]);
  expect(cpuMask([0])).toBe('0x1');
  expect(cpuMask([0, 5, 64])).toBe('0x10000000000000021');
});

describe('a group of the whole stack', () => {
  const SPECS = [
    { name: 'world-1', limits: { memory: 64 } },
    { name: 'relay', limits: null },
  ] as unknown as readonly ComponentSpec[];
  const open = async (version: 1 | 2) => {
    const mount = groupsOf(version, 'bench');
    const guarded: string[] = [];
    const watchdog = { guardGroup: async (path: string) => void guarded.push(path), releaseGroup: () => {} };
    const whole = { cpus: 1.5, memory: 256 };
    return {
      guarded,
      applied: await applyLimits(SPECS, { CAPBENCH_CGROUP: '/bench' }, watchdog, whole, mount),
    };
  };

  test.each([1, 2] as const)('has one within for each component (version %i)', async (version) => {
    const { guarded, applied } = await open(version);
    const { cpu, memory } = applied.groupsOf('stack');
    if (version === 2) {
      expect(cpu).toBe(memory);
      expect(read(cpu, 'cpu.max')).toBe('150000 100000');
      expect(read(memory, 'memory.max')).toBe(String(256 * 2 ** 20));
    } else {
      expect(read(cpu, 'cpu.cfs_quota_us')).toBe('150000');
      expect(read(memory, 'memory.limit_in_bytes')).toBe(String(256 * 2 ** 20));
    }
    const own = applied.groupsOf('world-1').memory ?? '';
    expect(dirname(own)).toBe(memory);
    expect(read(own, version === 2 ? 'memory.max' : 'memory.limit_in_bytes')).toBe(String(64 * 2 ** 20));
    // A component without limits of its own is in the groups of the stack, and has no figures.
    expect(applied.groupsOf('relay')).toEqual({ cpu: null, memory: null });
    await applied.confine('relay')(4712);
    const inside = guarded.filter((folder) => folder.endsWith('-relay'));
    expect(inside.map(dirname)).toEqual([...new Set([cpu, memory])]);
    for (const folder of inside) expect(read(folder, 'cgroup.procs')).toBe('4712');
    expect(new Set(guarded.map((folder) => folder.replace(/.*capbench-[0-9a-f]+-/, '')))).toEqual(
      new Set(['stack', 'world-1', 'relay']),
    );
  });

  test('has what was killed within it, which version 1 counts only there', async () => {
    const { applied } = await open(1);
    const { memory, within = [] } = applied.groupsOf('stack');
    const [ofServer = '', ofRelay = ''] = within;
    writeFileSync(join(memory ?? '', 'memory.oom_control'), 'oom_kill 0\n');
    writeFileSync(join(ofServer, 'memory.oom_control'), 'oom_kill 1\n');
    writeFileSync(join(ofRelay, 'memory.oom_control'), 'oom_kill 2\n');
    expect(readGroups(applied.groupsOf('stack')).outOfMemoryKills).toBe(3);
    const failure = { message: 'it ended', hint: '' };
    expect(applied.blame({ component: 'relay', ...failure })).toMatchObject({
      message: 'it ended: the kernel killed 2 processes of it at the limit of the stack of 256MB',
      hint: 'raise limits.stack.memory in the scenario, or lower what it needs',
    });
    expect(applied.blame({ component: 'world-1', ...failure })).toMatchObject({
      message:
        'it ended: the kernel killed a process of it at its limit of 64MB or the limit of the stack of 256MB',
    });
  });
});
