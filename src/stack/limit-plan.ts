import { cpusText, type LimitedSection, limitsText, sectionOf } from '../scenario/component-limits.ts';
import type { ComponentLimits } from '../scenario/limits.ts';
import type { AppliedSetting } from './stack.ts';

/** What this host lets capbench do to the processes that it starts. */
export interface LimitWays {
  /** The CPUs that capbench itself may use, by number; empty where they are not known. */
  readonly cpus: readonly number[];
  /** The path of `taskset`, which binds processes to CPUs; null without it. */
  readonly taskset: string | null;
  /** The version of the control groups that capbench may make; null: it may make none. */
  readonly groups: 1 | 2 | null;
}

/** A component with limits. */
interface Limited {
  readonly name: string;
  readonly limits: ComponentLimits;
}

/** How the limits of one component are held; null for what is not limited. `measured`: it is only compared. */
export interface LimitPlan extends Limited {
  readonly cpus: { readonly by: 'affinity'; readonly of: readonly number[] } | 'quota' | 'measured' | null;
  readonly memory: 'group' | 'measured' | null;
}

/**
 * Chooses how the limits of every component are held. Whole CPUs are CPUs that it is bound to, as a machine of that size has
 * them: a quota would let it use all of the host's for a part of each period, and none for the rest. A share of a CPU is a
 * quota. Each component gets the CPUs after those of the one before, so that two share one only where there are too few.
 */
export function planLimits(components: readonly Limited[], ways: LimitWays): readonly LimitPlan[] {
  let next = 0;
  const cpusFor = (wanted: number): LimitPlan['cpus'] => {
    const canBind = ways.taskset !== null && wanted <= ways.cpus.length;
    if (Number.isInteger(wanted) && canBind) {
      const of = Array.from({ length: wanted }, (_, i) => ways.cpus[(next + i) % ways.cpus.length] ?? 0);
      next += wanted;
      return { by: 'affinity', of: of.sort((a, b) => a - b) };
    }
    return ways.groups === null ? 'measured' : 'quota';
  };
  return components.map(({ name, limits }) => ({
    ...{ name, limits },
    cpus: limits.cpus === undefined ? null : cpusFor(limits.cpus),
    memory: limits.memory === undefined ? null : ways.groups === null ? 'measured' : 'group',
  }));
}

/** The name of the setting that says how the limits of a section are held: `worldLimits`. */
export const limitSetting = (section: LimitedSection): string => `${section}Limits`;

/** One setting for each section with limits, since the servers of the world all have the same. */
export function limitSettings(plans: readonly LimitPlan[], ways: LimitWays): readonly AppliedSetting[] {
  const sections = new Map(plans.toReversed().map((plan) => [sectionOf(plan.name), plan]));
  return [...sections].reverse().flatMap(([section, { limits, cpus, memory }]) => {
    if (section === null) return [];
    const group = `control group (version ${ways.groups})`;
    const held = [
      ...(cpus === null
        ? []
        : cpus === 'measured'
          ? ['CPUs measured against it']
          : [
              cpus === 'quota'
                ? `${cpusText(limits.cpus ?? 0)} by quota of a ${group}`
                : `${cpusText(limits.cpus ?? 0)} by affinity`,
            ]),
      ...(memory === null
        ? []
        : [memory === 'measured' ? 'memory measured against it' : `${limits.memory}MB by ${group}`]),
    ];
    const isMeasured = cpus === 'measured' || memory === 'measured';
    const shared = cpus === null ? null : sharedCpus(plans, ways);
    const reasons = [
      ...(isMeasured ? [whyMeasured(cpus === 'measured', limits, ways)] : []),
      ...(shared === null ? [] : [shared]),
    ];
    return {
      setting: limitSetting(section),
      documented: limitsText(limits),
      applied: held.join(', '),
      reason: reasons.length === 0 ? null : reasons.join('; '),
      hardware: shared !== null,
    };
  });
}

/** Why components do not have all of the CPUs that their limits name at once; null where they have. */
function sharedCpus(plans: readonly LimitPlan[], { cpus }: LimitWays): string | null {
  const together = plans.reduce((sum, { limits }) => sum + (limits.cpus ?? 0), 0);
  return cpus.length === 0 || together <= cpus.length
    ? null
    : `all limits together are ${cpusText(Number(together.toFixed(2)))}, and this host has ${cpus.length}, which the components share`;
}

const WITHOUT_GROUP =
  'capbench makes control groups only where CAPBENCH_CGROUP names the one to make them in';

function whyMeasured(ofCpus: boolean, { cpus = 0 }: ComponentLimits, { taskset }: LimitWays): string {
  if (!ofCpus || !Number.isInteger(cpus)) return WITHOUT_GROUP;
  return taskset === null ? `there is no taskset (util-linux) on PATH, and ${WITHOUT_GROUP}` : WITHOUT_GROUP;
}
