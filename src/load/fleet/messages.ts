import type { Reachable } from '../../address/access.ts';
import type { Cause } from '../../address/connection-cause.ts';
import type { PerOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';
import type {
  ConnectFacts,
  EngineName,
  Ledger,
  LoadSecondOperation,
  StageTally,
  Tally,
  TrafficCounts,
  WorkerSecond,
} from '../engine.ts';
import { isRecord } from '../json.ts';
import type { WorkerSlice } from '../slices.ts';

/** Half-open. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A server as the workers reach it, and the players it is to have, by their numbers. A system may add what its own side needs. */
export interface FleetWorld extends Reachable {
  readonly players: Range;
}

/** All that a worker has to know; plain data. */
export interface WorkerSetup {
  readonly worker: number;
  readonly workers: number;
  /** Unique for the run: part of the names that workers give themselves. */
  readonly run: string;
  readonly workload: Workload;
  /** The system's side of a worker: a module that exports what load/source.ts describes, as a file URL. */
  readonly workerModule: string;
  /** Which engine these processes are, for a system whose side has more than one way to write. */
  readonly engine: EngineName;
  readonly worlds: readonly FleetWorld[];
  /** Local addresses to bind. */
  readonly sources: readonly string[];
  /** For each of the worker's players: 0 for the system's choice, else 1 + index in `sources`. */
  readonly sourceOf: Uint8Array;
  /** The user's own module that plays; null where none does. */
  readonly module: PlayerModule | null;
}

/** A module of the user's own. */
export interface PlayerModule {
  /** Absolute. */
  readonly path: string;
  /** As the scenario names it. */
  readonly name: string;
}

/** What the fleet tells a worker. */
export type Order =
  | { readonly kind: 'setup'; readonly setup: WorkerSetup }
  | { readonly kind: 'go'; readonly go: number }
  | { readonly kind: 'stop' }
  /** Questions, each with a number that its answer bears. */
  | {
      readonly kind: 'drop';
      readonly ask: number;
      readonly sharePercent: number;
      readonly seed: number;
      /** Of the timeline, where it is the storm with which it begins. */
      readonly stage: number | null;
    }
  | { readonly kind: 'tellLedger'; readonly ask: number }
  | { readonly kind: 'close' };

/** One second of one worker. Deltas, but for `connected` and `inFlight`. */
export interface WorkerReport extends TrafficCounts {
  /** The k-th second after GO ends at k seconds. */
  readonly second: number;
  /** Its end, microseconds after GO; the last one ends with the drain. */
  readonly at: number;
  readonly connected: number;
  readonly operations: PerOperation<LoadSecondOperation>;
  /** Those that ended with this second; the last report holds the slice that is not over, too. */
  readonly slices: readonly WorkerSlice[];
  readonly worker: WorkerSecond;
}

export interface WorkerTally
  extends TrafficCounts,
    Pick<Tally, 'operations' | 'reconnect' | 'strayAnswers' | 'ledger'> {
  /** Why the bytes of the players' connections are not all counted; null where they are. */
  readonly unseenTraffic: string | null;
  readonly errors: readonly (readonly [message: string, count: number])[];
  readonly endedAt: number;
  /** Of the timeline's stages, in order. */
  readonly stages: readonly StageTally[];
  /** Null when the run was stopped with too much left to hash. */
  readonly hash: readonly [low: number, high: number] | null;
}

/** What a worker says when it is asked. */
export type Answer =
  | { readonly kind: 'dropped'; readonly ask: number; readonly players: number }
  | { readonly kind: 'ledger'; readonly ask: number; readonly ledger: Ledger };

/** What a worker tells the fleet. */
export type Report =
  | Answer
  /** Its event loop turns: said each second, whatever else there is to say. */
  | { readonly kind: 'alive' }
  | {
      readonly kind: 'connecting';
      readonly connected: number;
      readonly failed: number;
      /** Of the first player that could not connect. */
      readonly refusal: Cause | null;
    }
  | { readonly kind: 'ready'; readonly facts: ConnectFacts; readonly refusal: Cause | null }
  | { readonly kind: 'second'; readonly report: WorkerReport }
  | { readonly kind: 'done'; readonly tally: WorkerTally }
  /** A server did not let it: the fleet cannot get READY. */
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string | null }
  /** A bug of ours. */
  | { readonly kind: 'broken'; readonly message: string };

const ORDERS = ['setup', 'go', 'stop', 'drop', 'tellLedger', 'close'];
const REPORTS = ['alive', 'connecting', 'ready', 'second', 'done', 'dropped', 'ledger', 'refused', 'broken'];

const isOneOf = (message: unknown, kinds: readonly string[]): boolean =>
  isRecord(message) && typeof message.kind === 'string' && kinds.includes(message.kind);

/** Both ends of the channel are ours: the kind tells the rest. */
export const isOrder = (message: unknown): message is Order => isOneOf(message, ORDERS);
export const isReport = (message: unknown): message is Report => isOneOf(message, REPORTS);
