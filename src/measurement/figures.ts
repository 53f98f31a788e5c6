import { z } from 'zod';
import type { Metric } from '../scenario/budget.ts';
import type { LimitFigure } from '../scenario/limit-metric.ts';
import type { OperationSpec } from '../scenario/operations.ts';
import type { OUTAGE_FIGURES, OUTAGE_SHARES } from '../scenario/outage-metric.ts';
import type { PROCESS_FIGURES } from '../scenario/process-metric.ts';
import { FAULT_ACTIONS } from '../scenario/sections.ts';
import {
  figure,
  known,
  metricsIn,
  ofOperations,
  openPercentiles,
  percentiles,
  quantiles,
  type Read,
  slope,
  spread,
  text,
  unnamedPercentiles,
  words,
} from './figure-kinds.ts';
import type { SystemFigures } from './system-figures.ts';

/*
 * The body of report.json: the facts reduced to figures, over the measure phase unless stated otherwise. The types, the
 * JSON Schema and the metrics for budgets follow from this schema.
 */

const counts = z.object({
  scheduled: known('ops'),
  ok: known('ops'),
  rejected: known('ops'),
  failed: known('ops'),
  failedUnsent: known('ops', 'The part of `failed` that was never sent.'),
  timedOut: known('ops'),
  skipped: known('ops'),
  unfinished: known('ops'),
  idle: known('ops', 'Due while the player had nothing to do: in no share but `idlePercent`.'),
});

/**
 * Latencies in milliseconds. An operation without an answer (failed, timed out, skipped, unfinished) counts as slower
 * than every answered one: a percentile that falls among those is null and `unanswered` says how many there were.
 */
const latency = z.object({
  unit: z.literal('ms'),
  due: openPercentiles(
    'From the due time. A percentile that falls among unanswered operations is null.',
    known('ops'),
  ),
  ok: openPercentiles('The same of what was answered ok.'),
  rejected: percentiles('The same of what was rejected.'),
  // Rejections are often fast: a server must not meet a budget by rejecting operations.
  judged: unnamedPercentiles(
    'What budgets on `due` are held against: `due` where rejections are declared, else `ok` with every rejection counted as unanswered.',
  ),
  service: openPercentiles('From the moment of sending, of what was sent.'),
  lag: percentiles('From the due time to the moment of sending.'),
});

/** Of the load, of the whole measure phase or of a stage. */
const loadShares = {
  presence: spread('players', 'Players connected, over the seconds.'),
  sentPercent: ofOperations(figure('%')),
  errorPercent: ofOperations(figure('%')).describe('failed / (scheduled - idle): a part of the next.'),
  unansweredPercent: ofOperations(figure('%')).describe(
    '(failed + timedOut + unfinished) / (scheduled - idle).',
  ),
  rejectedPercent: ofOperations(figure('%')).describe('rejected / (scheduled - idle).'),
  idlePercent: ofOperations(figure('%')).describe('idle / scheduled.'),
  total: z
    .object({
      ...{ sentPercent: figure('%'), errorPercent: figure('%'), unansweredPercent: figure('%') },
      ...{ rejectedPercent: figure('%'), idlePercent: figure('%') },
    })
    .describe('The same shares of all operations together.'),
};

const operationsPerSecond = figure('ops/s', 'Acknowledged: ok + rejected.');

const load = z.object({
  requestedCcu: known('players'),
  peakCcu: known('players', 'The most at once: a peak, whatever became of them.'),
  scale: known('x'),
  colocated: z.boolean().describe('Generator and servers ran on one host.'),
  durationSeconds: figure('s'),
  prepareSeconds: figure('s', 'How long `prepare` of the player module took, before the players connected.'),
  operations: ofOperations(counts).describe('Due in the measure phase.'),
  wholeRun: ofOperations(counts).describe('Due in the whole run.'),
  ...loadShares,
});

/** Beside these there is `<plural>PerSecond` of each operation. */
const throughput = z.object({
  operationsPerSecond,
  operationsPerServerPerSecond: spread('ops/s'),
  serverSharePercent: spread('%', 'Of the operations: the server that did least, and the one that did most.'),
});

const world = z.object({
  servers: known('servers'),
  cpuPercentOfCore: spread('%', 'Of the busiest server, with its child processes; 100 is one core.'),
  cpuCores: spread('cores', 'Of the same server.'),
  busiestProcessPercent: spread(
    '%',
    'Of a core: in each second the busiest process of the servers that have child processes.',
  ),
  cpuPercentTotal: spread('%', 'All servers, of as many cores as there are servers.'),
  memoryBytes: spread(
    'bytes',
    'Of the largest server. With child processes: the private memory of all, plus the largest shared part once.',
  ),
  memoryTotalBytes: spread('bytes'),
  processes: spread('processes', 'All servers that have child processes, and these.'),
  connections: spread('connections'),
  connectionsPerServer: spread('connections', 'Of the server with most.'),
  loopDelayMs: spread('ms'),
  waitedPercent: figure(
    '%',
    'Of the time, ready to run without a CPU; of a server with child processes the sum over all.',
  ),
});

const database = z.object({
  connections: spread('connections'),
  hitRatioPercent: figure('%'),
  statementMeanMs: figure('ms', 'Inside PostgreSQL.'),
  statementsPerSecond: figure('statements/s'),
  commitsPerSecond: figure('transactions/s'),
  rowsUpdatedPerSecond: figure('rows/s'),
  rowsInsertedPerSecond: figure('rows/s'),
  rowsDeletedPerSecond: figure('rows/s'),
  rowWritesPerSecond: figure('rows/s', 'The three together, as PostgreSQL counts them.'),
  hotUpdatePercent: figure('%'),
  walBytesPerSecond: figure('bytes/s'),
  workingSetBytes: spread('bytes'),
  cpuPercentOfHost: spread('%'),
  cpuCores: spread('cores'),
  memoryBytes: spread('bytes', 'Of all its processes: private memory, and the shared part once.'),
  waitedPercent: figure(
    '%',
    'Seconds in which its processes were ready to run without a CPU, of the time; 200 when two waited all the time.',
  ),
  memoryPercentOfHost: spread('%'),
});

const number = z.number().nullable();
const redis = z
  .object({
    operationsPerSecond: figure('ops/s'),
    commandsPerRead: figure('x', 'Commands for each read of a socket: above 1 where they are pipelined.'),
    usedMemoryBytes: spread('bytes', 'As Redis counts it, which maxmemory limits.'),
    memoryBytes: spread('bytes', 'Of its process, as the system counts it.'),
    connections: spread('connections'),
    cpuPercentOfCore: spread('%'),
    cpuCores: spread('cores'),
    evictedKeys: figure('keys'),
    expiredKeys: figure('keys'),
    hitRatioPercent: figure('%'),
    rejectedConnections: figure('connections'),
    errorReplies: figure('errors'),
    networkBytesPerSecond: figure('bytes/s'),
    keys: spread('keys', 'Of all its databases.'),
    commands: z
      .record(
        text,
        z.object({
          callsPerSecond: number,
          microsPerCall: number.describe('Of CPU, inside Redis.'),
        }),
      )
      .describe('The five that were called most, but for INFO, which capbench itself sends.'),
  })
  .describe('Of the Redis of the stack or of a target, by its INFO.');

/** A target's metric in its own unit, over all pages and all samples that its selector matches. */
const metricFigures = z.object({
  ...{ mean: number, min: number, max: number, last: number.describe('Of a gauge, as are those before.') },
  ...{ rate: number.describe('Of a counter: its growth a second.'), increase: number },
  ...{ p50: number.describe('Of a histogram, by linear interpolation inside a bucket.'), p90: number },
  ...{ p95: number, p99: number, count: number },
  largestBound: number.describe('Of a histogram: a percentile that reached it may be anything above.'),
});

/** Over the seconds of the measure phase, under a name that only the run knows (scenario/process-metric.ts). */
const overSeconds = (description: string) =>
  z.object({ mean: number, min: number, max: number }).describe(description);
const processFigures: z.ZodObject<Record<keyof typeof PROCESS_FIGURES, ReturnType<typeof overSeconds>>> =
  z.object({
    cpuPercentOfCore: overSeconds('Of it and its children; 100 is one core.'),
    cpuPercentOfHost: overSeconds('The same, of all cores.'),
    busiestThreadPercent: overSeconds('Of a core: in each second of the thread that used most in it.'),
    memoryBytes: overSeconds('Resident: the private memory of all, and the largest shared part once.'),
    threads: overSeconds('Of all its processes.'),
    descriptors: overSeconds('Open files and sockets of all its processes.'),
    processes: overSeconds('It and its children.'),
  });

/** Its figures have units in scenario/limit-metric.ts. */
const limit: z.ZodObject<
  Record<Extract<LimitFigure, 'cpuPercent' | 'memoryPercent'>, ReturnType<typeof overSeconds>> &
    Record<Exclude<LimitFigure, 'cpuPercent' | 'memoryPercent'> | 'cpus' | 'memoryBytes', typeof number>
> = z.object({
  cpus: number.describe('The limit; null: none.'),
  memoryBytes: number.describe('The limit; null: none.'),
  cpuPercent: overSeconds('CPU of the component and its children, of the limit.'),
  memoryPercent: overSeconds('Their private memory, and the shared memory once, of the limit.'),
  throttledPercent: number.describe('Periods in which a quota was used up; null without a quota.'),
  outOfMemoryKills: number.describe('By the kernel, at the limit; null where no control group holds it.'),
});

const network = z.object({
  bytesPerPlayerSecondIn: figure('bytes/s'),
  bytesPerPlayerSecondOut: figure('bytes/s'),
  bytesPerSecond: figure('bytes/s'),
  bytesPerServerSecond: figure('bytes/s', 'The same for each server, on average.'),
  kernel: z
    .object({
      bytesPerPlayerSecondIn: figure('bytes/s', 'Payload of TCP: with TLS, encrypted.'),
      bytesPerPlayerSecondOut: figure('bytes/s'),
      disagreePercentIn: figure('%', 'Between the load and the kernel, of the same connections and time.'),
      disagreePercentOut: figure('%'),
      seenPercent: figure('%', 'Of the bytes that the load counted: what the kernel could still tell of.'),
    })
    .describe(
      'What the kernel counted of the connections of players, until the last reading before each closes.',
    ),
  connections: spread('connections', 'Of players to their servers.'),
  handshakes: figure('connections', 'Connections that players opened in the measure phase.'),
  connectMs: percentiles(),
  loginMs: percentiles('The part of `connectMs` until the player was logged in, where that is reported.'),
  socketMs: percentiles('The rest of `connectMs`, of the same players.'),
  connectsPerSecond: figure('connections/s', 'From the first connection to READY.'),
  disconnects: known('connections'),
  reconnects: known('connections'),
  reconnectMs: percentiles('From the end of a connection to the welcome of the next one.'),
});

const delivery = z
  .object({
    expected: known('deliveries', 'Pairs of something sent and a player who had to hear of it.'),
    delivered: known('deliveries', 'Heard within the timeout.'),
    lost: known('deliveries', 'Not heard within it, by a player who was connected all the while.'),
    excused: known(
      'deliveries',
      'Not heard within it, by a player who was not connected at some time of it.',
    ),
    lostPercent: figure('%', 'lost / (delivered + lost).'),
    duplicated: known('deliveries', 'Heard again.'),
    late: known('deliveries', 'The part of what was lost or excused that was heard afterwards.'),
    unexpected: known('deliveries', 'Heard, and expected by nobody.'),
    untracked: known('deliveries', 'Not followed: too many at once, or expected twice.'),
    latencyMs: openPercentiles(
      'From the due time of the sender’s operation until a player heard. A percentile that falls among lost ones is null.',
      known('deliveries'),
    ),
  })
  .describe(
    'What players were to hear of each other, of the measure phase; absent where a module expects nothing.',
  );

/** A figure that a player module measures itself, in its own unit. */
const playerFigures = z
  .record(
    text,
    z.object({
      unit: text.nullable().describe('Null: a counter.'),
      ...{
        p50: number.describe('With a unit, as are those to `min`.'),
        p90: number,
        p95: number,
        p99: number,
      },
      ...{ max: number, mean: number, min: number },
      count: z.number().describe('How often it was measured.'),
      total: number.describe('Without a unit: the sum of the values.'),
      perSecond: number,
    }),
  )
  .describe(
    'What a player module measured itself in the measure phase, by name; absent where it is nothing.',
  );

const integrity = z.object({
  sent: figure('ops'),
  acked: figure('ops'),
  applied: figure('ops'),
  lost: figure('ops'),
  phantom: figure('ops'),
  duplicated: figure('ops'),
  holes: figure('ops'),
  saved: figure('ops', 'Reported as saved, of those acknowledged: the second level of acknowledgement.'),
  lostInWindow: figure('ops', 'Acknowledged and not saved, and lost by an outage within the stated window.'),
  windows: z
    .array(
      z.object({
        of: text,
        withinSeconds: number.describe('Acknowledged this long before the outage; null: at any time.'),
      }),
    )
    .describe('What outages may cost, as the system states it.')
    .optional(),
  rowWritesServers: figure('rows'),
  rowWritesPostgres: figure('rows'),
  rowWritesDisagreePercent: figure('%', 'Of what PostgreSQL counted.'),
});

const ceilings = z.object({
  insertsPerSecond: figure('rows/s'),
  updatesPerSecondSingle: figure('rows/s'),
  updatesPerSecondBatched: figure('rows/s'),
  batchSpeedup: figure('x', 'Batched over one by one.'),
  statement: words().nullable(),
});

/** The figures of what was due in the stage, at the paths of the whole run's. */
const stage = z
  .object({
    name: text,
    from: z.number(),
    to: z.number(),
    rateBefore: z.number().describe('Times the rates of the load, of the stage before.'),
    rate: z.number().describe('Times the rates of the load.'),
    playersBefore: z.number().describe('Players that were meant to be connected, in the stage before.'),
    players: z.number().describe('Players that were meant to be connected.'),
    ramped: z.boolean().describe('It took a while to get from the one to the other.'),
    load: load.pick({ durationSeconds: true, operations: true }).extend(loadShares),
    latency: ofOperations(latency),
    throughput: z.object({ operationsPerSecond }),
    backlog: number.describe('Operations that were due and not settled when the stage ended.'),
    world: world
      .pick({ cpuPercentOfCore: true, memoryBytes: true })
      .describe('From the time at which the stage has its rate and its players.'),
    network: z.object({
      bytesPerPlayerSecondIn: figure('bytes/s', 'From the same time on, as the next two.'),
      bytesPerPlayerSecondOut: figure('bytes/s'),
      bytesPerSecond: figure('bytes/s'),
      connectMs: percentiles('Of those who came back: TCP, upgrade and welcome.'),
      reconnectMs: percentiles('Of the same, from the end of the connection or of the time away.'),
      disconnects: known('connections'),
      reconnects: known('connections'),
      cut: known('players', 'Players cut off when the stage began.'),
      fullStrengthMs: figure('ms', 'From then until as many were connected as before.'),
      left: known('players'),
      joined: known('players'),
    }),
  })
  .describe('The figures of what was due in the stage, at the paths of the whole run’s.');

/** Times in seconds; `from` after GO. Counts of all operations together, until the next fault or the end. */
const fault = z.object({
  id: text,
  action: z.enum(FAULT_ACTIONS),
  of: text,
  from: z.number(),
  downSeconds: number.describe(
    'Until the component answered again: of a restart from the end of its process; of a process that is not started again to the last second of the load, and null where the load recovered.',
  ),
  recoverySeconds: number.describe(
    'From where `downSeconds` begins until everybody was connected, operations were answered and the backlog was what it had been; null when that was not seen before the next fault.',
  ),
  backlogPeak: number.describe('Operations that were due and had not found their end.'),
  backlogBefore: number,
  failed: number,
  timedOut: number,
  skipped: number,
  disconnects: number,
  reconnects: number,
  dropped: number.describe('Sockets that were cut.'),
  lost: number.describe('Acknowledged, and not in the rows once the component was back.'),
  phantom: number,
  duplicated: number,
  holes: number.describe('Entities whose numbers do not add up.'),
  lostInWindow: number
    .optional()
    .describe('Acknowledged and lost within the stated window; absent where no loss is stated.'),
  forced: z
    .literal(true)
    .optional()
    .describe('Of a restart: the component did not end when it was asked to, and was killed.'),
  forGood: z.literal(true).optional().describe('Of a kill: capbench does not start the process again.'),
  error: text.nullable(),
});

const outageShares: Record<(typeof OUTAGE_SHARES)[number], typeof number> = {
  okPercent: number.describe('Of what was due while it was down: answered ok meanwhile.'),
  answeredPercent: number.describe('Of the same: answered meanwhile, ok or with a rejection.'),
  failedPercent: number.describe('Of the same: failed, timed out or skipped meanwhile.'),
};
/** Its figures have units in scenario/outage-metric.ts. */
const outage: z.ZodObject<
  Record<Exclude<keyof typeof OUTAGE_FIGURES, 'count'>, typeof number> & {
    readonly count: z.ZodNumber;
    readonly notBack: z.ZodNumber;
    readonly notRecovered: z.ZodNumber;
    readonly operations: z.ZodRecord<z.ZodString, z.ZodObject<typeof outageShares>>;
  }
> = z.object({
  count: z.number().describe('How many there were.'),
  notBack: z.number().describe('Those after which the component never answered again.'),
  notRecovered: z
    .number()
    .describe('Those after which the load was not seen to recover before the next fault, or the end.'),
  downSecondsMax: number.describe('Of the longest; null where one of them has none.'),
  recoverySecondsMax: number.describe('Of the slowest recovery; null where one of them has none.'),
  ...outageShares,
  operations: z.record(text, z.object(outageShares)),
  disconnects: number.describe('Connections of players that ended, until the next fault or the end.'),
  lost: number.describe('Acknowledged, and first seen to be missing once the component was back.'),
  lostInWindow: number.describe(
    'The same within the stated window, which is no loss; null where none is stated.',
  ),
  phantom: number,
  duplicated: number,
});

const perPlayer = z
  .object({
    memoryBytes: slope('bytes', 'Of all servers, or of the processes of a target that were named.'),
    cpuPercentOfCore: slope('%', 'Of the same; 100 is one core.'),
    bytesPerSecond: slope('bytes/s', 'Of the players’ connections, both directions.'),
  })
  .describe(
    'What one player more costs: least squares over the means of the stages, from the time at which each has its players. At least three different numbers of players, else null.',
  );

const generator = z.object({
  engine: words(),
  workers: known('processes'),
  cpuCores: figure('cores', 'Wherever its processes ran.'),
  cpuPercentOfHost: figure('%', 'Of its processes on this host.'),
  maxLoopDelayMs: figure('ms'),
  maxUtilisationPercent: figure('%', 'Of the busiest worker.'),
  lagP99Ms: figure('ms'),
  ownLagP99Ms: figure('ms', 'The part of the lag that the generator itself caused.'),
  pushbackMeanMs: figure('ms', 'The mean of the rest: the server had not answered what went before.'),
  stalledPercent: figure('%', 'Of the time in which the event loop was late by more than 10 ms a turn.'),
  waitedPercent: figure('%', 'Of the time, ready to run without a CPU.'),
  memoryBytesPerPlayer: figure('bytes'),
  cpuMicrosPerOperation: figure('us', 'CPU of the generator for each answered operation.'),
  clockMs: known('ms', 'What the clock of the engine can tell apart.'),
  agents: z
    .array(
      z.object({
        address: text,
        workers: z.number(),
        onThisHost: z.boolean().describe('It uses the CPU of the machine that ran the scenario.'),
        clockOffsetMs: z.number().describe('Its monotonic clock minus that of this host, before GO.'),
        clockUncertaintyMs: z
          .number()
          .describe('Half of the shortest round trip, before or after the run, and the drift.'),
        driftMs: number.describe('Of the offset over the run; null where it was not read again.'),
        roundTripMs: z.number().describe('The longer of the two shortest round trips.'),
      }),
    )
    .optional()
    .describe('Where the load processes ran; absent where that was this host.'),
  calibration: z
    .object({
      of: text.nullable().describe('What was calibrated, where that is not all that makes the load.'),
      seconds: figure('s'),
      targetPerSecond: figure('ops/s'),
      ratePerSecond: figure('ops/s'),
      answeredPercent: figure('%'),
      utilisationPercent: figure('%'),
      ownLagP99Ms: figure('ms'),
      dueP99Ms: figure('ms'),
    })
    .describe('Against servers that do nothing, before the run.'),
});

const host = z.object({
  cpuModel: words(),
  cpus: known('cores'),
  memoryBytes: known('bytes'),
  kernel: words(),
  platform: words(),
  arch: words(),
  node: words(),
  nodeMajor: known('version'),
  cpuPercent: spread('%'),
  otherCpuPercent: figure('%', 'Everything that is not PostgreSQL, world server or generator.'),
  stealPercent: figure('%'),
  stealMaxPercent: figure('%', 'Of the worst second.'),
  foreignCpuPercent: figure('%', 'Used by processes that are not of the run.'),
  throttledPeriods: figure('periods', 'Of the control group of capbench.'),
  memoryPressurePercent: figure('%', 'PSI memory, full.'),
  cpuPressurePercent: figure('%', 'PSI cpu, some.'),
  canaryDriftPercent: figure('%', 'The same piece of work after the run against before, either way.'),
  clockDriftMs: known('ms', 'Wall clock minus monotonic clock over the run.'),
  memoryUsedPercent: spread('%'),
  memoryAvailableBytes: spread('bytes', undefined, { metric: 'host.memoryBytes', whose: 'this host has' }),
  networkBytesPerSecond: figure('bytes/s'),
});

/** The sections of report.json that every system has. */
const figuresSchema = z.object({
  load,
  latency: ofOperations(latency),
  throughput,
  world,
  database,
  redis,
  target: z.object({
    metrics: z
      .record(text, metricFigures)
      .describe('Of a target’s metrics pages: what budgets name, in units of its own.'),
    process: z.record(text, processFigures).describe('Of a target’s processes, by their names.'),
  }),
  limits: z
    .record(text, limit)
    .optional()
    .describe('Of components that have limits, by their names; absent without any.'),
  network,
  integrity,
  delivery: delivery.optional(),
  player: playerFigures.optional(),
  ceilings,
  stages: z.array(stage).describe('Of the measure phase, in order; times in seconds after GO.'),
  perPlayer,
  faults: z.array(fault).describe('In the order in which they began; times in seconds, `from` after GO.'),
  outage: z
    .record(text, outage)
    .describe('All faults of a component together, by its name; from its failure until it answered again.'),
  generator,
  host,
  stack: z.object({
    kind: words(),
    documented: z.record(text, text),
    applied: z.record(text, text),
    reasons: z.record(text, text).describe('Why the two differ.'),
  }),
});

export type Spread = Read<ReturnType<typeof spread>>;
export type Percentiles = Read<ReturnType<typeof percentiles>>;
export type SlopeFigures = Read<ReturnType<typeof slope>>;
export type OpenPercentiles = Read<ReturnType<typeof openPercentiles>>;
export type DeliveryFigures = Read<typeof delivery>;
export type PlayerFigures = Read<typeof playerFigures>;
export type LatencyFigures = Read<typeof latency>;
export type MetricFigures = Read<typeof metricFigures>;
export type ProcessFigures = Read<typeof processFigures>;
/** `<plural>PerSecond` of each operation. */
interface Rates {
  readonly [own: string]: number | null | Spread | undefined;
}
export type StageFigures = Read<typeof stage> & { readonly throughput: Rates };
export type LimitFigures = Read<typeof limit>;
export type FaultFigures = Read<typeof fault>;
export type OutageFigures = Read<typeof outage>;

/** Figures that the general rooms understand; a system that provides them includes them in its sections. */
export const UNDERSTOOD = {
  world: { responseMs: quantiles('ms', 'Received to acknowledged, inside the servers.') },
  database: {
    queryMs: quantiles('ms', 'Round trip of a flush, as the world servers see it.'),
    writersBusyPercent: figure(
      '%',
      'Of the time with a flush in flight: flushes a second of a server times the mean round trip.',
    ),
  },
};
type Understood = {
  readonly [S in keyof typeof UNDERSTOOD]: Partial<Read<z.ZodObject<(typeof UNDERSTOOD)[S]>>>;
} & { readonly throughput: Rates };

export type Figures = Omit<Read<typeof figuresSchema>, 'stages'> &
  Understood & { readonly stages: readonly StageFigures[] };

/** The acknowledged operations per second of one kind. */
export function throughputOf(
  { throughput: all }: { readonly throughput: Rates },
  { plural }: Pick<OperationSpec, 'plural'>,
): number | null {
  const rate = all[rateKey(plural)];
  return typeof rate === 'number' ? rate : null;
}

/** `intentsPerSecond` */
export const rateKey = (plural: string): string => `${plural}PerSecond`;

/** The figures of each operation in `throughput`. */
const ratesOf = (operations: readonly Pick<OperationSpec, 'plural'>[]): z.ZodObject =>
  z.object(Object.fromEntries(operations.map(({ plural }) => [rateKey(plural), operationsPerSecond])));

/** The parts of a system that shape the figures. */
export interface Measured {
  readonly scenario: { readonly operations: readonly Pick<OperationSpec, 'plural'>[] };
  readonly figures?: SystemFigures;
}

/** The figures of a run of any system: those of some systems are optional. */
export function figuresSchemaOf(systems: readonly Measured[]): z.ZodObject {
  const rates = ratesOf(systems.flatMap(({ scenario }) => scenario.operations)).partial().shape;
  const ofStage = stage.extend({ throughput: stage.shape.throughput.extend(rates) });
  const { stages } = figuresSchema.shape;
  const shape: Record<string, z.ZodType> = {
    ...figuresSchema.shape,
    throughput: throughput.extend(rates),
    stages: z.array(ofStage.describe(stage.description ?? '')).describe(stages.description ?? ''),
  };
  for (const { figures } of systems) {
    for (const [section, own] of Object.entries(figures?.sections ?? {})) {
      const general = shape[section];
      shape[section] =
        general instanceof z.ZodObject ? general.extend(own.partial().shape) : own.partial().optional();
    }
  }
  return z.object(shape);
}

/** A figure in a section of a system's own, as reports show it. */
export interface SystemFigure extends Pick<Metric, 'unit' | 'stats'> {
  /** In report.json. */
  readonly path: string;
  /** In a sentence; empty where its name says it. */
  readonly about: string;
}

/** The figures of the sections that only this system has, in their order. */
export const systemFiguresOf = (own: SystemFigures | undefined): readonly SystemFigure[] =>
  Object.entries(own?.sections ?? {})
    .filter(([section]) => !Object.hasOwn(figuresSchema.shape, section))
    .flatMap(([section, { shape }]) =>
      Object.entries<z.core.$ZodType>(shape).flatMap(([name, schema]) =>
        [...metricsIn(schema, [], `${section}.${name}`)].map(([path, { unit, stats }]) => ({
          ...{ path, unit, stats: stats === null ? null : [...stats] },
          about: z.globalRegistry.get(schema)?.description ?? '',
        })),
      ),
    );

/**
 * Every path that a budget may name in a report of such a system, but for those that only the run makes: the settings
 * are under `stack.applied.`, a target's metrics under `target.metrics.`.
 */
export function metricsOf(
  operations: readonly Pick<OperationSpec, 'id' | 'plural'>[],
  own?: SystemFigures,
): ReadonlyMap<string, Metric> {
  const ids = operations.map(({ id }) => id);
  const rates = [...metricsIn(ratesOf(operations), ids, 'throughput')];
  const inStages = new Map([...metricsIn(stage, ids), ...rates]);
  const everywhere = new Map([
    ...metricsIn(figuresSchema, ids),
    ...rates,
    ...Object.entries(own?.sections ?? {}).flatMap(([section, of]) =>
      [...metricsIn(of, ids, section)].map(
        ([path, metric]) => [path, { ...metric, ofSystem: true }] as const,
      ),
    ),
  ]);
  const metrics = new Map<string, Metric>();
  for (const [path, metric] of everywhere)
    metrics.set(path, { ...metric, stages: inStages.has(path) ? 'too' : 'no' });
  for (const [path, metric] of inStages)
    if (!everywhere.has(path)) metrics.set(path, { ...metric, stages: 'only' });
  return metrics;
}
