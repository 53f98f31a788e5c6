import { z } from 'zod';
import type { Figures, LimitFigures, ProcessFigures } from '../measurement/figures.ts';
import { sumOf } from '../measurement/readings.ts';
import { cpusText, WHOLE_STACK } from '../scenario/component-limits.ts';
import type { Conclusion } from './conclusion.ts';
import { generatorIsHealthy } from './rules/generator.ts';
import { type JudgedRule, observedAndLimit } from './rules/rule.ts';
import type { Ruling } from './ruling.ts';

const figure = z.number().nullable();
/** What limited the run, as the report has it. */
export const bottleneckSchema = z.object({
  resource: z.enum(['server', 'generator', 'database', 'host', 'none']),
  evidence: z.string(),
  resources: z
    .array(
      z.object({
        resource: z.enum(['server', 'generator', 'database', 'host']),
        utilisationPercent: figure,
        of: z.string().describe('What `utilisationPercent` is a share of.'),
        cpuPercentOfHost: figure,
        waitedPercent: figure.describe('Of the time, ready to run without a CPU.'),
        state: z.enum(['saturated', 'not saturated', 'unknown']),
      }),
    )
    .describe('How much of each was used.'),
});
export type Bottleneck = Readonly<z.infer<typeof bottleneckSchema>>;
type ResourceUse = Bottleneck['resources'][number];

const HOST_BUSY_PERCENT = 95;
/** Above this the host is the reason why the load was not sustained or answers were slow. */
const HOST_NEARLY_BUSY_PERCENT = 85;
const CORE_BUSY_PERCENT = 90;
/** A limit of CPUs is used up above this: nobody uses all of every millisecond. */
export const FULL_PERCENT = 90;
/** Who used more than this of a limit was not held to it, so that it limited nothing. */
const UNHELD_PERCENT = 110;
const WRITERS_BUSY_PERCENT = 90;
/** A generator that waited for a CPU for more of the time than this was slowed by other processes. */
const STARVED_PERCENT = 10;
/** The flush is the bottleneck when it takes more than this share of the time of an answer. */
const FLUSH_SHARE = 0.5;

/** Rules that find CPU or memory taken away by the host or by other processes. */
const HOST_RULES = ['foreign-cpu', 'steal-mean', 'steal-max', 'throttled', 'memory-pressure', 'cpu-pressure'];

/**
 * Which resource limited the run. All of them may share the cores, so a full host does not name one. The first that
 * applies:
 *
 * 1. a component, or the whole stack, used all of the CPUs that its limits let it have, so that nobody took them: the server, or
 *    the database where it stores, or used more of the stack;
 * 2. other processes or the hypervisor took CPU or memory: the host;
 * 3. the generator sent late although nothing kept it from sending: the generator, or the host if the generator waited
 *    for a CPU on a full host;
 * 4. one world server used its one core fully, or one thread of a watched process of the target did, or the writers always had a flush in flight: the server or the database;
 * 5. the host is full and the generator was on time: the server or the database, whichever used more CPU;
 * 6. the load was not sustained or answers were slow, and the host is nearly full: as 5;
 * 7. nothing is full, and answers were slow or the load was not sustained: the database if the flush is most of an
 *    answer, otherwise the server, which is slow without using CPU when it waits, sleeps or locks.
 *
 * 2 and 3 do not apply where a breach stands in spite of the disturbance. The first clause of the evidence is what
 * decided: a compact summary may show only that.
 */
export function bottleneckOf(
  figures: Figures,
  rules: readonly JudgedRule[],
  { rulings, breached }: Pick<Conclusion, 'rulings' | 'breached'>,
): Bottleneck {
  const resources = resourcesOf(figures, generatorIsHealthy(rules));
  const found =
    atItsLimit(figures) ??
    // A breach that no disturbance explains has another cause.
    (breached ? null : (tookTheMachine(figures, rules) ?? lateGenerator(figures, rules))) ??
    usedUp(figures) ??
    fullHost(figures, HOST_BUSY_PERCENT) ??
    (isSlow(rules, rulings) ? (fullHost(figures, HOST_NEARLY_BUSY_PERCENT) ?? slowAnswers(figures)) : null) ??
    ({ resource: 'none', evidence: 'no monitored resource was saturated' } as const);
  return { ...found, resources };
}

type Finding = Pick<Bottleneck, 'resource' | 'evidence'>;

const percent = (value: number | null): string =>
  value === null ? 'an unknown share' : `${value.toFixed(0)}%`;
const ms = (value: number | null): string =>
  value === null ? 'an unknown time' : `${Number(value.toPrecision(3))} ms`;

function tookTheMachine(figures: Figures, rules: readonly JudgedRule[]): Finding | null {
  // A rule without a reading is breached, and says nothing about what was taken.
  const broken = rules.filter(
    ({ id, state, observed }) => state === 'broken' && observed !== null && HOST_RULES.includes(id),
  );
  if (broken.length === 0) return null;
  const parts = broken.map((rule) => `${rule.id} ${observedAndLimit(rule)}`);
  return { resource: 'host', evidence: [sharesOf(figures), ...parts].join('; ') };
}

function lateGenerator(figures: Figures, rules: readonly JudgedRule[]): Finding | null {
  if (generatorIsHealthy(rules)) return null;
  const { generator, host } = figures;
  const facts = [
    ...(generator.ownLagP99Ms === null ? [] : [`schedule lag p99 ${ms(generator.ownLagP99Ms)}`]),
    `event loop ${percent(generator.maxUtilisationPercent)} busy, blocked for up to ${ms(generator.maxLoopDelayMs)}`,
    ...(generator.pushbackMeanMs === null
      ? []
      : [`it waited ${ms(generator.pushbackMeanMs)} on average for answers before it could send more`]),
    ...(generator.waitedPercent === null
      ? []
      : [`it waited for a CPU ${percent(generator.waitedPercent)} of the time`]),
  ];
  const starved = isFull(figures) && (generator.waitedPercent ?? 0) > STARVED_PERCENT;
  const shares = host.cpuPercent.mean === null ? [] : [sharesOf(figures)];
  return { resource: starved ? 'host' : 'generator', evidence: [facts.join(', '), ...shares].join('; ') };
}

/** The processes of a target that were watched, the busiest first. */
const processesOf = ({ target }: Figures): readonly (readonly [name: string, figures: ProcessFigures])[] =>
  Object.entries(target.process)
    .filter(([, { cpuPercentOfCore }]) => cpuPercentOfCore.mean !== null)
    .sort(([, a], [, b]) => (b.cpuPercentOfCore.mean ?? 0) - (a.cpuPercentOfCore.mean ?? 0));

/** `api` used 98% of a core, its busiest thread 97% */
const coreOf = ([name, { cpuPercentOfCore, busiestThreadPercent }]: readonly [
  string,
  ProcessFigures,
]): string =>
  `\`${name}\` used ${percent(cpuPercentOfCore.mean)} of a core${busiestThreadPercent.mean === null ? '' : `, its busiest thread ${percent(busiestThreadPercent.mean)}`}`;

/** Of one process, which has one thread: a server may have several. */
const busiestCore = ({ world }: Figures): number | null =>
  world.busiestProcessPercent.mean ?? world.cpuPercentOfCore.mean;

/** Components that store what servers write. */
const STORES: readonly string[] = ['postgres', 'redis'];

/** Of the whole stack, whichever used more of it. */
const resourceOf = (component: string, figures: Figures) =>
  component === WHOLE_STACK ? busierOf(figures) : STORES.includes(component) ? 'database' : 'server';

/** The servers or the database, whichever used more CPU. */
const busierOf = (figures: Figures) =>
  (serverShare(figures) ?? 0) >= (figures.database.cpuPercentOfHost.mean ?? 0) ? 'server' : 'database';

/** The components that used all of the CPUs that their limits let them have, the fullest first. */
const fullLimits = ({ limits = {} }: Figures): readonly (readonly [name: string, figures: LimitFigures])[] =>
  Object.entries(limits)
    .filter(
      ([
        ,
        {
          cpuPercent: { mean },
        },
      ]) => (mean ?? 0) > FULL_PERCENT && (mean ?? 0) <= UNHELD_PERCENT,
    )
    .sort(([, a], [, b]) => (b.cpuPercent.mean ?? 0) - (a.cpuPercent.mean ?? 0));

function atItsLimit(figures: Figures): Finding | null {
  const [most] = fullLimits(figures);
  if (most === undefined) return null;
  const [name, { cpus, cpuPercent, throttledPercent }] = most;
  const throttled =
    throttledPercent === null ? '' : `, and was stopped in ${percent(throttledPercent)} of the periods`;
  return {
    resource: resourceOf(name, figures),
    evidence: `${name === WHOLE_STACK ? 'the whole stack' : name}: at its limit of ${cpusText(cpus ?? 0)}, of which it used ${percent(cpuPercent.mean)}${throttled}${name === WHOLE_STACK ? `; ${sharesOf(figures)}` : ''}`,
  };
}

function usedUp(figures: Figures): Finding | null {
  const { world, database } = figures;
  const full = processesOf(figures).find(
    ([, { busiestThreadPercent }]) => (busiestThreadPercent.mean ?? 0) > CORE_BUSY_PERCENT,
  );
  if (full !== undefined) return { resource: 'server', evidence: coreOf(full) };
  const core = busiestCore(figures);
  if (core !== null && core > CORE_BUSY_PERCENT) {
    const busiest =
      world.busiestProcessPercent.mean === null
        ? 'the busiest world server'
        : 'the busiest process of the world servers';
    return {
      resource: 'server',
      evidence: `${busiest} used ${core.toFixed(0)}% of one core, and it has one thread`,
    };
  }
  const { writersBusyPercent = null, queryMs } = database;
  if (writersBusyPercent === null || writersBusyPercent <= WRITERS_BUSY_PERCENT) return null;
  return {
    resource: 'database',
    evidence: `the writers spent ${writersBusyPercent.toFixed(0)}% of the time in a flush, which took ${ms(queryMs?.p50 ?? null)}`,
  };
}

function fullHost(figures: Figures, from: number): Finding | null {
  if ((figures.host.cpuPercent.mean ?? 0) <= from) return null;
  const { generator, world, database } = figures;
  const server = serverShare(figures);
  const own = database.cpuPercentOfHost.mean;
  const waits = [
    ['world server', world.waitedPercent],
    ['PostgreSQL', database.waitedPercent],
  ] as const;
  const punctual =
    generator.ownLagP99Ms === null
      ? ''
      : `; the generator was on time, schedule lag p99 ${ms(generator.ownLagP99Ms)}`;
  return {
    resource: server === null && own === null ? 'host' : busierOf(figures),
    evidence: `host full: ${sharesOf(figures)}${waits
      .flatMap(([name, value]) => (value === null ? [] : [`; ${name} waited ${value.toFixed(0)}% for a CPU`]))
      .join('')}${punctual}`,
  };
}

/** The load was not sustained, or a latency or rate breached its budget. */
export const isSlow = (rules: readonly JudgedRule[], rulings: readonly Ruling[]): boolean =>
  rules.some(({ state, consequence }) => state === 'broken' && consequence === 'breached') ||
  rules.some(({ id, observed }) => id === 'run-completed' && observed === 'stoppedEarly') ||
  rulings.some(
    ({ state, budget }) =>
      state === 'breached' &&
      budget.state === 'measured' &&
      (['latency', 'throughput'].includes(budget.metric.section) ||
        budget.metric.figure === 'load.sentPercent'),
  );

function slowAnswers(figures: Figures): Finding {
  const { latency, database, generator, host, world } = figures;
  const [busiest] = processesOf(figures);
  const sent = Object.values(latency).filter(({ service: { count, unanswered } }) => count + unanswered > 0);
  // A percentile that lies among the unanswered ones has no value.
  const slowest = (stat: 'p50' | 'p95'): number =>
    Math.max(0, ...sent.map(({ service: of }) => of[stat] ?? Number.POSITIVE_INFINITY));
  const [service, worst] = [slowest('p50'), slowest('p95')];
  const flush = database.queryMs?.p50 ?? null;
  const slowFlush = flush !== null && service > 0 && flush / service > FLUSH_SHARE;
  return {
    resource: slowFlush ? 'database' : 'server',
    evidence: [
      sent.every(({ service: { count } }) => count === 0)
        ? 'nothing was answered'
        : service === Number.POSITIVE_INFINITY
          ? 'half of what was sent, or more, was not answered'
          : worst === Number.POSITIVE_INFINITY
            ? `5% of what was sent, or more, was not answered, p50 ${ms(service)} after sending`
            : `p95 of answers was ${ms(worst)} after sending, p50 ${ms(service)}`,
      ...(database.queryMs === undefined ? [] : [`a flush took ${ms(flush)}`]),
      `the schedule lag of the generator was p99 ${ms(generator.ownLagP99Ms)}`,
      `host CPU ${percent(host.cpuPercent.mean)}`,
      busiest === undefined
        ? `the busiest world server ${percent(world.cpuPercentOfCore.mean)} of a core`
        : coreOf(busiest),
    ].join(', '),
  };
}

const isFull = ({ host }: Figures): boolean =>
  host.cpuPercent.mean !== null && host.cpuPercent.mean > HOST_BUSY_PERCENT;

/** How much of the host's CPU each part of the run used. */
function sharesOf(figures: Figures): string {
  const { host, database, generator } = figures;
  const shares = [
    ['PostgreSQL', database.cpuPercentOfHost.mean],
    ...(figures.world.cpuPercentTotal.mean === null
      ? processesOf(figures).map(([name, of]) => [`\`${name}\``, of.cpuPercentOfHost.mean] as const)
      : [['world servers', serverShare(figures)] as const]),
    ['generator', generator.cpuPercentOfHost],
    ['others', host.otherCpuPercent],
  ] as const;
  const parts = shares.flatMap(([name, share]) => (share === null ? [] : [`${name} ${share.toFixed(0)}%`]));
  return [`all ${host.cpus} cores ${percent(host.cpuPercent.mean)} busy`, ...parts].join(', ');
}

/**
 * The world servers' part of the host's CPU: their total is in percent of as many cores as there are servers. Of a target
 * whose servers report none, that of its watched processes.
 */
function serverShare(figures: Figures): number | null {
  const { world, host } = figures;
  if (world.cpuPercentTotal.mean === null)
    return sumOf(processesOf(figures).map(([, { cpuPercentOfHost }]) => cpuPercentOfHost.mean));
  return host.cpus === 0 ? null : (world.cpuPercentTotal.mean * world.servers) / host.cpus;
}

function resourcesOf(figures: Figures, healthy: boolean): ResourceUse[] {
  const { world, generator, database, host } = figures;
  const over = (value: number | null, limit: number): ResourceUse['state'] =>
    value === null ? 'unknown' : value > limit ? 'saturated' : 'not saturated';
  const [full] = processesOf(figures)
    .map(([name, { busiestThreadPercent }]) => [name, busiestThreadPercent.mean] as const)
    .sort(([, a], [, b]) => (b ?? 0) - (a ?? 0));
  const core =
    full === undefined || world.cpuPercentOfCore.mean !== null
      ? { utilisationPercent: busiestCore(figures), of: 'one core, by the busiest world server' }
      : { utilisationPercent: full[1], of: `one core, by the busiest thread of \`${full[0]}\`` };
  /** A limit that is used up says more than what it is a share of. */
  const ofLimit = (resource: Bottleneck['resource']): Partial<ResourceUse> => {
    const [most] = fullLimits(figures).filter(([name]) => resourceOf(name, figures) === resource);
    if (most === undefined) return {};
    const [name, { cpus, cpuPercent }] = most;
    return {
      ...{ utilisationPercent: cpuPercent.mean, state: 'saturated' },
      of: `the ${cpusText(cpus ?? 0)} that ${name === WHOLE_STACK ? 'the whole stack' : name} may use`,
    };
  };
  return [
    {
      resource: 'server',
      ...core,
      cpuPercentOfHost: serverShare(figures),
      waitedPercent: world.waitedPercent,
      state: over(core.utilisationPercent, CORE_BUSY_PERCENT),
      ...ofLimit('server'),
    },
    {
      resource: 'generator',
      utilisationPercent: generator.maxUtilisationPercent,
      of: 'the event loop of the busiest worker',
      cpuPercentOfHost: generator.cpuPercentOfHost,
      waitedPercent: generator.waitedPercent,
      state: generator.maxUtilisationPercent === null ? 'unknown' : healthy ? 'not saturated' : 'saturated',
    },
    {
      resource: 'database',
      utilisationPercent: database.writersBusyPercent ?? null,
      of:
        database.writersBusyPercent === undefined
          ? 'its capacity, which is not known'
          : "the writers' time, with a flush in flight",
      cpuPercentOfHost: database.cpuPercentOfHost.mean,
      waitedPercent: database.waitedPercent,
      state: over(database.writersBusyPercent ?? null, WRITERS_BUSY_PERCENT),
      ...ofLimit('database'),
    },
    {
      resource: 'host',
      utilisationPercent: host.cpuPercent.mean,
      of: `${host.cpus} cores`,
      cpuPercentOfHost: host.otherCpuPercent,
      waitedPercent: host.cpuPressurePercent,
      state: over(host.cpuPercent.mean, HOST_BUSY_PERCENT),
    },
  ];
}
