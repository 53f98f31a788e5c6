import type { Listener } from './connection.ts';

/**
 * One simulated player, as a state machine. Its numbers live in typed arrays of the crowd (crowd.ts): there is
 * no object for a player beside its socket, and none for an operation.
 *
 *   connecting --welcome--> ready --GO--> playing --no more due--> draining --close--> closed
 *       |                     |              |                        |
 *       +----- refused, connection ended, garbage received -----------+-----------> lost
 *
 * Where the workload says `reconnect`, the end of a connection leads elsewhere, as long as the run goes on:
 *
 *   ready, playing, draining --connection ended, garbage received--> reconnecting --welcome--> where it was
 *
 * And where there is churn (churn.ts), a player that is told to leave does so, with a clean close, once nothing of its is
 * unanswered; it is `reconnecting` from then on, and joins again after a while.
 *
 * connecting  TCP, upgrade and welcome are under way; nothing is due yet
 * ready       welcomed: it knows its place and the last sequence number used
 * playing     sends what is due, at most `outstanding` unanswered; what is due meanwhile waits, and is sent as
 *             soon as an answer frees a slot, or skipped once it is `skipAfter` late
 * draining    nothing more is due; answers are awaited
 * closed      ended by us
 * lost        ended by the server, or by us because it spoke garbage: what was unanswered or waiting has failed,
 *             and so does everything that comes due later. A lost player does not come back.
 * reconnecting  ended likewise, and tries to connect again (reconnector.ts): what was unanswered has failed; what
 *             waits, or comes due, waits for the connection as it would for a slot, and is skipped once it is
 *             `skipAfter` late. The welcome says which of the unanswered numbers are committed and which are
 *             void and used again (ledger.ts). READY and GO wait for nobody who is in this state.
 */
export const PLAYER = {
  connecting: 0,
  ready: 1,
  playing: 2,
  draining: 3,
  closed: 4,
  lost: 5,
  reconnecting: 6,
} as const;

/** What a server says to a player that it lets in. */
export interface Welcome {
  /** The last sequence number used: everything up to it is committed. Null where a server keeps no numbers. */
  readonly lastSequence: number | null;
  /** What the server states of the player, a number that its rows can be held against; null when it states nothing. */
  readonly stated: number | null;
}

/**
 * How the players of one kind of world talk over a WebSocket: what they know, what they say, how they read. Players
 * are numbered from 0 within the worker. One file for each world.
 */
export interface Voice {
  /** Bytes of the longest frame that is taken; a longer one ends the connection. */
  readonly mostPayload: number;
  /** The path of a player's socket. */
  path(playerId: number): string;
  /** Reads the first frame of a connection; null when it is no welcome. Not there: nobody is welcomed. */
  welcome?(player: number, frame: string): Welcome | null;
  /** The frame of the player's next intent. ASCII. */
  intent(player: number, sequence: number): string;
  /** Reads any later frame; false when it is garbage. */
  hear(player: number, frame: string, listener: Listener): boolean;
}
