import { WebSocket } from 'ws';
import { type Access, dialOptions } from '../../stack/access.ts';
import { ownDial } from '../own-dial.ts';

/** Bytes of a WebSocket frame: header and payload, without the mask that clients add (RFC 6455, 5.2). */
export const frameBytes = (payload: number): number =>
  payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
export const MASK_BYTES = 4;

/** A world server may be slow to accept while thousands connect; this long and no longer. */
export const CONNECT_TIMEOUT_MS = 15_000;

/** `http://host:port/base` and `/path` as a WebSocket URL. */
export const socketUrl = (url: string, path: string): string => url.replace(/^http/, 'ws') + path;

/**
 * A client socket as all of the load uses it. `source` is the local address to bind, null for the system's choice.
 */
export function openSocket(
  url: string,
  source: string | null,
  maxPayload: number,
  access: Access = {},
): WebSocket {
  const options = {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    followRedirects: false,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    maxPayload,
    ...(source === null ? {} : { localAddress: source }),
    ...(access.headers === undefined ? {} : { headers: access.headers }),
    ...dialOptions(access),
  };
  return ownDial(() => new WebSocket(url, options));
}
