import type { WebSocket } from 'ws';
import type { Metrics } from './metrics.ts';

/** A client that does not read is disconnected before it fills the server's memory. */
const MAX_BUFFERED_BYTES = 4 * 2 ** 20;

/** Sends one text frame and counts it. */
export function sendText(socket: WebSocket, text: string, metrics: Metrics): void {
  if (socket.readyState !== socket.OPEN) return;
  const payload = Buffer.from(text);
  metrics.frames++;
  metrics.bytesOut += payload.length + framing(payload.length);
  socket.send(payload, TEXT);
  if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate();
}

const TEXT = { binary: false } as const;
/** The masking key that every frame of a client carries. */
const MASK_BYTES = 4;

/** Bytes on the wire of a frame from a client. */
export const receivedBytes = (payload: number): number => payload + framing(payload) + MASK_BYTES;

/** RFC 6455, section 5.2: a header of two bytes, plus two or eight for lengths beyond seven bits. */
function framing(payload: number): number {
  if (payload < 126) return 2;
  return payload < 65_536 ? 4 : 10;
}
