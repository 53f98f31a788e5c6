import type { MicrosHistogram } from '../hdr-histogram.ts';
import type { ErrorCounts } from './error-counts.ts';
import type { WorkerSetup } from './fleet/messages.ts';
import type { SequenceLedger } from './ledger.ts';
import type { Protocol } from './player/connection.ts';
import type { Recorder } from './recorder.ts';
import type { ScheduleHash } from './schedule-hash.ts';

/** What everything in a worker that makes load works with. Times are whole microseconds after GO. */
export interface SourceTools {
  readonly recorder: Recorder;
  readonly ledger: SequenceLedger;
  readonly hash: ScheduleHash;
  readonly errors: ErrorCounts;
  readonly now: () => number;
  /** From the end of a connection to the welcome of the next one; null where who is lost stays lost. */
  readonly reconnect: MicrosHistogram | null;
  /** A line of the worker's log. */
  readonly log: (line: string) => void;
}

/** What a source has met since the run began. */
export const SOURCE_COUNTS = ['bytesIn', 'bytesOut', 'disconnects', 'reconnects', 'strayAnswers'] as const;
export type SourceCounts = Readonly<Record<(typeof SOURCE_COUNTS)[number], number>>;

/**
 * Whoever acts beside the players: a worker's share of it. HOT: the worker's one timer calls `send`.
 * Every operation is scheduled, sent and settled in the recorder, and hashed when it comes due.
 */
export interface Source {
  /** Connects to every server. @throws an Error that names the server that did not let it. */
  open(): Promise<void>;
  /** How often a second something of its is due at its busiest: a worker that is seldom needed wakes to the moment. */
  readonly perSecond: number;
  /** Infinity when nothing more is due. */
  readonly nextDue: number;
  /** Everything that is due by now, up to a turn's worth sent; true when more is due already. */
  send(now: number): boolean;
  /** Times out what is unanswered for too long, skips what waits for too long. */
  sweep(now: number): void;
  /** Nothing is due from now on; what was due before has been scheduled. */
  stop(now: number): void;
  /** The end of the drain: unanswered is unfinished. */
  finish(now: number): void;
  /** Nothing more is due, waits or is unanswered. */
  readonly isDrained: boolean;
  /** Operations sent and not settled, of one index in the workload's operations. */
  inFlight(operation: number): number;
  counts(): SourceCounts;
  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean;
  close(): void;
}

/**
 * A system's side of a load worker: what its module exports. It is loaded by the worker's process, and imports no
 * schema library and no database driver.
 */
export interface WorkerModule {
  /** How the system's players talk. @throws an Error with what the user has to mend */
  openProtocol(setup: WorkerSetup, tools: SourceTools, ids: Int32Array): Protocol | Promise<Protocol>;
  /** Who acts beside them; absent: nobody. */
  openSources?(setup: WorkerSetup, tools: SourceTools): readonly Source[] | Promise<readonly Source[]>;
}
