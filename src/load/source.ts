import type { MicrosHistogram } from '../hdr-histogram.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { ErrorCounts } from './error-counts.ts';
import type { Preparation, WorkerSetup } from './fleet/messages.ts';
import type { SequenceLedger } from './ledger.ts';
import type { Protocol } from './player/connection.ts';
import type { PlayerFigures } from './player-figures.ts';
import type { Recorder } from './recorder.ts';
import type { ScheduleHash } from './schedule-hash.ts';

/** Shared by the pool and the sources of a worker. Times are whole microseconds after GO. */
export interface SourceTools {
  readonly recorder: Recorder;
  readonly ledger: SequenceLedger;
  readonly hash: ScheduleHash;
  readonly errors: ErrorCounts;
  /** What players expect each other to hear; null where nobody tells, and in the calibration. */
  readonly deliveries: DeliveryLog | null;
  /** What a player module measures itself. */
  readonly figures: PlayerFigures;
  readonly now: () => number;
  /** From the loss of a connection to the next welcome; null if lost connections are not reopened. */
  readonly reconnect: MicrosHistogram | null;
  /** A line of the worker's log. */
  readonly log: (line: string) => void;
}

/** Counts of a source since the run started. */
export const SOURCE_COUNTS = ['bytesIn', 'bytesOut', 'disconnects', 'reconnects', 'strayAnswers'] as const;
export type SourceCounts = Readonly<Record<(typeof SOURCE_COUNTS)[number], number>>;

/**
 * An actor besides the players, such as monsters: one worker's part of it. HOT: the worker's timer calls `send`. Every
 * operation is scheduled and settled in the recorder, and hashed when it is due.
 */
export interface Source {
  /** Connects to every server. @throws an Error that names the server that refused */
  open(): Promise<void>;
  /** Due times a second at the highest rate, which decide whether the worker uses the precise timer. */
  readonly perSecond: number;
  /** Infinity when nothing more is due. */
  readonly nextDue: number;
  /** Sends what is due by now, up to the limit of a turn; true when more is due already. */
  send(now: number): boolean;
  /** Times out operations that are unanswered, and skips those that wait, for too long. */
  sweep(now: number): void;
  /** Ends the schedule now; what was due before is scheduled. */
  stop(now: number): void;
  /** The end of the drain: unanswered operations are unfinished. */
  finish(now: number): void;
  /** Nothing is due, waiting or unanswered. */
  readonly isDrained: boolean;
  /** Operations sent and not settled, of one index in the workload's operations. */
  inFlight(operation: number): number;
  counts(): SourceCounts;
  /** Hashes planned operations that never became due, at most `most`; true when none is left. */
  hashRest(most: number): boolean;
  close(): void;
}

/**
 * The exports of a system's worker module. It is loaded by the load workers, so it must not import a schema library or a
 * database driver.
 */
export interface WorkerModule {
  /** The protocol of the system's players. @throws an Error with what the user has to fix */
  openProtocol(setup: WorkerSetup, tools: SourceTools, ids: Int32Array): Protocol | Promise<Protocol>;
  /** Prepares the run, once, before the workers exist; null where there is nothing to do. @throws an Error with what is wrong */
  prepare?(setup: WorkerSetup, log: (line: string) => void, signal: AbortSignal): Promise<Preparation | null>;
  /** The system's other actors; absent: none. */
  openSources?(setup: WorkerSetup, tools: SourceTools): readonly Source[] | Promise<readonly Source[]>;
}
