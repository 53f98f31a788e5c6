import { z } from 'zod';
import type { HistogramData } from '../histogram.ts';
import { FAULT_ACTIONS } from '../scenario/sections.ts';
import { earlierAttemptSchema } from './earlier-attempts.ts';
import { emulatedTierSchema } from './emulated-tier.ts';
import type { Read } from './figure-kinds.ts';

/*
 * The facts of a run in measurements.json: everything that judging and reporting need besides the scenario. The types
 * follow from this schema, and unknown keys are dropped when a file is read.
 */

/** Far above the length of any list of a real run; longer ones are refused. */
const MOST_ENTRIES = 10_000;
const MOST_PAIRS = 1_000_000;
const LONGEST_TEXT = 100_000;
/** Sums and products of such numbers stay finite. */
const LARGEST = 1e18;
/** A run lasts a day at most, and may take a while to start and to end; in seconds. */
const LONGEST_SECONDS = 200_000;

/** Counts are integers, amounts need not be; neither is negative. */
const amount = z.number().min(0).max(LARGEST);
/** Of values that are no larger than `amount` allows. */
const total = z.number().min(0).max(1e33);
const count = z.int().min(0);
const moment = z.number().min(-LONGEST_SECONDS).max(LONGEST_SECONDS);
const seconds = moment.nullable();
const text = z.string().max(LONGEST_TEXT);
const list = <T extends z.ZodType>(element: T) =>
  z.array(z.unknown()).max(MOST_ENTRIES).pipe(z.array(element));
const few = (all: object): boolean => Object.keys(all).length <= MOST_ENTRIES;
const byName = <T extends z.ZodType>(element: T) => z.record(text, element).refine(few);

/** Lists may have hundreds of thousands of pairs, so they are checked in one pass and report one problem. */
function pairs(fits: (first: number, second: number) => boolean, what: string) {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    typeof pair[0] === 'number' &&
    typeof pair[1] === 'number' &&
    fits(pair[0], pair[1]);
  return z.custom<readonly (readonly [number, number])[]>(
    (value) => Array.isArray(value) && value.length <= MOST_PAIRS && value.every(isPair),
    { error: `expected ${what}` },
  );
}
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Conservation: load/engine.ts. */
const counts = z.object({
  scheduled: count,
  ok: count,
  rejected: count,
  failed: count,
  failedUnsent: count,
  timedOut: count,
  skipped: count,
  unfinished: count,
  /** Bundles of earlier versions have none. */
  idle: count.default(0),
});
const histogram: z.ZodType<HistogramData> = z.object({
  counts: pairs((value, n) => isCount(value) && isCount(n), 'pairs of a value in microseconds and a count'),
  min: count,
  max: count,
  sum: amount,
});
/** The latencies of an operation, in the whole measure phase or in a stage. */
const latencyFacts = {
  measured: counts,
  due: histogram,
  /** The rejected part of `due`; null where the engine does not time it separately. */
  rejected: histogram.nullable(),
  service: histogram,
  lag: histogram,
};
/**
 * The latencies from the scheduled time by the time of the answer: one histogram for each of at most 120 windows of equal
 * length, in order.
 */
const windows = list(histogram);
const operation = z.object({
  whole: counts,
  ...latencyFacts,
  /** `due` minus each operation's own lag (load/engine.ts); null where the engine does not measure it. */
  net: histogram.nullable(),
  /** The part of the lag that the generator itself caused (load/engine.ts). */
  ownLag: histogram,
  /** Of the measure phase. */
  windows,
});
const stageOperation = z.object({ ...latencyFacts, windows });

/** One stage of the measure phase as it was run, in seconds after GO. */
const stage = z.object({
  name: text,
  from: moment,
  /** When the rate and the number of players reached their level. */
  levelFrom: moment,
  to: moment,
  /** Times the rates of the load: at the beginning, and from `levelFrom` on. */
  rateBefore: amount,
  rate: amount,
  /** Players that were meant to be connected: at the beginning, and at the level. Absent: those of the load. */
  playersBefore: count.optional(),
  players: count.optional(),
  /** Of what was due in the stage. */
  operations: byName(stageOperation),
  // What happened to connections meanwhile (load/engine.ts).
  disconnects: count,
  reconnects: count,
  left: count,
  joined: count,
  connect: histogram,
  reconnect: histogram,
  cut: count,
  fullStrength: count.nullable(),
});

/**
 * One series, a point a second, and where the measure phase and its stages begin and end: [seconds after GO, value]. A second
 * without data has no point.
 *
 * The series of the probes (N = 1-based world server, W = 0-based generator worker):
 *   load.connected (gauge)                      load.<op>.<scheduled|ok|rejected|failed|timedOut|skipped> (counter)
 *   load.<op>.idle (counter, from the first one on)
 *   load.<op>.inFlight (gauge)                  load.<op>.p50Ms, .p95Ms, .p99Ms (gauge; due latency of that second, no point without answers)
 *   load.<op>.slice.answered, load.<op>.slice.p95Ms (gauge; of the 200 ms that end there, five points a second)
 *   load.disconnects, load.reconnects (counter)
 *   load.connections (gauge), load.handshakes (counter; connections that players opened after GO)
 *   load.bytesIn, load.bytesOut, load.framesIn (counter; the players' sockets), load.commandBytes (counter; of who acts beside them)
 *   generator.W.loopDelayMs, generator.W.stalledMs, generator.W.utilisation (0..1), generator.W.memoryBytes (gauge),
 *   generator.W.cpuSeconds, generator.W.waitedSeconds (counter; ready to run without a CPU)
 *   world.N.operations, world.N.cpuSeconds (counter), world.N.waitedSeconds (counter; as for the generator)
 *   world.N.connections, world.N.memoryBytes, world.N.loopDelayMs (gauge), and what else a system's probe tells
 *   world.N.processes (gauge), world.N.busiestProcessSeconds (counter), only of a server with child processes, whose CPU, memory
 *   and waits are then those of all its processes together
 *   postgres.connections, postgres.workingSetBytes (gauge)
 *   postgres.commits, postgres.blocksHit, postgres.blocksRead, postgres.rowsUpdated, postgres.rowsHotUpdated,
 *   postgres.rowsInserted, postgres.rowsDeleted, postgres.walBytes, postgres.walSyncs, postgres.statements, postgres.statementMs (counter)
 *   postgres.cpuSeconds, postgres.waitedSeconds (counter; over its processes), postgres.memoryBytes (gauge)
 *   host.cpuBusySeconds, host.cpuStealSeconds, host.networkBytes (counter, over all CPUs / all interfaces)
 *   host.memoryAvailableBytes (gauge), runner.cpuSeconds (counter)
 *   host.runCpuSeconds (counter, over every process of the run: capbench, workers, servers, PostgreSQL, watchdog)
 *   host.foreignCpuSeconds (counter, over every process that is not of the run)
 *   host.throttledPeriods (counter, of the control group of capbench and all above it), host.memoryFullSeconds,
 *   host.cpuSomeSeconds (counter; PSI totals)
 *   delivery.<expected|delivered|lost|excused> (counter; by the time at which the sender's operation was due)
 *   redis.operations, redis.reads (of sockets), redis.cpuSeconds, redis.evictedKeys, redis.expiredKeys, redis.keyspaceHits,
 *   redis.keyspaceMisses, redis.rejectedConnections, redis.errorReplies, redis.networkBytes (counter), redis.usedMemoryBytes,
 *   redis.memoryBytes, redis.connections, redis.keys (gauge), redis.command.<name>.calls, redis.command.<name>.micros (counter)
 *   process.<name>.cpuSeconds, process.<name>.busiestThreadSeconds (counter; of a process of a target and its children),
 *   process.<name>.memoryBytes, process.<name>.threads, process.<name>.descriptors, process.<name>.processes (gauge)
 *   limits.<component>.cpuSeconds, limits.<component>.periods, limits.<component>.throttledPeriods (counter; of a component with
 *   limits and its children), limits.<component>.outOfMemoryKills (counter), limits.<component>.memoryBytes (gauge)
 *   metrics.N.<selector> (N = 1-based page of a target; a counter grows from 0 at the first reading, over all samples chosen)
 * A counter of a server that was restarted begins again at 0; readings.ts knows.
 */
const series = z.object({
  kind: z.enum(['counter', 'gauge']),
  points: pairs(
    (at, value) => Math.abs(at) <= LONGEST_SECONDS && Math.abs(value) <= LARGEST,
    'pairs of a time in seconds and a finite value',
  ),
  /** In a long run, how many readings one point stands for; 1 when absent. */
  thinned: count.optional(),
});

/** What players were to hear of each other (load/deliveries.ts), of the measure phase. */
const deliveries = z.object({
  ...{ expected: count, delivered: count, lost: count, excused: count },
  ...{ duplicated: count, late: count, unexpected: count, untracked: count },
  latency: histogram,
  /** Up to five, in words. */
  lostOnes: list(text),
});

/** Payload of TCP: bytes received and sent. */
const payload = z.object({ in: amount, out: amount });

/** What the kernel counted of the players' connections in the measure phase (load/engine.ts), and the load between the same two times. */
const kernelTraffic = z.object({
  seconds: amount,
  kernel: payload,
  load: payload,
  /** The part of `load` that is not in `kernel`: the kernel forgets a connection that closes. */
  unseen: payload,
});

/** What a player module measured under one name, of the measure phase. */
const playerFigure = z.object({
  /** Null: a counter. */
  unit: text.nullable(),
  count,
  total,
  /** As a histogram has them, of values in that unit; null for a counter. */
  values: z
    .object({
      counts: pairs(
        (value, n) => value >= 0 && value <= LARGEST && isCount(n),
        'pairs of a value and a count',
      ),
      ...{ min: amount, max: amount, sum: total },
    })
    .nullable(),
});

/**
 * Upper bounds (inclusive) and the count of each bucket, as servers publish them. `counts` has one entry more than
 * `bounds`: what lies above the last bound.
 */
const buckets = z.object({ bounds: list(amount), counts: list(count) });

/** The readings and gaps of one probe. */
const probe = z.object({
  name: text,
  samples: count,
  /** Seconds without data. */
  gaps: count,
  lastError: text.nullable(),
  /** The same of the measure phase. */
  measured: z.object({ samples: count, gaps: count }),
});

/** The integrity check (judge/README.md), from what is kept and from the generator's own ledger. */
const integrity = z.object({
  sent: count,
  acked: count,
  // Negative where a database lost its statistics or its rows since GO.
  applied: z.int(),
  lost: count,
  phantom: count,
  duplicated: count,
  holes: count,
  /** Excused by an outage; absent where no loss is stated. */
  lostInWindow: count.optional(),
  /** The losses that outages excuse, as the system states them: how long before the outage, or at any time. */
  windows: list(z.object({ of: text, withinSeconds: amount.nullable() })).optional(),
  /** Reported as saved, of those acknowledged; absent where there is one level of acknowledgement. */
  saved: count.optional(),
  /** Acknowledged and in the last level, and not reported as saved; absent where that is not known number by number. */
  unreported: count.optional(),
  entities: count,
  open: count,
  hashed: z.boolean(),
  examples: list(text),
  rowWritesServers: z.int().nullable(),
  rowWritesPostgres: z.int().nullable(),
});

/** The database's throughput without load. */
const ceilings = z.object({
  insertsPerSecond: amount,
  updatesPerSecondSingle: amount,
  updatesPerSecondBatched: amount,
  batchRows: count,
  connections: count,
  /** A description of the statements, for the report. */
  statement: text,
});

/** The generator's performance against null servers, just before the run. */
const calibration = z.object({
  /** A phrase that states which part was calibrated, where that is not the whole generator. */
  of: text.optional(),
  seconds: amount,
  /** Operations a second that were due, of all kinds together, and the part of them that the target rate is. */
  ratePerSecond: amount,
  targetPerSecond: amount,
  /** Answered of what was due, in percent. */
  answeredPercent: amount,
  /** Of the busiest worker; null where the engine does not measure it. */
  utilisationPercent: amount.nullable(),
  ownLagP99Ms: amount.nullable(),
  dueP99Ms: amount.nullable(),
});

/** The time of a reference workload on one core, before the stack starts and after it has ended; milliseconds. */
const canary = z.object({ beforeMs: amount, afterMs: amount.nullable() });

/** Operations, but for `holes`: entities whose numbers do not add up. */
const rows = z.object({
  ...{ lost: count, phantom: count, duplicated: count, holes: count },
  /** Excused by an outage; absent where no loss is stated. */
  lostInWindow: count.optional(),
});

/** One fault as it was injected, in seconds after GO. */
const fault = z.object({
  /** `kill-postgres-1` */
  id: text,
  action: z.enum(FAULT_ACTIONS),
  of: text,
  from: moment,
  /** The component answered again (for `drop`: the sockets were cut); null when it never did. */
  to: seconds,
  /** Sockets that were cut, for `drop`. */
  dropped: count.nullable(),
  /**
   * The findings in the rows after the component recovered, beyond those after the fault before: operations that were
   * acknowledged before the rows were read and are not in them, and operations in them that were never sent. During the
   * load many operations are unanswered, so a loss may stay within the bounds (probe/counted-rows.ts).
   * Null when they could not be read.
   */
  rows: rows.nullable(),
  /** Of a restart: the process had ended; until then it may have answered. */
  ended: moment.optional(),
  /** Of a restart: the component did not end by its own signals, and was killed. */
  forced: z.literal(true).optional(),
  /** Of a kill: capbench does not start the process again, and `to` is when it had ended. */
  forGood: z.literal(true).optional(),
  error: text.nullable(),
});

/** A process outside the run, and the CPU that it used during the run. */
const foreign = z.object({ name: text, pid: count, cpuSeconds: amount });

const host = z.object({
  cpuModel: text,
  cpus: z.int().positive(),
  memoryBytes: z.int().positive(),
  kernel: text,
  platform: text,
  arch: text,
  node: text,
});

const shift = z.number().min(-LARGEST).max(LARGEST);
/** load/engine.ts. */
const agent = z.object({
  ...{ address: text, workers: count, onThisHost: z.boolean() },
  ...{ clockOffsetMs: shift, clockUncertaintyMs: amount, driftMs: shift.nullable(), roundTripMs: amount },
});

/** How the run ended, before it is judged. */
const ending = z.discriminatedUnion('state', [
  z.object({ state: z.literal('completed') }),
  z.object({ state: z.literal('stoppedEarly'), because: text }),
  z.object({ state: z.literal('interrupted'), phase: text }),
  /** `of`: it was the generator that failed, and not the stack. */
  z.object({
    ...{ state: z.literal('stackFailed'), because: text, hint: text },
    of: z.literal('generator').optional(),
  }),
]);

/** The immutable facts of a run. */
export const measurementsSchema = z.object({
  schemaVersion: z.literal(1),
  capbench: text,
  scenarioHash: text,
  scheduleHash: text.nullable(),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  commit: text.nullable(),
  ending,
  engine: text,
  workers: count,
  /** Of facts that were read from summaries of plain k6: how many there were. */
  summaries: count.optional(),
  /** Where the load workers ran, in their order, unless it was this host. */
  agents: list(agent).optional(),
  /** Generator and servers on one host. */
  colocated: z.boolean(),
  stackKind: z.enum(['local', 'target']),
  /** Of a target: how many servers it has. */
  targets: count.optional(),
  /** The machine as which the stack was run; absent: as this host. */
  tier: emulatedTierSchema.optional(),
  /** The attempts at this run that had no conclusion, in order; absent of a first attempt. */
  earlierAttempts: list(earlierAttemptSchema).optional(),
  /** Seconds from the start of capbench. At `connect` the first player connects. */
  phases: z.object({ stackUp: seconds, connect: seconds, ready: seconds, go: seconds, end: moment }),
  /** The measure phase in seconds after GO; null when it was never reached. */
  measured: z.object({ from: moment, to: moment }).nullable(),
  peakCcu: count,
  /** `login` and `socket`: the two parts of the time, of players who reported when they were logged in. */
  connect: z.object({
    ...{ failed: count, histogram, login: histogram.optional(), socket: histogram.optional() },
  }),
  /** How long the user's module prepared the run; absent where it did not. */
  prepareMs: amount.optional(),
  disconnects: count,
  reconnects: count,
  reconnect: histogram,
  /** Answers to operations that were not pending. */
  strayAnswers: count,
  /** Of every operation of the system. */
  operations: byName(operation),
  /** Absent where the kernel was not asked, or did not tell. */
  kernelTraffic: kernelTraffic.optional(),
  /** Absent where a player module expected and heard nothing. */
  deliveries: deliveries.optional(),
  /** By name; absent where a player module measured nothing. */
  player: byName(playerFigure).optional(),
  /** Of the measure phase, in order, as far as they were begun; none where it was all one. */
  stages: list(stage),
  series: byName(series),
  probes: list(probe),
  /** Over all servers, measure phase, by name: what a system's probe tells (probe/probe.ts). */
  worlds: byName(buckets).nullable(),
  /** Null when the rows could not be read. */
  integrity: integrity.nullable(),
  /** Lost and invented numbers according to the welcomes; absent without load. */
  welcomes: z.object({ forgotten: count, invented: count, examples: list(text) }).optional(),
  ceilings: ceilings.nullable(),
  /** Null where the scenario leaves it out, or it was not reached. */
  calibration: calibration.nullable(),
  canary: canary.nullable(),
  /** Wall clock minus monotonic clock, over the run, in milliseconds. */
  clockDriftMs: shift,
  /** As far as they were begun, in order. */
  faults: list(fault),
  /** The busiest first, a few at most. */
  foreign: list(foreign),
  host,
  settings: list(
    z.object({
      setting: text,
      documented: text,
      applied: text,
      reason: text.nullable(),
      hardware: z.boolean(),
    }),
  ),
  errors: list(text),
  /** What a reader should know and decides nothing. */
  remarks: list(text).optional(),
  /** Figures that could not be measured, by their paths in report.json, and why. */
  absences: list(z.object({ of: text, because: text, event: z.literal(true).optional() })).optional(),
  /** Of a target's metrics pages: what budgets name of which a line could not be read, and the first such line. */
  unreadable: list(z.object({ of: text, because: text })).optional(),
  /** Of a target: the probes that were asked for, by name. */
  probesAsked: list(text).optional(),
  /** Of a target's metrics pages, measure phase: the histograms that budgets name, by selector. */
  histograms: byName(buckets).optional(),
});

export type Measurements = Read<typeof measurementsSchema>;
export type OperationFacts = Read<typeof operation>;
export type StageOperationFacts = Read<typeof stageOperation>;
export type LatencyFacts = Omit<StageOperationFacts, 'windows'>;
export type StageFacts = Read<typeof stage>;
export type Series = Read<typeof series>;
export type BucketData = Read<typeof buckets>;
export type DeliveryFacts = Read<typeof deliveries>;
export type PlayerFigureFacts = Read<typeof playerFigure>;
export type ProbeFacts = Read<typeof probe>;
export type IntegrityFacts = Read<typeof integrity>;
export type CeilingFacts = Read<typeof ceilings>;
export type CalibrationFacts = Read<typeof calibration>;
export type RowFindings = Read<typeof rows>;
export type FaultFacts = Read<typeof fault>;
export type HostFacts = Read<typeof host>;
export type Ending = Read<typeof ending>;
