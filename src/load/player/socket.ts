import { WebSocket } from 'ws';
import { type Access, dialOptions } from '../../address/access.ts';
import { type Cause, causeOfError, causeOfUpgrade } from '../../address/connection-cause.ts';

/** Generous, since a world server may be slow to accept while thousands connect. */
export const CONNECT_TIMEOUT_MS = 15_000;

/** `http://host:port/base` and `/path` as a WebSocket URL. */
export const socketUrl = (url: string, path: string): string => url.replace(/^http/, 'ws') + path;

const SUBPROTOCOLS = /^sec-websocket-protocol$/i;

/** Subprotocols in the user's headers go to ws, which sends them and checks the server's choice. */
function subprotocolsIn(headers: Readonly<Record<string, string>>): string[] {
  const named = Object.entries(headers).find(([name]) => SUBPROTOCOLS.test(name))?.[1] ?? '';
  return named.split(',').flatMap((one) => one.trim() || []);
}

const withoutSubprotocols = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !SUBPROTOCOLS.test(name)));

/** Reports the cause when the server refuses the upgrade; ws itself would not report the target of a redirect. */
export function onRefusal(socket: WebSocket, refused: (cause: Cause) => void): void {
  socket.on('unexpected-response', (request, response) => {
    request.destroy();
    refused(causeOfUpgrade(response.statusCode ?? 0, response.headers.location));
  });
  socket.on('error', (error) => refused(causeOfError(error)));
}

/** What a client offers to its server in the handshake. */
export interface SocketOffer {
  /** permessage-deflate, as browsers do. */
  readonly deflate?: boolean | undefined;
  /** Sub-protocols, in the order of preference, before those of the user's headers. */
  readonly subprotocols?: readonly string[] | undefined;
}

/** What a client of WebSocket offers and accepts. */
export interface SocketClient extends SocketOffer {
  /** The longest message that it accepts, in bytes; LARGEST_FRAME unless set. */
  readonly largestFrame?: number;
}

/**
 * Opens a client socket. `source` is the local address to bind, null for the operating system's choice.
 */
export function openSocket(
  url: string,
  source: string | null,
  maxPayload: number,
  access: Access = {},
  { deflate = false, subprotocols = [] }: SocketOffer = {},
): WebSocket {
  const options = {
    perMessageDeflate: deflate,
    skipUTF8Validation: true,
    followRedirects: false,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    maxPayload,
    ...(source === null ? {} : { localAddress: source }),
    headers: withoutSubprotocols(access.headers ?? {}),
    ...dialOptions(access),
  };
  const offered = [...new Set([...subprotocols, ...subprotocolsIn(access.headers ?? {})])];
  return new WebSocket(url, offered, options);
}
