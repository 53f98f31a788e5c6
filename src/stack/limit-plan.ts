import { cpusText, limitSetting, limitsText, WHOLE_STACK } from '../scenario/component-limits.ts';
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

/** The CPUs that processes are bound to, by number: as many as the limit, or the next whole number where `isMore`. */
interface Affinity {
  readonly by: 'affinity';
  readonly of: readonly number[];
  readonly isMore?: true;
}

/** How the limits of one component are held; null for what is not limited. `measured`: it is only compared. */
export interface LimitPlan extends Limited {
  readonly cpus: Affinity | 'quota' | 'measured' | null;
  readonly memory: 'group' | 'measured' | null;
}

/**
 * Chooses how the limits of every component are held. Whole CPUs are CPUs that it is bound to, as a machine of that size has
 * them: a quota would let it use all of the host's for a part of each period, and none for the rest. A share of a CPU is a
 * quota, and without a group the next whole number of CPUs. Each component gets the CPUs after those of the one before, among
 * those of the stack, so that two share one only where there are too few.
 *
 * @param stack the limits of all components together, whose plan is the first, and named `stack`
 */
export function planLimits(
  components: readonly Limited[],
  ways: LimitWays,
  stack: ComponentLimits | null = null,
): readonly LimitPlan[] {
  const planner = (among: readonly number[]) => {
    let next = 0;
    const cpusFor = (wanted: number): LimitPlan['cpus'] => {
      const isWhole = Number.isInteger(wanted);
      const length = Math.ceil(wanted);
      if ((isWhole || ways.groups === null) && ways.taskset !== null && length <= among.length) {
        const of = Array.from({ length }, (_, i) => among[(next + i) % among.length] ?? 0);
        next += length;
        return { by: 'affinity', of: of.sort((a, b) => a - b), ...(isWhole ? {} : { isMore: true }) };
      }
      return ways.groups === null ? 'measured' : 'quota';
    };
    return ({ name, limits }: Limited): LimitPlan => ({
      ...{ name, limits },
      cpus: limits.cpus === undefined ? null : cpusFor(limits.cpus),
      memory: limits.memory === undefined ? null : ways.groups === null ? 'measured' : 'group',
    });
  };
  const whole = stack === null ? [] : [planner(ways.cpus)({ name: WHOLE_STACK, limits: stack })];
  return [...whole, ...components.map(planner(boundTo(whole[0]) ?? ways.cpus))];
}

/** The CPUs that a plan binds processes to; null where it binds them to none. */
export const boundTo = (plan: LimitPlan | undefined): readonly number[] | null =>
  typeof plan?.cpus === 'object' ? (plan.cpus?.of ?? null) : null;

/** One setting for all servers of the world, since they have the same, and one for each other component with limits. */
export function limitSettings(plans: readonly LimitPlan[], ways: LimitWays): readonly AppliedSetting[] {
  const settings = new Map(plans.toReversed().map((plan) => [limitSetting(plan.name), plan]));
  return [...settings].reverse().map(([setting, { name, limits, cpus, memory }]) => {
    const group = `control group (version ${ways.groups})`;
    const held = [
      ...(cpus === null
        ? []
        : cpus === 'measured'
          ? ['CPUs measured against it']
          : cpus === 'quota'
            ? [`${cpusText(limits.cpus ?? 0)} by quota of a ${group}`]
            : [
                `${cpusText(cpus.of.length)} by affinity${cpus.isMore ? `, measured against ${cpusText(limits.cpus ?? 0)}` : ''}`,
              ]),
      ...(memory === null
        ? []
        : [memory === 'measured' ? 'memory measured against it' : `${limits.memory}MB by ${group}`]),
    ];
    const isShare = cpus === 'measured' || (typeof cpus === 'object' && cpus?.isMore === true);
    const isMeasured = isShare || memory === 'measured';
    const shared = cpus === null || name === WHOLE_STACK ? null : sharedCpus(plans, ways);
    const reasons = [
      ...(isMeasured ? [whyMeasured(isShare, limits, ways)] : []),
      ...(shared === null ? [] : [shared.why]),
    ];
    return {
      setting,
      documented: limitsText(limits),
      applied: held.join(', '),
      reason: reasons.length === 0 ? null : reasons.join('; '),
      hardware: shared?.ofHost === true,
    };
  });
}

/** Why components do not have all of the CPUs that their limits name at once; null where they have. */
function sharedCpus(plans: readonly LimitPlan[], { cpus }: LimitWays) {
  const stack = plans.find(({ name }) => name === WHOLE_STACK);
  const together = plans
    .filter((plan) => plan !== stack)
    .reduce((sum, plan) => sum + (boundTo(plan)?.length ?? plan.limits.cpus ?? 0), 0);
  const ofStack = stack?.limits.cpus ?? Number.POSITIVE_INFINITY;
  if (cpus.length === 0 || together <= Math.min(ofStack, cpus.length)) return null;
  const ofHost = ofStack >= cpus.length;
  return {
    ofHost,
    why: `all limits together take ${cpusText(Number(together.toFixed(2)))}, and ${ofHost ? `this host has ${cpus.length}` : `the stack may use ${ofStack}`}, which the components share`,
  };
}

const WITHOUT_GROUP =
  'capbench makes control groups only where CAPBENCH_CGROUP names the one to make them in';

function whyMeasured(ofCpus: boolean, { cpus = 0 }: ComponentLimits, { taskset }: LimitWays): string {
  if (!ofCpus || !Number.isInteger(cpus)) return WITHOUT_GROUP;
  return taskset === null ? `there is no taskset (util-linux) on PATH, and ${WITHOUT_GROUP}` : WITHOUT_GROUP;
}
