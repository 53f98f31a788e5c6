import { randomBytes } from 'node:crypto';
import { platform } from 'node:os';
import { messageOf, stackFailed } from '../errors.ts';
import { limitKeyOf, limitPath, WHOLE_STACK } from '../scenario/component-limits.ts';
import type { ComponentLimits } from '../scenario/limits.ts';
import { removeGroup } from '../supervision/cleanup.ts';
import { allowedCpus } from '../supervision/proc.ts';
import type { Confine } from '../supervision/process.ts';
import { findProgram, outputOf } from '../supervision/program.ts';
import type { StackFailure, Watchdog } from '../supervision/watchdog.ts';
import type { ComponentSpec } from './component-spec.ts';
import {
  type ComponentGroups,
  type Controller,
  enterGroups,
  foldersOf,
  type GroupParents,
  groupParents,
  groupsBelow,
  makeGroups,
  NO_GROUPS,
  parentsWithin,
  readGroups,
} from './control-groups.ts';
import { boundTo, type LimitPlan, type LimitWays, limitSettings, planLimits } from './limit-plan.ts';
import type { AppliedSetting, OtherCpus } from './stack.ts';

/** The limits of a stack's components, as this host holds them. */
export interface AppliedLimits {
  readonly settings: readonly AppliedSetting[];
  readonly plans: readonly LimitPlan[];
  /** What its processes have to pass before they run; nothing for a component without limits. */
  confine(component: string): Confine;
  /** The groups that hold the limits of a component, or of the whole stack. */
  groupsOf(name: string): ComponentGroups;
  /** Null where nothing is bound to CPUs, or everything is in use. */
  readonly otherCpus: OtherCpus | null;
  /** The failure, or, where the kernel killed a process of the component for its memory, that. */
  blame(failure: StackFailure): StackFailure;
  /** Removes the groups, once their processes have ended. */
  remove(): Promise<void>;
}

const TASKSET_MS = 10_000;

/** A mask of CPUs in hexadecimal digits, as `taskset` reads it. */
export const cpuMask = (cpus: readonly number[]): string =>
  `0x${cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n).toString(16)}`;

/** Which controllers the limits of a component need a group for. */
const needsOf = (plan: LimitPlan | undefined): ReadonlySet<Controller> =>
  new Set([
    ...(plan?.cpus === 'quota' ? (['cpu'] as const) : []),
    ...(plan?.memory === 'group' ? (['memory'] as const) : []),
  ]);

/** The limits of a component that groups hold. */
const heldByGroups = (plan: LimitPlan | undefined): ComponentLimits => {
  const needs = needsOf(plan);
  return {
    ...(needs.has('cpu') ? { cpus: plan?.limits.cpus } : {}),
    ...(needs.has('memory') ? { memory: plan?.limits.memory } : {}),
  };
};

/**
 * Plans how the limits of these components are held, and makes the control groups for it. Where a group holds a limit of the
 * whole stack, each component has one within it. Rejects with exit code 93; no group is left then.
 * @param whole the limits of all components together
 * @param mount where control groups are mounted, if not where they are on every Linux
 */
export async function applyLimits(
  specs: readonly ComponentSpec[],
  env: Readonly<Record<string, string | undefined>>,
  watchdog: Pick<Watchdog, 'guardGroup' | 'releaseGroup'>,
  whole: ComponentLimits | null = null,
  mount?: string,
): Promise<AppliedLimits> {
  const limited = specs.flatMap(({ name, limits }) => (limits == null ? [] : [{ name, limits }]));
  const isLimited = limited.length > 0 || whole !== null;
  const taskset = isLimited ? await findProgram('taskset', env) : null;
  const named = platform() === 'linux' ? env.CAPBENCH_CGROUP : undefined;
  const ways = (groups: LimitWays['groups']): LimitWays => ({ cpus: allowedCpus(), taskset, groups });
  // What the groups are needed for follows from a plan with them; version 1 or 2 makes no difference to it.
  const needed = new Set(planLimits(limited, ways(2), whole).flatMap((plan) => [...needsOf(plan)]));
  const parents = groupParents(named, needed, mount);
  const waysHere = ways(parents?.version ?? null);
  const plans = planLimits(limited, waysHere, whole);
  const planOf = (name: string): LimitPlan | undefined => plans.find((plan) => plan.name === name);
  const id = randomBytes(6).toString('hex');
  /** The groups that the processes of a component are put into, and before them those of the stack. */
  const groups = new Map<string, ComponentGroups>();
  const remove = async (): Promise<void> => {
    for (const folder of [...groups.values()].flatMap(foldersOf).reverse()) {
      // If that fails, the watchdog tries again at the end.
      if (await removeGroup(folder)) watchdog.releaseGroup(folder);
    }
  };
  const make = async (
    parent: GroupParents,
    name: string,
    needs: ReadonlySet<Controller>,
  ): Promise<ComponentGroups> => {
    const made = groupsBelow(parent, `capbench-${id}-${name}`, needs);
    groups.set(name, made);
    for (const folder of foldersOf(made)) await watchdog.guardGroup(folder);
    await makeGroups(made, heldByGroups(planOf(name)), parent.version, needed);
    return made;
  };
  try {
    if (parents !== null) {
      const ofStack = needsOf(planOf(WHOLE_STACK));
      const inside = parentsWithin(parents, await make(parents, WHOLE_STACK, ofStack));
      for (const { name } of specs) await make(inside, name, new Set([...ofStack, ...needsOf(planOf(name))]));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const bind = async (cpus: readonly number[], pid: number): Promise<void> => {
    if (taskset !== null) await outputOf(taskset, ['-p', cpuMask(cpus), String(pid)], env, TASKSET_MS);
  };
  const bound = new Set(plans.flatMap((plan) => boundTo(plan) ?? []));
  const others = waysHere.cpus.filter((cpu) => !bound.has(cpu));
  const entered = (name: string): ComponentGroups => groups.get(name) ?? NO_GROUPS;
  const groupsOf = (name: string): ComponentGroups => {
    const needs = needsOf(planOf(name));
    const { cpu, memory } = entered(name);
    const own = { cpu: needs.has('cpu') ? cpu : null, memory: needs.has('memory') ? memory : null };
    if (name !== WHOLE_STACK || own.memory === null) return own;
    return { ...own, within: specs.flatMap((spec) => entered(spec.name).memory ?? []) };
  };
  return {
    plans,
    settings: limitSettings(plans, waysHere),
    confine: (name) => async (pid) => {
      const cpus = boundTo(planOf(name)) ?? boundTo(planOf(WHOLE_STACK));
      try {
        if (cpus !== null) await bind(cpus, pid);
        await enterGroups(entered(name), pid);
      } catch (error) {
        throw stackFailed(
          `the limits of ${name} cannot be applied: ${messageOf(error)}`,
          'correct its limits in the scenario, or CAPBENCH_CGROUP, or leave them out',
          error,
        );
      }
    },
    groupsOf,
    otherCpus:
      bound.size === 0 || others.length === 0
        ? null
        : {
            cpus: others,
            besideBox: boundTo(planOf(WHOLE_STACK)) !== null,
            confine: (pid) => bind(others, pid),
          },
    blame(failure) {
      const { component, message } = failure;
      const kills = readGroups(entered(component)).outOfMemoryKills ?? 0;
      if (kills === 0) return failure;
      const reached = [component, WHOLE_STACK].flatMap((name) => {
        const memory = needsOf(planOf(name)).has('memory') ? planOf(name)?.limits.memory : undefined;
        return memory === undefined ? [] : [{ name, memory }];
      });
      const limits = reached.map(
        ({ name, memory }) =>
          `${name === WHOLE_STACK ? 'the limit of the stack' : 'its limit'} of ${memory}MB`,
      );
      const keys = reached.map(({ name }) => `${limitPath(limitKeyOf(name)).join('.')}.memory`);
      return {
        component,
        message: `${message}: the kernel killed ${kills === 1 ? 'a process' : `${kills} processes`} of it at ${limits.join(' or ')}`,
        hint: `raise ${keys.join(' or ')} in the scenario, or lower what it needs`,
      };
    },
    remove,
  };
}
