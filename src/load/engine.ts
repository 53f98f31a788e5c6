import type { HistogramData } from '../histogram.ts';
import type { PerOperation } from '../scenario/operations.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import type { NumberSetsData } from './number-sets.ts';

/**
 * What became of operations. `failedUnsent` is the part of `failed` that was never sent: there was no connection any more.
 * The rest of it is the target's answer.
 */
export const OUTCOMES = [
  'scheduled',
  'ok',
  'rejected',
  'failed',
  'failedUnsent',
  'timedOut',
  'skipped',
  'unfinished',
] as const;
/** Conservation (judge/README.md): scheduled = ok + rejected + failed + timedOut + skipped + unfinished, each counted on its own. */
export type Counts = Readonly<Record<(typeof OUTCOMES)[number], number>>;

/** What a connecting fleet met. */
export interface ConnectFacts {
  readonly connected: number;
  readonly failed: number;
  /** Up to five distinct messages, for the report. */
  readonly errors: readonly string[];
  /** TCP connect + WebSocket upgrade + welcome, in microseconds. */
  readonly connect: HistogramData;
}

/** What connections have carried, and how often they ended and came back. */
export const TRAFFIC = [
  // Of the players' sockets, payload with framing.
  'bytesIn',
  'bytesOut',
  'framesIn',
  // Of what acts beside the players, both ways.
  'commandBytes',
  // Of players and whoever acts beside them: without being told to, what a fault cut among them; and who connected again.
  'disconnects',
  'reconnects',
] as const;
export type TrafficCounts = Readonly<Record<(typeof TRAFFIC)[number], number>>;

/** What all workers did in one second, merged. Deltas, but for `at` and `connected`. */
export interface LoadSecond extends TrafficCounts {
  /** End of the second, microseconds after GO. */
  readonly at: Micros;
  readonly connected: number;
  readonly operations: PerOperation<LoadSecondOperation>;
  /** What was answered in each 200 ms, in order, for the steady state: five, but for the last second. */
  readonly slices: readonly LoadSlice[];
  readonly workers: readonly (WorkerSecond | ProcessSecond)[];
}

/** A fifth of a second. */
export interface LoadSlice {
  /** End of the slice, microseconds after GO. */
  readonly at: Micros;
  readonly operations: PerOperation<LoadSliceOperation>;
}

export interface LoadSliceOperation {
  readonly answered: number;
  /** p95 of the latency from due of what was answered, microseconds; null without answers. */
  readonly p95: number | null;
}

/** `scheduled` was due in this second. */
export interface LoadSecondOperation extends Omit<Counts, 'unfinished'> {
  /** Sent, not answered yet, at the end of the second. A gauge. */
  readonly inFlight: number;
  /** Latency from due of what was answered in this second. */
  readonly due: HistogramData;
}

/** A process that makes load, as the host sees it: all that is known of a program that is not ours. */
export interface ProcessSecond {
  readonly pid: number;
  /** User and system CPU used in this second; null where the host does not tell. */
  readonly cpuSeconds: number | null;
  readonly memoryBytes: number | null;
}

/** One of our own, which also tells how its event loop fared. */
export interface WorkerSecond extends ProcessSecond {
  /** Longest block of the event loop in this second. */
  readonly maxLoopDelayMs: number;
  /** By how much the loop was late, summed over its turns, beyond 10 ms each. */
  readonly stalledMs: number;
  /** Ready to run, and waiting for a CPU: the kernel's account; null where it keeps none. */
  readonly waitedSeconds: number | null;
  /** 0..1. */
  readonly utilisation: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** The record for the integrity check (judge/README.md), kept outside the server: one slot for each entity of the workload. */
export interface Ledger {
  /** The number that each entity had used last when it was first welcomed. */
  readonly base: Float64Array;
  /** The numbers above it that were sent, and of those the ones that were answered. */
  readonly sent: NumberSetsData;
  readonly acked: NumberSetsData;
  /** 1 + what the server last stated of the entity, where the system has something that rows can be held against (`Listener.stated`); 0: nothing. */
  readonly stated: Float64Array;
  readonly breaches: WelcomeBreaches;
}

/** Welcomes by which a server itself says that what it acknowledged is gone, or that it has what nobody sent. */
interface WelcomeBreaches {
  /** Numbers, so many at least, that had been acknowledged, or named by a welcome, and that a later welcome is below. */
  readonly forgotten: number;
  /** Numbers up to a welcome's `lastSeq` that were never sent. */
  readonly invented: number;
  /** Up to ten, in words. */
  readonly examples: readonly string[];
}

export interface OperationTally {
  /** Over the whole run. */
  readonly whole: Counts;
  /** Of what was due in the measure phase. */
  readonly measured: Counts;
  /** Answered operations that were due in the measure phase; microseconds. */
  readonly due: HistogramData;
  /** The part of `due` that was rejected; null where the engine does not time it apart. */
  readonly rejected: HistogramData | null;
  /**
   * `due` less each operation's own lag: what the latency would have been, had the generator been punctual. Null where
   * the engine does not tell.
   */
  readonly net: HistogramData | null;
  readonly service: HistogramData;
  readonly lag: HistogramData;
  /**
   * The part of the lag that the generator itself caused: sent minus the moment at which the operation could have
   * been sent (it was due, its player had a free slot, and its connection took more). The rest of the lag is the
   * server's: it had not answered what went before. Of all that was sent and due in the measure phase, answered or
   * not; and of what was skipped although it could have been sent, since the worker itself came too late for it:
   * until the moment at which it was skipped.
   */
  readonly ownLag: HistogramData;
}

/** Of what was due in one stage. */
export interface StageOperationTally extends Pick<OperationTally, 'due' | 'service' | 'lag'> {
  readonly counts: Counts;
  /** The part of `due` that was rejected. */
  readonly rejected: HistogramData;
}

/** What happened to connections while one stage went on. */
export interface StageConnectionTally extends Pick<TrafficCounts, 'disconnects' | 'reconnects'> {
  /** Players who left by themselves, and who joined again. */
  readonly left: number;
  readonly joined: number;
  /** Of players who came back: TCP, upgrade and welcome of the attempt that succeeded. Microseconds. */
  readonly connect: HistogramData;
  /** Of the same: from the end of a connection (or of the time away) to the welcome of the next one. */
  readonly reconnect: HistogramData;
  /** Players who were cut off when the stage began. */
  readonly cut: number;
  /** From then until as many were connected as before, microseconds; null when none were cut, or it never came to that. */
  readonly fullStrength: number | null;
}

export interface StageTally extends StageConnectionTally {
  readonly operations: PerOperation<StageOperationTally>;
}

export interface Tally extends TrafficCounts {
  readonly operations: PerOperation<OperationTally>;
  /** From the end of a connection to the welcome of the next one, microseconds. */
  readonly reconnect: HistogramData;
  /** Answers that nobody waited for: the server breaks the protocol. */
  readonly strayAnswers: number;
  /** Why `bytesIn`, `bytesOut` and `framesIn` are not all bytes and frames of the players: what is not seen is not 0. */
  readonly unseenTraffic?: string;
  /** Up to five distinct messages. */
  readonly errors: readonly string[];
  readonly ledger: Ledger;
  /** Why the ledger does not hold all that was sent and answered, so that no rows can be held against it. */
  readonly ledgerLost?: string;
  /** Nothing was due from here on, microseconds after GO: the timeline's end, or the instant of an early stop. */
  readonly endedAt: Micros;
  /**
   * Over (operation, actor, sequence, due) of the whole planned schedule, in 16 hexadecimal digits, independent
   * of order and workers (schedule-hash.ts); `incomplete` after an early stop with too much left to hash.
   */
  readonly scheduleHash: string;
  /** Of the timeline's stages, in order; absent where there are none. */
  readonly stages?: readonly StageTally[] | undefined;
}

/** A fleet whose players are all connected. */
export interface ReadyFleet {
  /**
   * GO, on the host's monotonic clock, where the engine itself has fixed it before it was READY (a process of
   * somebody else's cannot be told later); null: whenever `run` says.
   */
  readonly go: Micros | null;
  readonly connect: ConnectFacts;
  readonly workerPids: readonly number[];
  /** The workers' log files, name -> path, where there is something to read in them. Gone after close. */
  readonly logs?: ReadonlyMap<string, string>;
  /**
   * Starts the schedule at `go` on the host's monotonic clock, which is the engine's own where it has one; resolves after the drain.
   * @throws CapbenchError 93 when a worker died or broke, 105 when the fleet was closed meanwhile
   */
  run(go: Micros, onSecond: (second: LoadSecond) => void): Promise<Tally>;
  /**
   * Cuts the connections of a share of the connected players, each worker of its own, without a word to the
   * server: as many as the share says, chosen by the seed. Resolves to how many were cut: 0 when no run goes on.
   * `stage`: it is the storm with which that stage begins.
   */
  drop(sharePercent: number, seed: number, stage?: number): Promise<number>;
  /**
   * The ledger as it stands: what was sent and acknowledged until now, over all workers.
   * @throws CapbenchError (93) when a worker does not answer within 10 s, or is gone
   */
  ledger(): Promise<Ledger>;
  /** No operation is due from now on; `run` drains and resolves. Idempotent. */
  stop(): void;
  /** Ends every connection and process. Idempotent. */
  close(): Promise<void>;
}

export const ENGINES = ['native', 'k6', 'autocannon'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Who makes the load. */
export interface Engine {
  readonly name: EngineName;
  /** Connects every player; resolves READY. Refuses before it starts when descriptors or ports do not suffice. */
  prepare(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<ReadyFleet>;
}
