import type { WebSocket } from 'ws';
import type { NumberRanges } from '../../../number-ranges.ts';
import { encodeFrame, type Frame } from '../wire.ts';
import type { RateLimit } from './rate-limit.ts';

/** Of a client that does not read, bytes; its connection is given up then. */
const MOST_BUFFERED = 4 * 2 ** 20;

/** Bytes and frames of all players' connections. */
export class Traffic {
  frames = 0;
  bytesOut = 0;
  bytesIn = 0;

  received(bytes: number): void {
    // A client's frames are masked with four bytes.
    this.bytesIn += frameBytes(bytes) + 4;
  }

  send(socket: WebSocket, frame: Frame): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MOST_BUFFERED) {
      socket.terminate();
      return;
    }
    const text = encodeFrame(frame);
    this.frames += 1;
    this.bytesOut += frameBytes(Buffer.byteLength(text));
    socket.send(text);
  }

  /** Asks a client whether it is there. */
  ping(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    this.bytesOut += frameBytes(0);
    socket.ping();
  }
}

/** With the head of a WebSocket frame. */
const frameBytes = (payload: number): number => payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);

/** An agent's connection. */
export interface Client {
  readonly socket: WebSocket;
  readonly limit: RateLimit;
  /** Moves that were applied, and that no update has acknowledged yet. */
  acks: number[];
  /** The agents that its last snapshot or update has shown. */
  readonly sees: Set<number>;
  /** The numbers that it was told are saved. */
  told: NumberRanges;
  /** It has answered since it was asked whether it is there. */
  isAlive: boolean;
  stopThinking(): void;
}
