import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSmall } from '../supervision/proc.ts';

/** Where the hierarchies are mounted, by convention; version 1 names the folder after its controllers. */
const MOUNTS = '/sys/fs/cgroup';

/** `cpu.stat` of a group and of all above it, from the text of /proc/<pid>/cgroup: hierarchy:controllers:path. */
function candidates(text: string, mounts: string): string[] {
  const files: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    const [, controllers, path] = match ?? [];
    if (controllers === undefined || path === undefined) continue;
    // Version 2 has no names here; beside version 1 it is mounted in a folder of its own.
    const roots =
      controllers === ''
        ? [mounts, join(mounts, 'unified')]
        : controllers.split(',').includes('cpu')
          ? [...new Set([join(mounts, controllers), join(mounts, 'cpu')])]
          : [];
    for (const root of roots) {
      for (let at = path; ; at = dirname(at)) {
        files.push(join(root, at, 'cpu.stat'));
        if (at === dirname(at)) break;
      }
    }
  }
  return files;
}

const throttledIn = (text: string | null): number | null => {
  const periods = /^nr_throttled (\d+)$/m.exec(text ?? '')?.[1];
  return periods === undefined ? null : Number(periods);
};

/**
 * Reads in how many periods the control group of this process was out of its CPU quota, and so was stopped: the sum
 * over its own group and all above it, since a quota may sit on any of them and each stops it by itself. Null where
 * there is no quota to read of. Inside a container the paths of the host are not there; the root is then its own group.
 */
export function openThrottling(own = '/proc/self/cgroup', mounts = MOUNTS): () => number | null {
  const files = [
    // `cpu` is often a link to `cpu,cpuacct`: each file once.
    ...new Set(
      candidates(readSmall(own) ?? '', mounts)
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
