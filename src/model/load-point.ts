import { z } from 'zod';
import { issueOf } from '../json-document.ts';
import { parseDuration, toMillis } from '../units.ts';
import type { BatchPoint } from './batcher.ts';

const number = z.number().nullable().catch(null);
const spread = z.object({ mean: number, max: number }).partial().catch({});
const outcomes = ['pass', 'fail', 'invalid'] as const;

/** The part of report.json that says what a load costs. A figure that is not there reads as null. */
const pointSchema = z.object({
  schemaVersion: z.literal(1),
  scenario: z.string(),
  // Reports of earlier versions do not say it.
  system: z.string().catch(''),
  outcome: z.enum(outcomes),
  startedAt: z.string(),
  load: z.object({
    requestedCcu: z.number(),
    scale: z.number(),
    durationSeconds: z.number().nullable(),
    operations: z
      .record(z.string(), z.looseObject({ scheduled: z.number(), idle: z.number().catch(0) }))
      .catch({}),
    total: z.object({ sentPercent: number, unansweredPercent: number }),
  }),
  throughput: z
    .object({
      ...{ operationsPerSecond: number, batchesPerSecond: number },
      ...{ rowsPerBatch: number, operationsPerBatch: number },
    })
    .catchall(z.unknown()),
  network: z.object({ bytesPerPlayerSecondIn: number, bytesPerPlayerSecondOut: number }),
  world: z.looseObject({
    servers: z.number(),
    cpuPercentTotal: spread,
    cpuCores: spread,
    memoryTotalBytes: spread,
  }),
  database: z.looseObject({ cpuCores: spread, memoryBytes: spread, writersBusyPercent: number }),
  redis: z.looseObject({ cpuCores: spread, memoryBytes: spread }),
  target: z.object({
    process: z.record(z.string(), z.looseObject({ cpuPercentOfCore: spread, memoryBytes: spread })),
  }),
  generator: z.looseObject({ cpuCores: number, cpuPercentOfHost: number.optional() }),
  host: z.looseObject({ cpus: z.number(), cpuModel: z.string(), memoryBytes: z.number() }),
  stack: z.object({ applied: z.record(z.string(), z.unknown()) }).catch({ applied: {} }),
  limits: z
    .record(z.string(), z.looseObject({ cpus: number }))
    .optional()
    .catch(undefined),
  bottleneck: z.object({ resource: z.string(), evidence: z.string() }).nullable().catch(null),
});

/** What one run says about the cost of its load: means of the measure phase, memory at its peak. */
export interface LoadPoint {
  readonly scenario: string;
  readonly system: string;
  readonly startedAt: string;
  readonly outcome: (typeof outcomes)[number];
  readonly players: number;
  /** Measure phase, seconds. */
  readonly seconds: number;
  /** Whether at least 99% of the load was sent, and 99% of that answered, in time: an overloaded run tells no cost of its load. */
  readonly sustained: boolean;
  readonly operationsPerSecond: number | null;
  /** Cores used, by component. */
  readonly cpuCores: Readonly<Record<string, number>>;
  /** The busiest server. */
  readonly busiestServerCores: number | null;
  /** Resident bytes at their peak, by component. */
  readonly memoryBytes: Readonly<Record<string, number>>;
  readonly servers: number;
  /** From servers to players, and back: bytes a second of each player. */
  readonly bytesToPlayer: number | null;
  readonly bytesFromPlayer: number | null;
  /** What its servers wrote in batches; null where they did not, or nothing says so. */
  readonly batches: BatchPoint | null;
  readonly generatorCores: number | null;
  /** To which all components together were confined; null: to none. */
  readonly limitCpus: number | null;
  readonly host: { readonly cpus: number; readonly cpuModel: string; readonly memoryBytes: number };
  readonly ranOut: { readonly resource: string; readonly evidence: string } | null;
}

const SUSTAINED_PERCENT = 99;
/** What is answered only after the measure phase was a backlog, and its cost is not in the means: at least this share came in time. */
const IN_TIME_SHARE = 0.95;

/** Only what was measured. */
const known = (values: Readonly<Record<string, number | null | undefined>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value == null ? [] : [[name, value] as const])),
  );

/**
 * Reads report.json of a run.
 * @returns in words, what keeps it from being one, or the point
 */
export function readPoint(report: unknown): LoadPoint | { readonly because: string } {
  const read = pointSchema.safeParse(report);
  if (!read.success) return { because: issueOf(read.error) };
  const { load, world, database, redis, target, network, generator, host, ...rest } = read.data;
  const { sentPercent, unansweredPercent } = load.total;
  const processes = Object.entries(target.process);
  const serversCpu = world.cpuPercentTotal.mean;
  return {
    ...{ scenario: rest.scenario, system: rest.system, startedAt: rest.startedAt, outcome: rest.outcome },
    players: load.requestedCcu,
    seconds: load.durationSeconds ?? 0,
    sustained:
      (sentPercent ?? 0) >= SUSTAINED_PERCENT &&
      (unansweredPercent ?? 100) <= 100 - SUSTAINED_PERCENT &&
      isInTime(read.data),
    operationsPerSecond: rest.throughput.operationsPerSecond,
    cpuCores: known({
      servers: serversCpu == null ? null : (serversCpu / 100) * world.servers,
      database: database.cpuCores.mean,
      redis: redis.cpuCores.mean,
      ...Object.fromEntries(
        processes.map(([name, { cpuPercentOfCore: of }]) => [name, of.mean == null ? null : of.mean / 100]),
      ),
    }),
    busiestServerCores: world.cpuCores.mean ?? null,
    memoryBytes: known({
      servers: world.memoryTotalBytes.max,
      database: database.memoryBytes.max,
      redis: redis.memoryBytes.max,
      ...Object.fromEntries(processes.map(([name, { memoryBytes: of }]) => [name, of.max])),
    }),
    servers: world.servers,
    // `In` is what players receive.
    bytesToPlayer: network.bytesPerPlayerSecondIn,
    bytesFromPlayer: network.bytesPerPlayerSecondOut,
    batches: batchesOf(read.data),
    // Of this host only: the rest of the load came from others.
    generatorCores:
      generator.cpuPercentOfHost == null
        ? generator.cpuCores
        : (generator.cpuPercentOfHost / 100) * host.cpus,
    limitCpus: rest.limits?.stack?.cpus ?? null,
    host: { cpus: host.cpus, cpuModel: host.cpuModel, memoryBytes: host.memoryBytes },
    ranOut: rest.bottleneck,
  };
}

/** Whether the load was answered as fast as it was due. */
function isInTime({ load, throughput }: z.output<typeof pointSchema>): boolean {
  const { operations, durationSeconds } = load;
  const due = Object.values(operations).reduce((sum, { scheduled, idle }) => sum + scheduled - idle, 0);
  const { operationsPerSecond } = throughput;
  if (durationSeconds === null || operationsPerSecond === null) return true;
  return operationsPerSecond * durationSeconds >= IN_TIME_SHARE * due;
}

/** The mean of a flush follows from the time in which one is in flight: U = X S. */
function batchesOf({ throughput, database, world, stack }: z.output<typeof pointSchema>): BatchPoint | null {
  const { batchesPerSecond, rowsPerBatch, operationsPerBatch } = throughput;
  const { writersBusyPercent: busyPercent } = database;
  if (!batchesPerSecond || rowsPerBatch === null || operationsPerBatch === null || busyPercent === null)
    return null;
  const { servers } = world;
  const limit = Number(stack.applied.worldBatchOperations);
  const interval = parseDuration(String(stack.applied.worldBatchInterval));
  return {
    ...{ servers, batchesPerSecond, rowsPerBatch, operationsPerBatch, busyPercent },
    meanMs: (10 * busyPercent * servers) / batchesPerSecond,
    limit: limit > 0 ? limit : null,
    intervalMs: interval === undefined || interval === 0 ? null : toMillis(interval),
  };
}
