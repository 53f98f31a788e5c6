import { randomBytes } from 'node:crypto';
import { platform } from 'node:os';
import { messageOf, stackFailed } from '../errors.ts';
import { sectionOf } from '../scenario/component-limits.ts';
import { removeGroup } from '../supervision/cleanup.ts';
import { readSmall } from '../supervision/proc.ts';
import type { Confine } from '../supervision/process.ts';
import { findProgram, outputOf } from '../supervision/program.ts';
import type { StackFailure, Watchdog } from '../supervision/watchdog.ts';
import type { ComponentSpec } from './component-spec.ts';
import {
  type ComponentGroups,
  type Controller,
  enterGroups,
  foldersOf,
  groupParents,
  groupsBelow,
  makeGroups,
  NO_GROUPS,
  readGroups,
} from './control-groups.ts';
import { type LimitPlan, type LimitWays, limitSettings, planLimits } from './limit-plan.ts';
import type { AppliedSetting } from './stack.ts';

/** The limits of a stack's components, as this host holds them. */
export interface AppliedLimits {
  readonly settings: readonly AppliedSetting[];
  readonly plans: readonly LimitPlan[];
  /** What its processes have to pass before they run; nothing for a component without limits. */
  confine(component: string): Confine;
  groupsOf(component: string): ComponentGroups;
  /** The failure, or, where the kernel killed a process of the component for its memory, that. */
  blame(failure: StackFailure): StackFailure;
  /** Removes the groups, once their processes have ended. */
  remove(): Promise<void>;
}

const TASKSET_MS = 10_000;

/** `0-3,8` as numbers. */
export const cpuNumbers = (list: string): readonly number[] =>
  list.split(',').flatMap((part) => {
    const [, from, to = from] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    if (from === undefined) return [];
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
  });

/** A mask of CPUs in hexadecimal digits, as `taskset` reads it. */
export const cpuMask = (cpus: readonly number[]): string =>
  `0x${cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n).toString(16)}`;

const ownCpus = (): readonly number[] =>
  cpuNumbers(/^Cpus_allowed_list:\s*(.*)$/m.exec(readSmall('/proc/self/status') ?? '')?.[1] ?? '');

/** Which controllers the limits of a component need a group for. */
const needsOf = ({ cpus, memory }: LimitPlan): ReadonlySet<Controller> =>
  new Set([
    ...(cpus === 'quota' ? (['cpu'] as const) : []),
    ...(memory === 'group' ? (['memory'] as const) : []),
  ]);

/**
 * Plans how the limits of these components are held, and makes the control groups for it. Rejects with exit code 93; no group
 * is left then.
 * @param mount where control groups are mounted, if not where they are on every Linux
 */
export async function applyLimits(
  specs: readonly ComponentSpec[],
  env: Readonly<Record<string, string | undefined>>,
  watchdog: Pick<Watchdog, 'guardGroup' | 'releaseGroup'>,
  mount?: string,
): Promise<AppliedLimits> {
  const limited = specs.flatMap(({ name, limits }) => (limits == null ? [] : [{ name, limits }]));
  const taskset = limited.length === 0 ? null : await findProgram('taskset', env);
  const named = platform() === 'linux' ? env.CAPBENCH_CGROUP : undefined;
  const ways = (groups: LimitWays['groups']): LimitWays => ({ cpus: ownCpus(), taskset, groups });
  // What the groups are needed for follows from a plan with them; version 1 or 2 makes no difference to it.
  const needed = new Set(planLimits(limited, ways(2)).flatMap((plan) => [...needsOf(plan)]));
  const parents = groupParents(named, needed, mount);
  const waysHere = ways(parents?.version ?? null);
  const plans = planLimits(limited, waysHere);
  const id = randomBytes(6).toString('hex');
  const groups = new Map<string, ComponentGroups>();
  const remove = async (): Promise<void> => {
    for (const folder of [...groups.values()].flatMap(foldersOf)) {
      // If that fails, the watchdog tries again at the end.
      if (await removeGroup(folder)) watchdog.releaseGroup(folder);
    }
  };
  try {
    for (const plan of plans) {
      if (parents === null) break;
      const own = groupsBelow(parents, `capbench-${id}-${plan.name}`, needsOf(plan));
      groups.set(plan.name, own);
      for (const folder of foldersOf(own)) await watchdog.guardGroup(folder);
      await makeGroups(own, plan.limits, parents.version);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const planOf = (name: string): LimitPlan | undefined => plans.find((plan) => plan.name === name);
  const groupsOf = (name: string): ComponentGroups => groups.get(name) ?? NO_GROUPS;
  return {
    plans,
    settings: limitSettings(plans, waysHere),
    confine: (name) => async (pid) => {
      const cpus = planOf(name)?.cpus ?? null;
      try {
        if (typeof cpus === 'object' && cpus !== null && taskset !== null)
          await outputOf(taskset, ['-p', cpuMask(cpus.of), String(pid)], env, TASKSET_MS);
        await enterGroups(groupsOf(name), pid);
      } catch (error) {
        throw stackFailed(
          `the limits of ${name} cannot be applied: ${messageOf(error)}`,
          'correct its limits in the scenario, or CAPBENCH_CGROUP, or leave them out',
          error,
        );
      }
    },
    groupsOf,
    blame(failure) {
      const { component, message } = failure;
      const kills = readGroups(groupsOf(component)).outOfMemoryKills ?? 0;
      if (kills === 0) return failure;
      const [section, memory] = [sectionOf(component), planOf(component)?.limits.memory];
      return {
        component,
        message: `${message}: the kernel killed ${kills === 1 ? 'a process' : `${kills} processes`} of it at its limit of ${memory}MB`,
        hint: `raise ${section}.limits.memory in the scenario, or lower what it needs`,
      };
    },
    remove,
  };
}
