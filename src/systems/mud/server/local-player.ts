import type { WebSocket } from 'ws';
import { encodeFrame, type Frame } from '../wire.ts';

/** A player whose connection this instance has. All that outlives the connection is in Redis and PostgreSQL. */
export interface LocalPlayer {
  readonly player: number;
  readonly socket: WebSocket;
  /** The value of its session key while it is connected here. */
  readonly session: string;
  /** The number of its room. */
  room: number;
  isOpen: boolean;
  /** Its row in PostgreSQL has commands that its state in Redis may lack. */
  isAway: boolean;
  /** As whoever saved its state has seen. Redis goes on meanwhile, since what it lacks is merged later. */
  isBehind: boolean;
  /** When its last command was allowed, milliseconds of performance.now(). */
  allowedAt: number;
  /** The end of what it asked for: its commands are carried out one after the other. */
  tail: Promise<void>;
}

export const send = ({ socket }: Pick<LocalPlayer, 'socket'>, frame: Frame): void => {
  if (socket.readyState === socket.OPEN) socket.send(encodeFrame(frame));
};

/** Does something for a player after all that was asked for before; it must not throw. */
export function enqueue(local: LocalPlayer, task: () => Promise<void>): Promise<void> {
  local.tail = local.tail.then(task);
  return local.tail;
}
