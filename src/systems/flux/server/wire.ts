import type { WebSocket } from 'ws';
import { frameBytes, MASK_BYTES } from '../../../load/frame-bytes.ts';
import type { Metrics } from './metrics.ts';

/** A client that does not read is disconnected before it fills the server's memory. */
const MAX_BUFFERED_BYTES = 4 * 2 ** 20;

/** Sends one text frame and counts it. */
export function sendText(socket: WebSocket, text: string, metrics: Metrics): void {
  if (socket.readyState !== socket.OPEN) return;
  const payload = Buffer.from(text);
  metrics.frames++;
  metrics.bytesOut += frameBytes(payload.length);
  socket.send(payload, TEXT);
  if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate();
}

const TEXT = { binary: false } as const;

/** Bytes on the wire of a frame from a client. */
export const receivedBytes = (payload: number): number => frameBytes(payload) + MASK_BYTES;
