import type { HistogramData } from '../histogram.ts';
import type { PerOperation } from '../scenario/operations.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import type { ClockFacts } from './agent/clocks.ts';
import type { DeliveryTally } from './deliveries.ts';
import type { NumberSetsData } from './number-sets.ts';
import type { SocketBytes } from './player/player-sockets.ts';
import type { PlayerFigureTally } from './player-figures.ts';
import type { UnsavedNumbersData } from './unsaved-numbers.ts';

/**
 * Outcomes of operations. `failedUnsent` is the part of `failed` that was never sent, since the connection was lost; `idle` are
 * those for which the player had nothing to do.
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
  'idle',
] as const;
/** Conservation (judge/README.md): scheduled = ok + rejected + failed + timedOut + skipped + unfinished + idle, each counted separately. */
export type Counts = Readonly<Record<(typeof OUTCOMES)[number], number>>;

/** The results of connecting the players. */
export interface ConnectFacts {
  readonly connected: number;
  readonly failed: number;
  /** Up to five distinct messages, for the report. */
  readonly errors: readonly string[];
  /** TCP connect + WebSocket upgrade + welcome, in microseconds. */
  readonly connect: HistogramData;
  /** Its two parts, of players who reported when they were logged in; absent where the engine does not know. */
  readonly login?: HistogramData;
  readonly socket?: HistogramData;
}

/** Traffic of connections, and how often they were lost and reopened. */
export const TRAFFIC = [
  // Of the players' sockets, payload and framing.
  'bytesIn',
  'bytesOut',
  'framesIn',
  // Of the system's other actors, both directions.
  'commandBytes',
  // Of players and other actors: connections that ended unexpectedly or by a fault, and those that were reopened.
  'disconnects',
  'reconnects',
] as const;
export type TrafficCounts = Readonly<Record<(typeof TRAFFIC)[number], number>>;

/** The players' connections in one second. */
export interface SocketSecond {
  /** At its end. */
  readonly open: number;
  /** Opened in it: a TCP handshake each, and what TLS and WebSocket add. */
  readonly handshakes: number;
}

/** One second of all workers, merged. All values are deltas, except `at` and `connected`. */
export interface LoadSecond extends TrafficCounts {
  /** End of the second, microseconds after GO. */
  readonly at: Micros;
  readonly connected: number;
  /** Null where the engine does not tell. */
  readonly sockets: SocketSecond | null;
  /** Load workers that have not reported this second: their traffic counts for a later one. Absent: none. */
  readonly missing?: number;
  readonly operations: PerOperation<LoadSecondOperation>;
  /** Answers in each 200 ms, for the steady-state check: five slices, or fewer in the last second. */
  readonly slices: readonly LoadSlice[];
  /** By number; null where it has not reported. */
  readonly workers: readonly (WorkerSecond | ProcessSecond | null)[];
}

/** A fifth of a second. */
export interface LoadSlice {
  /** End of the slice, microseconds after GO. */
  readonly at: Micros;
  readonly operations: PerOperation<LoadSliceOperation>;
}

export interface LoadSliceOperation {
  readonly answered: number;
  /** p95 of the latency from the due time, microseconds; null without answers. */
  readonly p95: number | null;
}

/** `scheduled` counts the operations that were due in this second. */
export interface LoadSecondOperation extends Omit<Counts, 'unfinished'> {
  /** Gauge: sent and unanswered at the end of the second. */
  readonly inFlight: number;
  /** Latency from the due time, of the answers in this second. */
  readonly due: HistogramData;
}

/** A load-generating process as the host sees it: all that is known of external programs such as k6. */
export interface ProcessSecond {
  readonly pid: number;
  /** User and system CPU time in this second; null where the host does not report it. */
  readonly cpuSeconds: number | null;
  readonly memoryBytes: number | null;
}

/** A load worker of capbench, which also measures its event loop. */
export interface WorkerSecond extends ProcessSecond {
  /** Longest block of the event loop in this second. */
  readonly maxLoopDelayMs: number;
  /** Time by which the loop was late, beyond 10 ms per turn, summed. */
  readonly stalledMs: number;
  /** Time spent runnable and waiting for a CPU, by the kernel; null where it is not counted. */
  readonly waitedSeconds: number | null;
  /** 0..1. */
  readonly utilisation: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** The generator's record for the integrity check (judge/README.md), by entity of the workload. */
export interface Ledger {
  /** The last sequence number of each entity at its first welcome. */
  readonly base: Float64Array;
  /** The numbers above it that were sent, and those of them that were acknowledged. */
  readonly sent: NumberSetsData;
  readonly acked: NumberSetsData;
  /** 1 + the last value that the server stated of the entity, to be compared with its row (`Listener.stated`); 0: none. */
  readonly stated: Float64Array;
  readonly breaches: WelcomeBreaches;
  /** Only where servers acknowledge at two levels (`SystemWorkload.ledger`). */
  readonly levels?: UnsavedNumbersData;
}

/** Welcomes that contradict the record: acknowledged numbers are missing, or numbers were never sent. */
interface WelcomeBreaches {
  /** Lower bound of the numbers that were acknowledged, or covered by a welcome, and that a later welcome lacks. */
  readonly forgotten: number;
  /** Numbers up to a welcome's `lastSeq` that were never sent. */
  readonly invented: number;
  /** Up to ten, as sentences. */
  readonly examples: readonly string[];
}

export interface OperationTally {
  /** Over the whole run. */
  readonly whole: Counts;
  /** Of operations due in the measure phase. */
  readonly measured: Counts;
  /** Answered operations that were due in the measure phase; microseconds. */
  readonly due: HistogramData;
  /** The part of `due` that was rejected; null where the engine does not measure it separately. */
  readonly rejected: HistogramData | null;
  /**
   * `due` minus `ownLag` of each operation: the latency if the generator had been on time. Null where the engine does not
   * measure it.
   */
  readonly net: HistogramData | null;
  readonly service: HistogramData;
  readonly lag: HistogramData;
  /**
   * The part of the schedule lag that the generator itself caused: from the time at which the operation could have been
   * sent (it was due, its player had a free slot, and its connection accepted it) until it was sent. The rest of the lag is
   * the server's, which had not answered earlier operations. It includes operations that the worker skipped because it was
   * late itself, until they were skipped.
   */
  readonly ownLag: HistogramData;
}

/** Of operations due in one stage. */
export interface StageOperationTally extends Pick<OperationTally, 'due' | 'service' | 'lag'> {
  readonly counts: Counts;
  /** The part of `due` that was rejected. */
  readonly rejected: HistogramData;
}

/** Connections during one stage. */
export interface StageConnectionTally extends Pick<TrafficCounts, 'disconnects' | 'reconnects'> {
  /** Players who left (churn), and who rejoined. */
  readonly left: number;
  readonly joined: number;
  /** Of reconnected players: TCP, upgrade and welcome of the successful attempt. Microseconds. */
  readonly connect: HistogramData;
  /** Of the same: from the loss of the connection (or the end of the time away) to the next welcome. */
  readonly reconnect: HistogramData;
  /** Players who were cut off when the stage began. */
  readonly cut: number;
  /** From the cut until as many were connected as before, microseconds; null when none were cut, or it never happened. */
  readonly fullStrength: number | null;
}

export interface StageTally extends StageConnectionTally {
  readonly operations: PerOperation<StageOperationTally>;
}

/** What the kernel counted of the players' connections between two times, and what the load had counted at the same times. */
export interface KernelTraffic {
  readonly seconds: number;
  /** Payload of TCP. */
  readonly kernel: SocketBytes;
  /** Of all connections. */
  readonly load: SocketBytes;
  /** The part of `load` that is not in `kernel`: the kernel forgets a connection that closes. */
  readonly unseen: SocketBytes;
}

/** An agent, on which load workers ran, and how well its clock was known. */
export interface AgentFacts extends ClockFacts {
  readonly address: string;
  /** How many: the first agent has the first ones. */
  readonly workers: number;
  /** It is on the machine that runs the scenario: its workers use the CPU of that. */
  readonly onThisHost: boolean;
}

export interface Tally extends TrafficCounts {
  readonly operations: PerOperation<OperationTally>;
  /** From the loss of a connection to the next welcome, microseconds. */
  readonly reconnect: HistogramData;
  /** Unexpected answers: the server violates the protocol. */
  readonly strayAnswers: number;
  /** Why `bytesIn`, `bytesOut`, `framesIn` and the seconds' `sockets` are incomplete, if they are. */
  readonly unseenTraffic?: string;
  /** Of the measure phase, or why it is not known; absent where the engine does not ask the kernel. */
  readonly kernelTraffic?: KernelTraffic | { readonly because: string };
  /** What players were to hear of each other; absent where a player module expected and heard nothing. */
  readonly deliveries?: DeliveryTally;
  /** What a player module measured itself, by name; absent where it is nothing. */
  readonly figures?: Readonly<Record<string, PlayerFigureTally>>;
  /** Up to five distinct messages. */
  readonly errors: readonly string[];
  readonly ledger: Ledger;
  /** Why the ledger is incomplete, if it is, so that rows cannot be compared with it. */
  readonly ledgerLost?: string;
  /** Where load workers ran at agents, in the order of the workers; absent: none did. */
  readonly agents?: readonly AgentFacts[];
  /** The end of the schedule, microseconds after GO: the timeline's end, or the time of an early stop. */
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
   * GO, on the host's monotonic clock, if the engine had to fix it before READY (k6 cannot be told later); null: `run`
   * sets it.
   */
  readonly go: Micros | null;
  readonly connect: ConnectFacts;
  /** How long the user's module prepared the run before any player connected; absent where it did not. */
  readonly prepareMs?: number;
  readonly workerPids: readonly number[];
  /** The workers' log files, name -> path, if they have content. Removed by `close`. */
  readonly logs?: ReadonlyMap<string, string>;
  /**
   * Starts the schedule at `go` on the host's monotonic clock (the engine's own `go`, if it has one); resolves after the
   * drain.
   * @throws CapbenchError 93 when a worker failed, 105 when the fleet was closed meanwhile
   */
  run(go: Micros, onSecond: (second: LoadSecond) => void): Promise<Tally>;
  /**
   * Cuts the connections of a share of the connected players, chosen by the seed, without a close frame. Resolves to the
   * number of cut connections, 0 outside of a run. `stage`: the stage that starts with this reconnect storm.
   */
  drop(sharePercent: number, seed: number, stage?: number): Promise<number>;
  /**
   * The current ledger over all workers.
   * @throws CapbenchError (93) when a worker does not answer within 10 s, or has ended
   */
  ledger(): Promise<Ledger>;
  /** Ends the schedule now; `run` drains and resolves. Idempotent. */
  stop(): void;
  /** What the user's module did wrong while it was closed; complete once `close` has resolved. */
  readonly closingErrors?: readonly string[];
  /** Ends every connection and process. Idempotent. */
  close(): Promise<void>;
}

export const ENGINES = ['native', 'k6', 'autocannon'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Reads log files, name -> path. */
export type KeepLogs = (logs: ReadonlyMap<string, string>) => Promise<void>;

/** Generates the load. */
export interface Engine {
  readonly name: EngineName;
  /** Processes of this host that make the load, and that this process has not started. Absent: there are none. */
  readonly otherPids?: ReadonlySet<number>;
  /**
   * Connects every player; resolves when READY. Fails before starting if descriptors or ports do not suffice. `keepLogs` is
   * called with the logs of its processes, where they have content, when these have ended and before the logs are removed:
   * also where this rejects.
   */
  prepare(workload: Workload, at: Endpoints, signal: AbortSignal, keepLogs?: KeepLogs): Promise<ReadyFleet>;
}
