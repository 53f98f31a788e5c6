import { WHY } from '../unmeasured.ts';
import {
  type Consequence,
  type Evidence,
  type JudgedRule,
  type LimitName,
  limitOf,
  stateOf,
} from './rule.ts';

const NAMED = 3;
/** Without a reading, nothing is known to have been taken. */
const UNREAD = 'it was not read, or too seldom: let the run reach its end, and see its errors';

/** Whether something other than the run took CPU or memory from it. */
export function noiseRules({ m, s, figures }: Evidence): readonly JudgedRule[] {
  const { host } = figures;
  const one = (
    id: string,
    value: number | null,
    name: LimitName,
    advice: string,
    over: {
      readonly unless?: string | null;
      readonly consequence?: Consequence;
      readonly always?: boolean;
      /** How much more may follow from a disturbance that the scenario allows. */
      readonly follows?: number;
    } = {},
  ): JudgedRule => {
    const limit = limitOf(s.rules, name);
    const why =
      m.measured === null
        ? 'never measured'
        : (over.unless ?? (value === null && !(over.always === true && always) ? WHY.notReported : null));
    const size = value === null ? null : Math.abs(value);
    const held = size !== null && size <= limit.limit + (over.follows ?? 0);
    return {
      id,
      state: stateOf(why === null, held),
      observed:
        why ??
        (held && size > limit.limit
          ? `${size.toFixed(1)}, of which ${over.follows?.toFixed(1)} may follow from what is relaxed`
          : value),
      ...limit,
      advice: size === null ? UNREAD : advice,
      consequence: over.consequence ?? 'disturbed',
    };
  };
  // Linux always reports these: a missing value there means that it could not be read.
  const always = m.host.platform === 'linux';
  const allowed = relaxedShare(s, host);
  const isLeftOut = s.calibration.canary === false && m.canary === null;
  const isCutShort = m.canary?.afterMs == null && m.ending.state !== 'completed';
  const stolen =
    'the hypervisor gave the CPU to others: a machine with cores of its own, or another time of the day';
  return [
    one('steal-mean', host.stealPercent, 'stealMeanPercent', stolen, { always: true }),
    one('steal-max', host.stealMaxPercent, 'stealMaxPercent', stolen, { always: true }),
    one(
      'throttled',
      host.throttledPeriods,
      'throttledPeriods',
      'the control group of capbench used up its CPU quota and was stopped: raise the quota (cpu.max, --cpus), or lower --scale',
    ),
    one(
      'memory-pressure',
      host.memoryPressurePercent,
      'memoryPressurePercent',
      'everything waited for memory: less of it for the stack (world.heap, shared_buffers), or a machine with more',
    ),
    one(
      'cpu-pressure',
      host.cpuPressurePercent,
      'cpuPressurePercent',
      'the generator waited for a CPU: end what runs beside it, or give it more cores',
      {
        unless: m.colocated
          ? 'the servers share the host with the generator'
          : m.agents === undefined
            ? null
            : 'the generator is on other machines',
      },
    ),
    foreignCpu(
      one(
        'foreign-cpu',
        host.foreignCpuPercent,
        'foreignCpuPercent',
        'stop other processes, or use an idle machine',
        { always: m.stackKind === 'local' },
      ),
      m.foreign,
    ),
    {
      ...one(
        'canary',
        host.canaryDriftPercent,
        'canaryDriftPercent',
        'the same piece of work took another time before and after the run: the machine changed its pace (turbo, heat, neighbours); run again, with the clock of the CPU held',
        {
          unless: isLeftOut ? 'left out' : isCutShort ? 'not run a second time' : null,
          always: true,
          // Where a share x of a core is taken, the same work takes 1 / (1 - x) as long.
          follows: (100 * allowed) / (1 - allowed),
        },
      ),
      ...(isLeftOut ? { limit: 'left out', relaxed: true } : {}),
    },
    one(
      'clock',
      host.clockDriftMs,
      'clockDriftMs',
      'the wall clock was set while the run went on: durations are right, the times of day in the logs are not',
      { consequence: 'note' },
    ),
  ];
}

/** Share of the host, 0..1, that was taken beyond the default limit, and that the scenario allows to be taken. */
function relaxedShare(s: Evidence['s'], host: Evidence['figures']['host']): number {
  const taken = [
    [host.stealPercent, limitOf(s.rules, 'stealMeanPercent')],
    [host.foreignCpuPercent, limitOf(s.rules, 'foreignCpuPercent')],
  ] as const;
  const shares = taken.map(([value, { limit, defaultLimit, relaxed }]) =>
    value !== null && relaxed && value > Number(defaultLimit) && value <= limit ? value / 100 : 0,
  );
  return Math.min(
    0.5,
    shares.reduce((sum, share) => sum + share, 0),
  );
}

/** Names the processes that used most. */
function foreignCpu(rule: JudgedRule, foreign: Evidence['m']['foreign']): JudgedRule {
  if (rule.state !== 'broken' || typeof rule.observed !== 'number' || foreign.length === 0) return rule;
  const names = foreign
    .slice(0, NAMED)
    .map(({ name, pid, cpuSeconds }) => `${name} (pid ${pid}) ${cpuSeconds.toFixed(1)} s`);
  return {
    ...rule,
    figure: rule.observed,
    observed: `${rule.observed.toFixed(1)}% of the host, of them ${names.join(', ')}`,
  };
}
