import type { OperationSpec } from '../../scenario/operations.ts';
import type { PlayerSockets } from '../player/player-sockets.ts';
import type { SocketClient } from '../player/socket.ts';
import type { SocketPlan } from '../player/socket-protocol.ts';
import type { WatchedDials } from '../player/watched-dials.ts';
import type { SourceTools } from '../source.ts';
import type { PlayerCode, WorldPart } from './player-code.ts';

/** What a worker's players by module are made from. */
export interface ModulePlan
  extends Omit<SocketPlan, 'codec'>,
    Pick<SourceTools, 'now' | 'log' | 'deliveries' | 'figures'> {
  /** The connections that the players open to the servers, and what they did that cannot be seen. */
  readonly sockets: PlayerSockets;
  readonly dials: WatchedDials;
  /** What `context.openSocket` offers and accepts, unless it is called with something else. */
  readonly client: SocketClient;
  /** The variables of `context.env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly code: PlayerCode;
  readonly seed: number;
  /** Number of all players, and of those in a group. */
  readonly players: number;
  readonly group: number;
  /** The kinds of operations, by their index in the workload. */
  readonly operations: readonly Pick<OperationSpec, 'id' | 'due'>[];
  readonly urls: readonly string[];
  /** Null: the module is a user's. */
  readonly world: WorldPart | null;
  /** What the module's `prepare` returned. */
  readonly prepared: unknown;
}
