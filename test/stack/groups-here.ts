import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** Whether a group that limits CPUs may be made here at the root; only there, where no limit is lifted. */
export function mayLimitCpus(): boolean {
  const root = existsSync(join(MOUNT, 'cgroup.controllers')) ? MOUNT : join(MOUNT, 'cpu');
  const folder = join(root, `capbench-asks-${process.pid}`);
  try {
    mkdirSync(folder);
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
