import type { Listener, Welcome } from './connection.ts';

/**
 * How the players of one system talk over a WebSocket: what they know, how they write, how they read. Players are
 * numbered from 0 within the worker.
 */
export interface PlayerCodec {
  /** Bytes of the longest frame that is taken; a longer one ends the connection. */
  readonly mostPayload: number;
  /** The path of a player's socket. */
  path(playerId: number): string;
  /** Reads the first frame of a connection; null when it is no welcome. Not there: nobody is welcomed. */
  welcome?(player: number, frame: string): Welcome | null;
  /** The frame of the player's next operation, by its index in the workload's operations. ASCII. */
  encode(player: number, operation: number, sequence: number): string;
  /** Reads any later frame; false when it is garbage. */
  decode(player: number, frame: string, listener: Listener): boolean;
}
