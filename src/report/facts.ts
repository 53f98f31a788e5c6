import { asBox } from '../measurement/emulated-tier.ts';
import type { LimitFigures, ProcessFigures } from '../measurement/figures.ts';
import { cpusText } from '../scenario/component-limits.ts';
import { bytesText, NOTHING, numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import { calibrationText, engineText, timeText } from './report-text.ts';

/** Figures by their names, each with one or several values in words. */
export type Facts = Readonly<Record<string, readonly string[]>>;

/** The facts of a value; none where there is no value. */
const some = <T>(value: T | null | undefined, facts: (value: T) => Facts): Facts =>
  value === null || value === undefined ? {} : facts(value);

/** Those of which something is known. */
const known = (facts: Facts): Facts =>
  Object.fromEntries(
    Object.entries(facts).filter(([, values]) => !values.every((value) => value.includes(NOTHING))),
  );

/** The text of a value; none where there is no value. */
const text = <T>(value: T | null, of: (value: T) => string): readonly string[] =>
  value === null ? [] : [of(value)];

/** What the databases and the servers' writers did; empty where none was watched. */
export function databaseFacts({ database, redis, throughput, ceilings }: Report): Facts {
  const own = (name: string): number | null => {
    const figure = throughput[name];
    return typeof figure === 'number' ? figure : null;
  };
  return known({
    // Only servers that write in batches have these.
    ...some(throughput.batchesPerSecond, () => ({
      batches: [
        `${numberText(own('batchesPerSecond'))}/s`,
        `${numberText(own('operationsPerBatch'))} operations and ${numberText(own('rowsPerBatch'))} rows each`,
        `${quantity(own('flushedOnTimePercent'), '%')} flushed on time`,
      ],
      'row writes': [
        `${numberText(own('rowWritesPerSecond'))}/s`,
        `${numberText(own('coalescing'))} operations each`,
        `${quantity(database.hotUpdatePercent, '%')} HOT`,
      ],
    })),
    ...some(throughput.batchesPerSecond == null ? database.rowWritesPerSecond : null, (perSecond) => ({
      'row writes': [
        `${numberText(perSecond)}/s`,
        `${numberText(database.rowsInsertedPerSecond)} inserts`,
        `${numberText(database.rowsUpdatedPerSecond)} updates`,
        `${numberText(database.rowsDeletedPerSecond)} deletes`,
        ...text(database.hotUpdatePercent, (share) => `${quantity(share, '%')} HOT`),
      ],
    })),
    ...some(database.queryMs, (queryMs) => ({
      'flush round trip': (['p50', 'p95', 'p99'] as const).map(
        (stat) => `${stat} ${quantity(queryMs[stat], 'ms')}`,
      ),
    })),
    ...some(database.commitsPerSecond, (perSecond) => ({
      transactions: [
        `${numberText(perSecond)}/s`,
        `WAL ${bytesText(database.walBytesPerSecond, true)}`,
        `cache hits ${quantity(database.hitRatioPercent, '%')}`,
        `${numberText(database.connections.max)} connections`,
      ],
    })),
    ...some(redis.operationsPerSecond, (perSecond) => ({
      Redis: [
        `${numberText(perSecond)} commands/s`,
        `${bytesText(redis.usedMemoryBytes.max)}`,
        `${quantity(redis.cpuPercentOfCore.mean, '%')} of a core`,
        ...text(redis.hitRatioPercent, (share) => `cache hits ${quantity(share, '%')}`),
        ...text(redis.commandsPerRead, (commands) => `${numberText(commands)} commands for each read`),
        `${numberText(redis.evictedKeys)} evicted`,
        `${numberText(redis.connections.max)} connections`,
        ...text(redis.keys.max, (keys) => `${numberText(keys)} keys`),
      ],
    })),
    ...(Object.keys(redis.commands).length === 0
      ? {}
      : {
          'Redis commands': Object.entries(redis.commands).map(
            ([name, { callsPerSecond, microsPerCall }]) =>
              `${name} ${numberText(callsPerSecond)}/s at ${quantity(microsPerCall, 'us')}`,
          ),
        }),
    ...some(ceilings.updatesPerSecondBatched, (batched) => ({
      'ceilings, rows/s': [
        `insert ${numberText(ceilings.insertsPerSecond)}`,
        `update ${numberText(ceilings.updatesPerSecondSingle)}, batched ${numberText(batched)} (${quantity(ceilings.batchSpeedup, 'x')})`,
      ],
    })),
    ...some(ceilings.statement, (statement) => ({ 'batched statement': [statement] })),
  });
}

/** The machine, what used it, and how the generator did. */
export function hostFacts(report: Report): Facts {
  const { host, generator, world, database, target, stack, tier } = report;
  return known({
    host: [
      `${host.cpuModel}, ${host.cpus} cores`,
      `${bytesText(host.memoryBytes)}, at most ${quantity(host.memoryUsedPercent.max, '%')} used`,
    ],
    ...some(tier, (of) => ({ 'emulated tier': [of.id, asBox(of), 'a rented CPU may be slower or faster'] })),
    system: [`${host.platform} ${host.arch}`, `kernel ${host.kernel}`, `Node ${host.node}`],
    'host CPU': [
      `${quantity(host.cpuPercent.mean, '%')} of all cores`,
      ...text(database.cpuPercentOfHost.mean, (share) => `PostgreSQL ${quantity(share, '%')}`),
      `generator ${quantity(generator.cpuPercentOfHost, '%')}`,
      ...text(host.otherCpuPercent, (share) => `others ${quantity(share, '%')}`),
      `steal ${quantity(host.stealPercent, '%')}`,
    ],
    ...(stack.kind === 'target' ? { targets: [numberText(world.servers)] } : {}),
    ...Object.fromEntries(
      Object.entries(target.process).map(([name, figures]) => [`process ${name}`, processTexts(figures)]),
    ),
    ...limitFacts(report),
    'world servers': [
      `${world.servers}, the busiest ${quantity(world.cpuPercentOfCore.mean, '%')} of a core`,
      `${bytesText(world.memoryTotalBytes.max)} of memory in all`,
      `loop delay up to ${quantity(world.loopDelayMs.max, 'ms')}`,
    ],
    generator: [engineText(generator), `${numberText(generator.cpuCores)} cores`],
    'generator health': [
      `event loop blocked for at most ${quantity(generator.maxLoopDelayMs, 'ms')}`,
      `late ${quantity(generator.stalledPercent, '%')} of the time`,
      `${quantity(generator.maxUtilisationPercent, '%')} busy`,
    ],
    'schedule lag': [
      `p99 ${quantity(generator.lagP99Ms, 'ms')}`,
      `of the generator itself ${quantity(generator.ownLagP99Ms, 'ms')}`,
      `the servers held operations back by ${quantity(generator.pushbackMeanMs, 'ms')} on average`,
    ],
    'generator cost': [
      `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU for each answered operation`,
      `${bytesText(generator.memoryBytesPerPlayer)} of memory for each player`,
    ],
    'generator calibration': [calibrationText(generator.calibration)],
    noise: [
      `other processes used ${quantity(host.foreignCpuPercent, '%')} of the CPU`,
      `CPU quota used up in ${numberText(host.throttledPeriods)} periods`,
      `all processes waited for memory ${quantity(host.memoryPressurePercent, '%')} of the time`,
      `fixed piece of work changed by ${quantity(host.canaryDriftPercent, '%')}`,
      `wall clock moved by ${quantity(host.clockDriftMs, 'ms')}`,
    ],
  });
}

/** What a watched process of a target used, with its children. */
export const processTexts = (of: ProcessFigures): readonly string[] => [
  `CPU ${quantity(of.cpuPercentOfCore.mean, '%')} of a core (peak ${quantity(of.cpuPercentOfCore.max, '%')})`,
  ...text(of.busiestThreadPercent.mean, (share) => `busiest thread ${quantity(share, '%')}`),
  ...text(of.memoryBytes.max, (bytes) => `memory up to ${bytesText(bytes)}`),
  ...text(of.threads.max, (count) => `${numberText(count)} threads`),
  ...text(of.descriptors.max, (count) => `${numberText(count)} descriptors`),
  ...text((of.processes.max ?? 1) > 1 ? of.processes.max : null, (count) => `${numberText(count)} processes`),
];

/** What each component with limits used of them. */
export const limitFacts = ({
  limits = {},
  boxes = [],
}: Pick<Report, 'limits' | 'boxes'>): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(limits).map(([name, of]) => {
      const box = boxes.find((one) => one.name === name);
      return [
        `limits ${name}`,
        [
          ...(box === undefined ? [] : [boxText(box)]),
          ...limitTexts(of),
          ...text(box?.held ?? null, (how) => `held by: ${how}`),
        ],
      ];
    }),
  );

/** `holds 10 players in 1 CPU, 512MB: 55% of what is used most is left` */
const boxText = ({ limits, players, state, because }: NonNullable<Report['boxes']>[number]): string =>
  `${state === 'unknown' ? 'not known whether it holds' : state} ${numberText(players)} players in ${limits}: ${because}`;

const limitTexts = (of: LimitFigures): readonly string[] => [
  ...text(
    of.cpus,
    (cpus) =>
      `CPU ${quantity(of.cpuPercent.mean, '%')} of ${cpusText(cpus)} (peak ${quantity(of.cpuPercent.max, '%')})`,
  ),
  ...text(of.throttledPercent, (share) => `stopped by its quota in ${quantity(share, '%')} of the periods`),
  ...text(
    of.memoryBytes,
    (bytes) => `memory up to ${quantity(of.memoryPercent.max, '%')} of ${bytesText(bytes)}`,
  ),
  ...text(of.outOfMemoryKills || null, (kills) => `killed ${numberText(kills)} times at its limit of memory`),
];

/** What was run, and when. */
export const runFacts = (report: Report): Facts =>
  known({
    started: [timeText(report.startedAt)],
    'measure phase': [quantity(report.load.durationSeconds, 's')],
    ...some(report.load.prepareSeconds, (seconds) => ({ preparation: [quantity(seconds, 's')] })),
    scale: [numberText(report.load.scale)],
    seed: [String(report.seed)],
    scenario: [report.scenarioHash],
    schedule: [report.scheduleHash ?? '–'],
    commit: [report.commit ?? '–'],
    version: [`capbench ${report.capbench}`],
  });
