import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSmall } from '../supervision/proc.ts';

/** The conventional mount point; cgroup v1 names each hierarchy's folder after its controllers. */
const MOUNTS = '/sys/fs/cgroup';

/** Where a group of the CPU controller and all above it may be, from the text of /proc/<pid>/cgroup: hierarchy:controllers:path. */
function candidates(text: string, mounts: string): string[] {
  const folders: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    const [, controllers, path] = match ?? [];
    if (controllers === undefined || path === undefined) continue;
    // cgroup v2 names no controllers here; beside v1 it is mounted in the folder `unified`.
    const roots =
      controllers === ''
        ? [mounts, join(mounts, 'unified')]
        : controllers.split(',').includes('cpu')
          ? [...new Set([join(mounts, controllers), join(mounts, 'cpu')])]
          : [];
    for (const root of roots) {
      for (let at = path; ; at = dirname(at)) {
        folders.push(join(root, at));
        if (at === dirname(at)) break;
      }
    }
  }
  return folders;
}

const throttledIn = (text: string | null): number | null => {
  const periods = /^nr_throttled (\d+)$/m.exec(text ?? '')?.[1];
  return periods === undefined ? null : Number(periods);
};

/**
 * Reads in how many periods this process was throttled for exceeding a CPU quota: the sum over its cgroup and all
 * ancestors, since each may have a quota. Null where there is no quota to read. Inside a container the host's paths do
 * not exist; the container's cgroup is then the root.
 */
export function openThrottling(own = '/proc/self/cgroup', mounts = MOUNTS): () => number | null {
  const files = [
    // `cpu` is often a link to `cpu,cpuacct`; each file is read once.
    ...new Set(
      candidates(readSmall(own) ?? '', mounts)
        .map((folder) => join(folder, 'cpu.stat'))
        .filter((file) => throttledIn(readSmall(file)) !== null)
        .map((file) => realpathSync(file)),
    ),
  ];
  return () =>
    files.reduce<number | null>((sum, file) => {
      const periods = throttledIn(readSmall(file));
      return periods === null ? sum : (sum ?? 0) + periods;
    }, null);
}

/**
 * The CPUs that the quotas of this process's control group and of all above it allow, as a number of CPUs: the lowest
 * of them is what holds. Null where there is no quota.
 */
export function cpuQuota(own = '/proc/self/cgroup', mounts = MOUNTS): number | null {
  const quotas = candidates(readSmall(own) ?? '', mounts).flatMap((folder) => {
    const read = (name: string): string => readSmall(join(folder, name))?.trim() ?? '';
    // Version 2 has both numbers in one file; version 1 has a file for each.
    const text = read('cpu.max') || `${read('cpu.cfs_quota_us')} ${read('cpu.cfs_period_us')}`;
    const [, quota, period] = /^(\d+) (\d+)$/.exec(text) ?? [];
    return quota === undefined ? [] : [Number(quota) / Number(period)];
  });
  return quotas.length === 0 ? null : Math.min(...quotas);
}
