import type { Reachable } from '../../address/access.ts';
import type { Cause } from '../../address/connection-cause.ts';
import type { PerOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { DeliveryBatch } from '../delivery-log.ts';
import type {
  ConnectFacts,
  EngineName,
  Ledger,
  LoadSecondOperation,
  SocketSecond,
  StageTally,
  Tally,
  TrafficCounts,
  WorkerSecond,
} from '../engine.ts';
import { isRecord } from '../json.ts';
import type { ConnectionBytes, SocketBytes } from '../player/player-sockets.ts';
import type { PlayerInputs } from '../player-data.ts';
import type { PlayerFigureTally } from '../player-figures.ts';
import type { WorkerSlice } from '../slices.ts';

/** Half-open. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A server as the workers reach it, and its players by number. A system may add data for its worker module. */
export interface FleetWorld extends Reachable {
  readonly players: Range;
  /** Each group of players (Workload.group) connects from a loopback address of its own; absent: from as few as are needed. */
  readonly sources?: 'per-group';
}

/** The setup of a worker; plain data. */
export interface WorkerSetup {
  readonly worker: number;
  readonly workers: number;
  /** Unique for the run; part of the names that workers send to servers. */
  readonly run: string;
  readonly workload: Workload;
  /** File URL of the system's worker module (load/source.ts). */
  readonly workerModule: string;
  /** The engine, for a worker module that supports several. */
  readonly engine: EngineName;
  readonly worlds: readonly FleetWorld[];
  /** Local addresses to bind. */
  readonly sources: readonly string[];
  /** For each of the worker's players: 0 for the operating system's choice, else 1 + index in `sources`. */
  readonly sourceOf: Uint16Array;
  /** The user's player module, or null. */
  readonly module: PlayerModule | null;
  /** JSON of what the module's `prepare` returned; null or absent where there is none. */
  readonly prepared?: string | null;
  readonly inputs: PlayerInputs;
}

/** A user's module may tell what players hear, and so do the players of some worlds; in the calibration nobody hears anything. */
export const followsDeliveries = ({ module, workload }: Pick<WorkerSetup, 'module' | 'workload'>): boolean =>
  (module !== null || workload.deliveries === true) && workload.isCalibration !== true;

/** A user's player module. */
export interface PlayerModule {
  /** Absolute. */
  readonly path: string;
  /** As the scenario names it. */
  readonly name: string;
}

/** Messages from the fleet to a worker. */
export type Order =
  | { readonly kind: 'setup'; readonly setup: WorkerSetup }
  /** Only to a process that does nothing else (preparation.ts). */
  | { readonly kind: 'prepare'; readonly setup: WorkerSetup }
  | { readonly kind: 'go'; readonly go: number }
  | { readonly kind: 'stop' }
  /** Requests, with a number that the answer repeats. */
  | {
      readonly kind: 'drop';
      readonly ask: number;
      readonly sharePercent: number;
      readonly seed: number;
      /** The stage that starts with this reconnect storm. */
      readonly stage: number | null;
    }
  | { readonly kind: 'readLedger'; readonly ask: number }
  /** `each`: of each connection, too. */
  | { readonly kind: 'readTraffic'; readonly ask: number; readonly each: boolean }
  /** Every delivery was heard, or has been given up: nothing more to wait for. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'close' };

/** One second of one worker. All values are deltas, except `connected` and `inFlight`. */
export interface WorkerReport extends TrafficCounts {
  /** Second k ends k seconds after GO. */
  readonly second: number;
  /** End of the second, microseconds after GO; the last one ends with the drain. */
  readonly at: number;
  readonly connected: number;
  readonly sockets: SocketSecond;
  readonly operations: PerOperation<LoadSecondOperation>;
  /** Slices that ended in this second; the last report also has the unfinished one. */
  readonly slices: readonly WorkerSlice[];
  readonly worker: WorkerSecond;
}

export interface WorkerTally
  extends TrafficCounts,
    Pick<Tally, 'operations' | 'reconnect' | 'strayAnswers' | 'ledger'> {
  /** Why the bytes of the players' connections are not all counted; null if they are. */
  readonly unseenTraffic: string | null;
  readonly errors: readonly (readonly [message: string, count: number])[];
  readonly endedAt: number;
  readonly figures: Readonly<Record<string, PlayerFigureTally>>;
  /** Of the timeline's stages, in order. */
  readonly stages: readonly StageTally[];
  /** Null when the run was stopped early and too much was left to hash. */
  readonly hash: readonly [low: number, high: number] | null;
}

/** Answers of a worker to requests. */
export type Answer =
  | { readonly kind: 'dropped'; readonly ask: number; readonly players: number }
  | { readonly kind: 'ledger'; readonly ask: number; readonly ledger: Ledger }
  | ({ readonly kind: 'traffic'; readonly ask: number } & WorkerTraffic);

/** Of the players of a worker, now. */
export interface WorkerTraffic {
  /** As the load counts it. */
  readonly load: SocketBytes;
  /** Null where it was not asked for. */
  readonly connections: ConnectionBytes | null;
}

/** What a player module's `prepare` returned, and how long it took. */
export interface Preparation {
  /** JSON. */
  readonly result: string;
  readonly tookMs: number;
}

/** Messages from a worker to the fleet. */
export type Report =
  | Answer
  /** Sent every second, so that the fleet notices a blocked worker. */
  | { readonly kind: 'heartbeat' }
  | {
      readonly kind: 'connecting';
      readonly connected: number;
      readonly failed: number;
      /** Of the first player that could not connect. */
      readonly refusal: Cause | null;
    }
  | { readonly kind: 'ready'; readonly facts: ConnectFacts; readonly refusal: Cause | null }
  /** What was logged before a second ended comes before the report of that second. */
  | { readonly kind: 'deliveries'; readonly batch: DeliveryBatch }
  | { readonly kind: 'second'; readonly report: WorkerReport }
  /** Nothing is due, waiting or unanswered: only deliveries may be open. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'done'; readonly tally: WorkerTally }
  /** What the user's module did wrong since `done`, or since it was asked to close; the last message. */
  | { readonly kind: 'closed'; readonly errors: WorkerTally['errors'] }
  | { readonly kind: 'prepared'; readonly preparation: Preparation | null }
  /** It cannot start, for a reason that the user can fix. */
  | {
      readonly kind: 'refused';
      readonly message: string;
      readonly hint: string | null;
      /** It is for no reason of what is under load. */
      readonly of?: 'generator';
    }
  /** A bug in capbench. */
  | { readonly kind: 'crashed'; readonly message: string };

const ORDERS = ['setup', 'prepare', 'go', 'stop', 'drop', 'readLedger', 'readTraffic', 'settled', 'close'];
const REPORTS = [
  'heartbeat',
  'connecting',
  'ready',
  'deliveries',
  'prepared',
  'second',
  'drained',
  'done',
  'closed',
  'dropped',
  'ledger',
  'traffic',
  'refused',
  'crashed',
];

const isOneOf = (message: unknown, kinds: readonly string[]): boolean =>
  isRecord(message) && typeof message.kind === 'string' && kinds.includes(message.kind);

/** Both ends of the channel are capbench's, so checking the kind suffices. */
export const isOrder = (message: unknown): message is Order => isOneOf(message, ORDERS);
export const isReport = (message: unknown): message is Report => isOneOf(message, REPORTS);
