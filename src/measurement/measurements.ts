import type { HistogramData } from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import type { CeilingFindings } from '../probe/ceilings.ts';
import type { Verified } from '../probe/verification.ts';
import type { Operation } from '../scenario/workload.ts';
import type { AppliedSetting } from '../stack/stack.ts';

export interface OperationFacts {
  readonly whole: Counts;
  readonly measured: Counts;
  readonly due: HistogramData;
  readonly service: HistogramData;
  readonly lag: HistogramData;
}

/**
 * One series, a point a second: [seconds after GO, value]. A second without data has no point.
 *
 * What the probes write (N = 1-based world server, W = 0-based generator worker):
 *   load.connected (gauge)                      load.<op>.<scheduled|ok|rejected|failed|timedOut|skipped> (counter)
 *   load.<op>.inFlight (gauge)                  load.<op>.p50Ms, .p95Ms, .p99Ms (gauge; due latency of that second, no point without answers)
 *   load.bytesIn, load.bytesOut, load.framesIn (counter; the players' sockets), load.commandBytes (counter; posts and commits)
 *   generator.W.loopDelayMs, generator.W.utilisation (0..1), generator.W.memoryBytes (gauge), generator.W.cpuSeconds (counter)
 *   world.N.operations, world.N.batches, world.N.batchesOnTime, world.N.rowWrites, world.N.rejected, world.N.frames,
 *   world.N.bytesOut, world.N.cpuSeconds (counter)
 *   world.N.connections, world.N.queued, world.N.entities, world.N.memoryBytes, world.N.loopDelayMs (gauge)
 *   postgres.connections, postgres.workingSetBytes (gauge)
 *   postgres.commits, postgres.blocksHit, postgres.blocksRead, postgres.rowsUpdated, postgres.rowsHotUpdated,
 *   postgres.rowsInserted, postgres.walBytes, postgres.walSyncs, postgres.statements, postgres.statementMs (counter)
 *   postgres.cpuSeconds, postgres.memoryBytes (gauge for memory)
 *   host.cpuBusySeconds, host.cpuStealSeconds, host.networkBytes (counter, over all CPUs / all interfaces)
 *   host.memoryAvailableBytes (gauge), runner.cpuSeconds (counter)
 */
export interface Series {
  readonly kind: 'counter' | 'gauge';
  readonly points: readonly (readonly [at: number, value: number])[];
}

/** What became of one probe. */
export interface ProbeFacts {
  readonly name: string;
  readonly samples: number;
  /** Seconds in which it was asked and gave no data. */
  readonly gaps: number;
  readonly lastError: string | null;
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
export type IntegrityFacts = Verified;
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
  readonly operations: Readonly<Record<Operation, OperationFacts>>;
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
  readonly ceilings: CeilingFacts | null;
  readonly host: HostFacts;
  readonly settings: readonly AppliedSetting[];
  readonly errors: readonly string[];
}
