import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import type { ComponentLimits } from '../scenario/limits.ts';
import { readSmall } from '../supervision/proc.ts';

/*
 * Control groups of Linux, of version 2 or of version 1, which has a hierarchy of folders for each controller.
 */

export type Controller = 'cpu' | 'memory';

/** The groups below which capbench may make others: a folder for each controller, in version 2 the same. */
export interface GroupParents {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly memory: string;
}

/** The groups of a component that hold its limits: folders; null for what no group limits. */
export interface ComponentGroups {
  readonly cpu: string | null;
  readonly memory: string | null;
  /** Groups within that of `memory`, in which version 1 counts what it kills. */
  readonly within?: readonly string[];
}

export const NO_GROUPS: ComponentGroups = { cpu: null, memory: null };

const MOUNT = '/sys/fs/cgroup';
const VARIABLE = 'CAPBENCH_CGROUP';
/** Of a quota, in microseconds: what the kernel has by default. */
const PERIOD = 100_000;
/** Version 1 writes so large a number, or a larger one, where memory is not limited. */
const UNLIMITED = 2 ** 60;

/**
 * The groups that the user lets capbench make others in: `CAPBENCH_CGROUP`, a path as in /proc/self/cgroup. Groups belong to
 * the host and to who manages it, so none is made without that. Null where it is not set.
 *
 * @param controllers those that limits need
 * @throws CapbenchError (93) where it names no group, or one in which limits of capbench's own group would not hold
 */
export function groupParents(
  named: string | undefined,
  controllers: ReadonlySet<Controller>,
  mount = MOUNT,
  own = readSmall('/proc/self/cgroup') ?? '',
): GroupParents | null {
  if (named === undefined || named === '' || controllers.size === 0) return null;
  if (!named.startsWith('/') || named.split('/').includes('..')) {
    throw stackFailed(
      `${VARIABLE} is ${named}, and that is no path of a control group`,
      'name it as /proc/self/cgroup does, from the root: /bench',
    );
  }
  const version = existsSync(join(mount, 'cgroup.controllers')) ? 2 : 1;
  const rootOf = (controller: Controller): string => (version === 2 ? mount : join(mount, controller));
  for (const controller of controllers) {
    const root = rootOf(controller);
    const parent = join(root, named);
    if (!existsSync(join(parent, 'cgroup.procs'))) {
      throw stackFailed(
        `${VARIABLE} is ${named}, and ${parent} is no control group`,
        'make that group first, and let this user write to it; or unset the variable: limits are then applied without groups',
      );
    }
    const limiting = limitedAbove(join(root, ownPath(own, version, controller)), parent, version, controller);
    if (limiting !== null) {
      throw stackFailed(
        `${VARIABLE} is ${named}, and the ${controller} limit of ${limiting}, which holds for capbench, would not hold there`,
        'name a group below that one',
      );
    }
  }
  return { version, cpu: join(rootOf('cpu'), named), memory: join(rootOf('memory'), named) };
}

/** The path of a process's group in /proc/<pid>/cgroup: `hierarchy:controllers:path`. */
function ownPath(text: string, version: 1 | 2, controller: Controller): string {
  for (const line of text.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const isIt = version === 2 ? controllers === '' : controllers.split(',').includes(controller);
    if (path !== undefined && isIt) return path;
  }
  return '/';
}

/** A group at `own` or above it that is limited, and that `parent` is not in; null where there is none. */
function limitedAbove(own: string, parent: string, version: 1 | 2, controller: Controller): string | null {
  for (let at = own; !`${parent}/`.startsWith(`${at}/`) && at !== dirname(at); at = dirname(at))
    if (isLimited(at, version, controller)) return at;
  return null;
}

function isLimited(folder: string, version: 1 | 2, controller: Controller): boolean {
  const read = (name: string): string => readSmall(join(folder, name))?.trim() ?? '';
  if (version === 2) return /^\d/.test(read(`${controller}.max`));
  if (controller === 'cpu') return Number(read('cpu.cfs_quota_us')) > 0;
  const bytes = read('memory.limit_in_bytes');
  return bytes !== '' && Number(bytes) < UNLIMITED;
}

/** Where the groups of components are made that are within those of the whole stack. */
export function parentsWithin(parents: GroupParents, { cpu, memory }: ComponentGroups): GroupParents {
  const { version } = parents;
  // Version 2 has one folder for both.
  const [ofCpu, ofMemory] = version === 2 ? [cpu ?? memory, memory ?? cpu] : [cpu, memory];
  return { version, cpu: ofCpu ?? parents.cpu, memory: ofMemory ?? parents.memory };
}

/** The folders of a component's groups, before they are made. */
export const groupsBelow = (
  { cpu, memory }: GroupParents,
  name: string,
  needs: ReadonlySet<Controller>,
): ComponentGroups => ({
  cpu: needs.has('cpu') ? join(cpu, name) : null,
  memory: needs.has('memory') ? join(memory, name) : null,
});

/** In version 2 they may be one. */
export const foldersOf = ({ cpu, memory }: ComponentGroups): readonly string[] => [
  ...new Set([cpu, memory].filter((folder) => folder !== null)),
];

/**
 * Makes the groups and sets the limits that they hold. Rejects with exit code 93.
 * @param controllers those that groups within these need, too
 */
export async function makeGroups(
  groups: ComponentGroups,
  limits: ComponentLimits,
  version: 1 | 2,
  controllers: ReadonlySet<Controller>,
): Promise<void> {
  const { cpu, memory } = groups;
  const folders = foldersOf(groups);
  try {
    if (version === 2) {
      const wanted = [...controllers].map((one) => `+${one}`);
      for (const folder of folders) await delegate(dirname(folder), wanted);
    }
    for (const folder of folders) await mkdir(folder);
    if (cpu !== null && limits.cpus !== undefined)
      await limitCpus(cpu, Math.round(limits.cpus * PERIOD), version);
    if (memory !== null && limits.memory !== undefined)
      await limitMemory(memory, limits.memory * 2 ** 20, version);
  } catch (error) {
    throw stackFailed(
      `the control group ${folders.join(' and ')} cannot be made: ${messageOf(error)}`,
      `let this user write to the group that ${VARIABLE} names; in version 2 it must have the controllers cpu and memory, and no processes of its own`,
      error,
    );
  }
}

/** Lets the groups below have these controllers, unless they have. */
async function delegate(parent: string, wanted: readonly string[]): Promise<void> {
  const file = join(parent, 'cgroup.subtree_control');
  const present = (readSmall(file) ?? '').trim().split(' ');
  const missing = wanted.filter((one) => !present.includes(one.slice(1)));
  if (missing.length > 0) await writeFile(file, missing.join(' '));
}

async function limitCpus(folder: string, quota: number, version: 1 | 2): Promise<void> {
  if (version === 2) return writeFile(join(folder, 'cpu.max'), `${quota} ${PERIOD}`);
  await writeFile(join(folder, 'cpu.cfs_period_us'), String(PERIOD));
  await writeFile(join(folder, 'cpu.cfs_quota_us'), String(quota));
}

/** Without swap, which a machine of that size may not have. A kernel that does not count swap has no file for it. */
async function limitMemory(folder: string, bytes: number, version: 1 | 2): Promise<void> {
  const [limit, swap, most] =
    version === 2
      ? (['memory.max', 'memory.swap.max', '0'] as const)
      : (['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', String(bytes)] as const);
  // Older kernels do not count groups within a group of version 1 unless they are told to, before there is one.
  if (version === 1) await writeIfThere(join(folder, 'memory.use_hierarchy'), '1');
  await writeFile(join(folder, limit), String(bytes));
  await writeIfThere(join(folder, swap), most);
}

async function writeIfThere(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'r+' }).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

/** Puts a process, and what it starts from then on, into the groups. */
export async function enterGroups(groups: ComponentGroups, pid: number): Promise<void> {
  for (const folder of foldersOf(groups)) await writeFile(join(folder, 'cgroup.procs'), String(pid));
}

/** What the kernel has counted in a component's groups since they were made; null for what it does not count. */
export interface GroupCounts {
  /** Periods of the quota, and those in which it was used up. */
  readonly periods: number | null;
  readonly throttledPeriods: number | null;
  /** Processes that the kernel killed because the group had no memory left. */
  readonly outOfMemoryKills: number | null;
}

export function readGroups({ cpu, memory, within = [] }: ComponentGroups): GroupCounts {
  const count = (folder: string | null, file: string, name: string): number | null => {
    const text = folder === null ? null : readSmall(join(folder, file));
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
    return found === undefined ? null : Number(found);
  };
  const kills = (folder: string | null): number | null =>
    count(folder, 'memory.events', 'oom_kill') ?? count(folder, 'memory.oom_control', 'oom_kill');
  return {
    periods: count(cpu, 'cpu.stat', 'nr_periods'),
    throttledPeriods: count(cpu, 'cpu.stat', 'nr_throttled'),
    outOfMemoryKills: most(kills(memory), within.map(kills)),
  };
}

/** Version 2 counts a kill also in the groups around that of the process, version 1 only there. */
function most(own: number | null, within: readonly (number | null)[]): number | null {
  const sum = within.reduce<number>((all, one) => all + (one ?? 0), 0);
  return own === null ? null : Math.max(own, sum);
}
