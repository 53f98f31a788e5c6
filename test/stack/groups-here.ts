import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** Whether a group that limits CPUs may be made here at the root, where that changes nothing else. */
export function mayLimitCpus(): boolean {
  const isOfVersion2 = existsSync(join(MOUNT, 'cgroup.controllers'));
  const root = isOfVersion2 ? MOUNT : join(MOUNT, 'cpu');
  const folder = join(root, `capbench-asks-${process.pid}`);
  try {
    if (isOfVersion2 && !/\bcpu\b/.test(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')))
      return false;
    mkdirSync(folder);
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
