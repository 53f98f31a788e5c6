import type { EndedMatch, Match } from './match.ts';
import type { RequestFrame } from './wire.ts';

/** What a server's first process and its workers say to each other, as JSON over IPC. */

export type ToWorker =
  /** The first message: the matches of a worker that this one replaces, which it loads from Redis. */
  | { readonly kind: 'recover'; readonly matches: readonly number[] }
  | {
      readonly kind: 'request';
      readonly player: number;
      /** The match that it is about; one that is created gets this id and code. */
      readonly match: Pick<Match, 'id' | 'code'>;
      readonly frame: RequestFrame;
    }
  /** Say where its match stands to a player. `first`: who has just connected. */
  | { readonly kind: 'view'; readonly player: number; readonly match: number; readonly first: boolean }
  /** Take over a match that another server played: its players have come here. */
  | { readonly kind: 'take'; readonly match: number }
  /** The match is committed. */
  | { readonly kind: 'saved'; readonly match: number }
  /** Its players are in another match, and nobody plays it any more. */
  | { readonly kind: 'leave'; readonly match: number }
  /** It was created twice, and this one was not acknowledged. */
  | { readonly kind: 'forget'; readonly match: number }
  | { readonly kind: 'close' };

/** A match that a worker has loaded. */
export interface LoadedMatch extends Pick<Match, 'id' | 'code'> {
  readonly players: readonly { readonly player: number; readonly entry: number }[];
}

/** Text frames by player. */
export type Sends = readonly (readonly [player: number, text: string])[];

export type FromWorker =
  | { readonly kind: 'ready'; readonly matches: readonly LoadedMatch[] }
  | {
      readonly kind: 'did';
      readonly sends: Sends;
      /** The request that this answers, and whether it was done. */
      readonly answers?: { readonly player: number; readonly id: number; readonly isOk: boolean };
      readonly created?: Pick<Match, 'id' | 'code'> & { readonly player: number };
      readonly joined?: { readonly match: number; readonly player: number };
      /** Created in vain. */
      readonly dropped?: number;
    }
  /** The match that it was to take over; null if Redis has not got it as a whole. */
  | { readonly kind: 'taken'; readonly id: number; readonly match: LoadedMatch | null }
  /** Another server has taken the match over. */
  | { readonly kind: 'moved'; readonly id: number }
  | { readonly kind: 'ended'; readonly match: EndedMatch }
  | { readonly kind: 'usage'; readonly usage: WorkerUsage };

export interface WorkerUsage {
  readonly heapBytes: number;
  /** Times that Redis no longer had a match that is played, since the worker's start. */
  readonly evicted: number;
  /** Round trips that failed, since the worker's start. */
  readonly redisFailures: number;
}
