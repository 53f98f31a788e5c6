import type { Reachable } from '../../address/access.ts';
import type { Cause } from '../../address/connection-cause.ts';
import type { Outcome } from '../outcome.ts';

/** One player's connection, as the pool uses it; it is the only object that a player has. HOT. */
export interface Connection {
  /** False from the moment at which it takes nothing any more. */
  readonly isOpen: boolean;
  /** From now on this one is told. */
  listen(listener: Listener): void;
  /**
   * Puts an operation on its way, and says how many bytes that is; `operation` is its index in the workload's
   * operations. It may be answered at once.
   */
  send(operation: number, sequence: number, due: number): number;
  /** Ends it as the protocol has it. */
  close(): void;
  /** Ends it without a word. That it has ended is told all the same, later. */
  cut(): void;
}

/** What a connection tells. HOT. */
export interface Listener {
  /** Something has come; false when nobody listens to this connection any more. */
  heard(player: number, connection: Connection, bytes: number): boolean;
  /** What became of an operation: `ok`, `rejected` (both are answers) or `failed`. */
  answered(player: number, sequence: number, outcome: Outcome): void;
  /** An answer states something of the player that rows can be held against (Welcome). */
  stated(player: number, what: number): void;
  /** All that had come has been told: slots may be free. */
  heardAll(player: number): void;
  /** An answer that nobody waits for, or none of the protocol. */
  stray(message: string): void;
  /** Bytes beside those of `heard` and `send`. */
  carried(bytesIn: number, bytesOut: number): void;
  /** The connection has ended, or is not worth keeping. */
  ended(player: number, connection: Connection): void;
}

/** How the players of a worker reach their servers. */
export interface Protocol {
  /** One attempt to connect one player. */
  dial(player: number, dialler: Dialler): void;
  /** Why the bytes of its connections are not all counted; null where they are. Absent: they always are. */
  readonly unseenTraffic?: string | null;
}

/** What a server says to a player that it lets in. */
export interface Welcome {
  /** The last sequence number used: everything up to it is committed. Null where a server keeps no numbers. */
  readonly lastSequence: number | null;
  /** What the server states of the player, a number that its rows can be held against; null when it states nothing. */
  readonly stated: number | null;
}

/** Who dials, and hears how it ended: one of the two, once. */
export interface Dialler {
  /** False: whoever is welcomed now is turned away. */
  readonly isOpen: boolean;
  /** `took`: all that it took to be connected, in microseconds. */
  welcomed(player: number, connection: Connection, welcome: Welcome, took: number): void;
  refused(player: number, cause: Cause): void;
}

/** Where a player's connection goes, and from where. */
export interface Route extends Reachable {
  /** A local address to bind; null for the system's choice. */
  readonly source: string | null;
}
