import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { cpuQuota, openThrottling } from '../../src/probe/cgroup.ts';
import { temporaryFolder } from '../temporary-folder.ts';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

function put(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
const quota = (throttled: number): string => `nr_periods 100\nnr_throttled ${throttled}\nthrottled_time 5\n`;

test("version 2: reads the process's group and all groups above it, because any of them may have a quota", () => {
  const own = put('cgroup', '0::/user.slice/run.scope\n');
  put('sys/user.slice/run.scope/cpu.stat', `usage_usec 7\n${quota(3)}`);
  put('sys/user.slice/cpu.stat', quota(2));
  put('sys/cpu.stat', 'usage_usec 900\n');
  const throttled = openThrottling(own, join(folder, 'sys'));
  expect(throttled()).toBe(5);
  put('sys/user.slice/cpu.stat', quota(4));
  expect(throttled()).toBe(7);
});

test('version 1: reads only the cpu hierarchy, and each group once although it has two names', () => {
  const own = put('cgroup', '5:memory:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/box\n0::/box\n');
  put('sys/cpu,cpuacct/box/cpu.stat', quota(6));
  put('sys/cpu,cpuacct/cpu.stat', quota(0));
  put('sys/memory/box/cpu.stat', quota(100));
  symlinkSync('cpu,cpuacct', join(folder, 'sys', 'cpu'));
  expect(openThrottling(own, join(folder, 'sys'))()).toBe(6);
});

test("in a container the paths are those of the host, and the container's root is the process's own group", () => {
  const own = put('cgroup', '3:cpu:/docker/4711\n');
  put('sys/cpu/cpu.stat', quota(9));
  expect(openThrottling(own, join(folder, 'sys'))()).toBe(9);
});

test.each([
  { what: 'no group has a quota to tell of', text: '0::/\n', stat: 'usage_usec 7\n' },
  { what: 'the host has no control groups', text: '', stat: quota(1) },
])('unknown where $what', ({ text, stat }) => {
  const own = put('cgroup', text);
  put('sys/cpu.stat', stat);
  expect(openThrottling(own, join(folder, 'sys'))()).toBeNull();
  expect(openThrottling(join(folder, 'missing'), join(folder, 'sys'))()).toBeNull();
});

test("the quota is the lowest of the process's group and of all groups above it, in both versions", () => {
  const own = put('cgroup', '0::/user.slice/run.scope\n');
  expect(cpuQuota(own, join(folder, 'sys'))).toBeNull();
  put('sys/user.slice/run.scope/cpu.max', 'max 100000\n');
  expect(cpuQuota(own, join(folder, 'sys'))).toBeNull();
  put('sys/user.slice/cpu.max', '150000 100000\n');
  put('sys/user.slice/run.scope/cpu.max', '200000 100000\n');
  expect(cpuQuota(own, join(folder, 'sys'))).toBe(1.5);

  const older = put('cgroup-1', '4:cpu,cpuacct:/box\n');
  put('sys/cpu,cpuacct/cpu.cfs_quota_us', '-1\n');
  put('sys/cpu,cpuacct/cpu.cfs_period_us', '100000\n');
  put('sys/cpu,cpuacct/box/cpu.cfs_quota_us', '50000\n');
  put('sys/cpu,cpuacct/box/cpu.cfs_period_us', '100000\n');
  expect(cpuQuota(older, join(folder, 'sys'))).toBe(0.5);
});
