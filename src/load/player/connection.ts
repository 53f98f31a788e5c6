import type { Reachable } from '../../address/access.ts';
import type { Cause } from '../../address/connection-cause.ts';
import type { Outcome } from '../outcome.ts';
import type { PlayerSockets } from './player-sockets.ts';

/** One player's connection; the only object per player. HOT. */
export interface Connection {
  /** False once it accepts nothing more. */
  readonly isOpen: boolean;
  /** Sets the listener. */
  listen(listener: Listener): void;
  /**
   * Sends an operation and returns its size in bytes; `operation` is the index in the workload's operations. The answer may
   * come synchronously.
   */
  send(operation: number, sequence: number, due: number): number;
  /** Closes it as the protocol demands. */
  close(): void;
  /** Closes it abruptly, without a close frame; `ended` follows. */
  cut(): void;
}

/** Receives the events of connections. HOT. */
export interface Listener {
  /** Data has arrived; returns false when this connection is no longer in use. */
  received(player: number, connection: Connection, bytes: number): boolean;
  /** An operation has ended: `ok`, `rejected` (both are answers) or `failed`. */
  answered(player: number, sequence: number, outcome: Outcome): void;
  /**
   * The player had nothing to do for an operation: nothing was sent, and the number is used again if it was the last. Only in
   * the turn of the event loop in which it was sent.
   */
  idled(player: number, connection: Connection, sequence: number): void;
  /**
   * An operation that follows from an answer has become possible: it is due now, or was at the planned time `due` between GO and
   * now, and is sent soon after this call. False if it is not begun: before GO, after the end of the schedule, when the player
   * is about to leave, or this connection is not in use.
   */
  begin(player: number, connection: Connection, operation: number, due?: number): boolean;
  /** An answer states a value of the player, to be compared with its row (Welcome). */
  stated(player: number, what: number): void;
  /** All answers of the received data were reported: slots may be free. */
  receivedAll(player: number): void;
  /** An unexpected answer, or one that violates the protocol. */
  unexpected(message: string): void;
  /** The connection has ended, or violated the protocol. */
  ended(player: number, connection: Connection): void;
}

/** How the players of a worker reach their servers. */
export interface Protocol {
  /** The connections of its players. */
  readonly sockets: PlayerSockets;
  /** Whether bytes are taken from the sockets; else from `received` and `send`. */
  readonly countsSockets: boolean;
  /** One attempt to connect one player. */
  dial(player: number, dialler: Dialler): void;
  /**
   * Why its connections and their bytes are not all counted; null if they are. Absent: they always are. `silent`: answers came in
   * the measure phase, in which the sockets carried nothing.
   */
  readonly unseenTraffic?: (silent: boolean) => string | null;
}

/** The welcome of a server to a player. */
export interface Welcome {
  /** The last sequence number used; everything up to it is committed. Null if the server keeps no numbers. */
  readonly lastSequence: number | null;
  /** A value of the player that can be compared with its row; null if the server states none. */
  readonly stated: number | null;
  /** Microseconds from the beginning of the attempt until the player was logged in, where the protocol reports it; else absent. */
  readonly loggedInAfter?: number;
}

/** Receives the result of an attempt to connect: one call of `welcomed` or `refused`. */
export interface Dialler {
  /** False: connections that are welcomed now are closed. */
  readonly isOpen: boolean;
  /** `took`: the duration of the whole attempt, in microseconds. */
  welcomed(player: number, connection: Connection, welcome: Welcome, took: number): void;
  refused(player: number, cause: Cause): void;
}

/** Destination and source of a player's connection. */
export interface Route extends Reachable {
  /** A local address to bind; null for the operating system's choice. */
  readonly source: string | null;
}
