import type { WebSocket } from 'k6/websockets';

/** The bytes of a WebSocket frame: header and payload (RFC 6455). */
export const frameBytes = (payload: number): number =>
  payload + (payload < 126 ? 2 : payload < 65536 ? 4 : 10);
/** What clients add to each frame. */
export const MASK_BYTES = 4;

const OPEN = 1;
export const isOpen = (socket: WebSocket): boolean => Number(socket.readyState) === OPEN;

/** k6 waits for ever in close() of a socket that is not open yet: that one is closed by its onopen. */
export function hangUp(socket: WebSocket | null): void {
  if (socket !== null && isOpen(socket)) socket.close();
}
