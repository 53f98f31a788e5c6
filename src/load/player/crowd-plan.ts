import type { Complaints } from '../complaints.ts';
import type { SequenceLedger } from '../ledger.ts';
import type { PlayerPacer } from '../pacer.ts';
import type { Recorder } from '../recorder.ts';
import type { ScheduleHash } from '../schedule-hash.ts';

/** What the players of one worker are to do. */
export interface CrowdPlan {
  /** Entity ids of the worker's players. */
  readonly ids: Int32Array;
  readonly intentRate: number;
  readonly outstanding: number;
  /** Microseconds, as is `timeout`. */
  readonly skipAfter: number;
  readonly timeout: number;
}

/** Who brings players back whose connection has ended. */
export interface Comeback {
  lost(player: number): void;
  /** Those who have left by themselves, after `away` microseconds. */
  left(player: number, away: number): void;
}

/** What a crowd works with; the monsters of the worker share all but the pacer. */
export interface CrowdTools {
  readonly pacer: PlayerPacer;
  readonly recorder: Recorder;
  readonly ledger: SequenceLedger;
  readonly hash: ScheduleHash;
  readonly complaints: Complaints;
  /** Microseconds after GO. */
  readonly now: () => number;
}
