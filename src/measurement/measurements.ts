import type { HistogramData } from '../histogram.ts';
import type { Counts, WelcomeBreaches } from '../load/engine.ts';
import type { Absence } from '../probe/absence.ts';
import type { Verified } from '../probe/verification.ts';
import type { PerOperation } from '../scenario/operations.ts';
import type { AppliedSetting } from '../stack/stack.ts';
import type { CeilingFindings } from '../systems/flux/ceilings.ts';
import type { StageFacts } from './stage-facts.ts';

export interface OperationFacts {
  readonly whole: Counts;
  readonly measured: Counts;
  readonly due: HistogramData;
  /** The part of `due` that was rejected; null where the engine does not time it apart. */
  readonly rejected: HistogramData | null;
  /** `due` less each operation's own lag (load/engine.ts); null where the engine does not tell. */
  readonly net: HistogramData | null;
  readonly service: HistogramData;
  readonly lag: HistogramData;
  /** The part of the lag that the generator itself caused (load/engine.ts). */
  readonly ownLag: HistogramData;
  /**
   * The latencies from due again, one histogram for each window of the measure phase, in order: at most 120 windows
   * of equal length. By when they were answered.
   */
  readonly windows: readonly HistogramData[];
}

/** What an operation's latencies are made of, of the whole measure phase or of a stage. */
export type LatencyFacts = Pick<OperationFacts, 'measured' | 'due' | 'rejected' | 'service' | 'lag'>;

/**
 * One series, a point a second, and where the measure phase and its stages begin and end: [seconds after GO, value]. A second
 * without data has no point.
 *
 * What the probes write (N = 1-based world server, W = 0-based generator worker):
 *   load.connected (gauge)                      load.<op>.<scheduled|ok|rejected|failed|timedOut|skipped> (counter)
 *   load.<op>.inFlight (gauge)                  load.<op>.p50Ms, .p95Ms, .p99Ms (gauge; due latency of that second, no point without answers)
 *   load.<op>.slice.answered, load.<op>.slice.p95Ms (gauge; of the 200 ms that end there, five points a second)
 *   load.disconnects, load.reconnects (counter)
 *   load.bytesIn, load.bytesOut, load.framesIn (counter; the players' sockets), load.commandBytes (counter; posts and commits)
 *   generator.W.loopDelayMs, generator.W.stalledMs, generator.W.utilisation (0..1), generator.W.memoryBytes (gauge),
 *   generator.W.cpuSeconds, generator.W.waitedSeconds (counter; ready to run without a CPU)
 *   world.N.operations, world.N.batches, world.N.batchesOnTime, world.N.rowWrites, world.N.rejected, world.N.frames,
 *   world.N.bytesOut, world.N.cpuSeconds (counter), world.N.waitedSeconds (counter; as for the generator)
 *   world.N.connections, world.N.queued, world.N.entities, world.N.memoryBytes, world.N.loopDelayMs (gauge)
 *   postgres.connections, postgres.workingSetBytes (gauge)
 *   postgres.commits, postgres.blocksHit, postgres.blocksRead, postgres.rowsUpdated, postgres.rowsHotUpdated,
 *   postgres.rowsInserted, postgres.walBytes, postgres.walSyncs, postgres.statements, postgres.statementMs (counter)
 *   postgres.cpuSeconds, postgres.waitedSeconds (counter; over its processes), postgres.memoryBytes (gauge)
 *   host.cpuBusySeconds, host.cpuStealSeconds, host.networkBytes (counter, over all CPUs / all interfaces)
 *   host.memoryAvailableBytes (gauge), runner.cpuSeconds (counter)
 *   host.runCpuSeconds (counter, over every process of the run: capbench, workers, servers, PostgreSQL, watchdog)
 *   host.foreignCpuSeconds (counter, over every process that is not of the run)
 *   host.throttledPeriods (counter, of the control group of capbench and all above it), host.memoryFullSeconds,
 *   host.cpuSomeSeconds (counter; PSI totals)
 *   redis.operations, redis.cpuSeconds, redis.evictedKeys, redis.expiredKeys, redis.keyspaceHits, redis.keyspaceMisses,
 *   redis.rejectedConnections, redis.errorReplies, redis.networkBytes (counter), redis.usedMemoryBytes,
 *   redis.connections (gauge)
 *   metrics.N.<selector> (N = 1-based page of a target; a counter grows from 0 at the first reading, over all samples chosen)
 * A counter of a server that was restarted begins again at 0; readings.ts knows.
 */
export interface Series {
  readonly kind: 'counter' | 'gauge';
  readonly points: readonly (readonly [at: number, value: number])[];
  /** One point stands for so many, where the run was too long for all of them; 1 where it is not there. */
  readonly thinned?: number | undefined;
}

/** What became of one probe. */
export interface ProbeFacts {
  readonly name: string;
  readonly samples: number;
  /** Seconds in which it was asked and gave no data. */
  readonly gaps: number;
  readonly lastError: string | null;
  /** The same of the measure phase alone; bundles of older versions do not tell. */
  readonly measured?: { readonly samples: number; readonly gaps: number } | undefined;
}

/**
 * Upper bounds (inclusive) and the count of each bucket, as world servers publish them. `counts` has one
 * entry more than `bounds`: what lies above the last bound.
 */
export interface BucketData {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Section D, checked from the rows and from the generator's own ledger. */
export type IntegrityFacts = Omit<Verified, 'open' | 'hashed'> & {
  /** Bundles of older versions do not tell. */
  readonly open?: number | undefined;
  readonly hashed?: boolean | undefined;
};
export type CeilingFacts = CeilingFindings;

export interface HostFacts {
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
}

/** What the generator did against a world that does nothing, just before the run. */
export interface CalibrationFacts {
  /** What was calibrated, and what was not, in a phrase, where that is not all of the generator. */
  readonly of?: string | undefined;
  readonly seconds: number;
  /** Operations a second that were due, of all kinds together, and the part of them that the target rate is. */
  readonly ratePerSecond: number;
  readonly targetPerSecond: number;
  /** Answered of what was due, in percent. */
  readonly answeredPercent: number;
  /** Of the busiest worker; null where the engine does not tell. */
  readonly utilisationPercent: number | null;
  readonly ownLagP99Ms: number | null;
  readonly dueP99Ms: number | null;
}

/** The same piece of work on one core, before the stack is up and after it has gone; milliseconds. */
export interface CanaryFacts {
  readonly beforeMs: number;
  readonly afterMs: number | null;
}

/** Operations, but for `holes`: entities whose numbers do not add up. */
export interface RowFindings {
  readonly lost: number;
  readonly phantom: number;
  readonly duplicated: number;
  readonly holes: number;
}

/** A process that was not of the run, and the CPU it used while the run was watched. */
export interface ForeignFacts {
  readonly name: string;
  readonly pid: number;
  readonly cpuSeconds: number;
}

/** One fault, as it was. Seconds after GO. */
export interface FaultFacts {
  /** `kill-postgres-1` */
  readonly id: string;
  readonly action: 'kill' | 'stop' | 'drop';
  readonly of: string;
  readonly from: number;
  /** The component answered again (for `drop`: the sockets were cut); null when it never did. */
  readonly to: number | null;
  /** Sockets that were cut, for `drop`. */
  readonly dropped: number | null;
  /**
   * What the rows said once the component was back, beyond what they had said after the fault before: operations
   * acknowledged before the rows were read and not in them, and operations in them that were never sent. While load
   * goes on much is unanswered, and a loss may hide within the bounds (probe/integrity.ts); at the end little is.
   * Null when nobody could read them.
   */
  readonly rows: RowFindings | null;
  readonly error: string | null;
}

/** How the run ended, before anybody judged it. */
export type Ending =
  | { readonly state: 'completed' }
  | { readonly state: 'stoppedEarly'; readonly because: string }
  | { readonly state: 'interrupted'; readonly phase: string }
  | { readonly state: 'stackFailed'; readonly because: string; readonly hint: string };

/** The immutable facts of a run; all that judging and reporting need besides the scenario. */
export interface Measurements {
  readonly schemaVersion: 1;
  readonly capbench: string;
  readonly scenarioHash: string;
  readonly scheduleHash: string | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly commit: string | null;
  readonly ending: Ending;
  readonly engine: string;
  readonly workers: number;
  /** Generator and servers on one host. */
  readonly colocated: boolean;
  readonly stackKind: 'local' | 'target';
  /** Seconds from the start of capbench. */
  readonly phases: {
    readonly stackUp: number | null;
    /** The first player connects. */
    readonly connect: number | null;
    readonly ready: number | null;
    readonly go: number | null;
    readonly end: number;
  };
  /** The measure phase as it was: seconds after GO. Null when it was never reached. */
  readonly measured: { readonly from: number; readonly to: number } | null;
  readonly peakCcu: number;
  readonly connect: { readonly failed: number; readonly histogram: HistogramData };
  readonly disconnects: number;
  readonly reconnects: number;
  readonly reconnect: HistogramData;
  /** Answers to numbers that were not waiting for one. */
  readonly strayAnswers: number;
  readonly operations: PerOperation<OperationFacts>;
  /** Of the measure phase, in order, as far as they were begun; none where it was all one. */
  readonly stages: readonly StageFacts[];
  readonly series: Readonly<Record<string, Series>>;
  readonly probes: readonly ProbeFacts[];
  /** Over all world servers, measure phase: batch sizes (operations), flush (statement round trip), response (received to acked). */
  readonly worlds: {
    readonly batchOperations: BucketData;
    readonly flushMs: BucketData;
    readonly responseMs: BucketData;
  } | null;
  /** Null when nobody could read the rows. */
  readonly integrity: IntegrityFacts | null;
  /** What welcomes themselves said of lost and invented numbers; bundles of older versions do not tell. */
  readonly welcomes?: WelcomeBreaches | undefined;
  readonly ceilings: CeilingFacts | null;
  /** Null where the scenario leaves it out, or it was not reached. */
  readonly calibration: CalibrationFacts | null;
  readonly canary: CanaryFacts | null;
  /** Wall clock minus monotonic clock, over the run, in milliseconds. */
  readonly clockDriftMs: number;
  /** As far as they were begun, in order. */
  readonly faults: readonly FaultFacts[];
  /** The busiest first; at most a handful. */
  readonly foreign: readonly ForeignFacts[];
  readonly host: HostFacts;
  readonly settings: readonly AppliedSetting[];
  readonly errors: readonly string[];
  /** Of a target: what nobody could read, by paths of report.json, and why. */
  readonly absences?: readonly Absence[] | undefined;
  /** Of a target's metrics pages: what budgets name of which a line could not be read, and the first such line. */
  readonly unreadable?: readonly Absence[] | undefined;
  /** Of a target: the probes that were asked for, by name. */
  readonly probesAsked?: readonly string[] | undefined;
  /** Of a target's metrics pages, measure phase: the histograms that budgets name, by selector. */
  readonly histograms?: Readonly<Record<string, BucketData>> | undefined;
}
