import { createServer, type IncomingMessage, type Server } from 'node:http';
import { WebSocketServer } from 'ws';
import { parseJson } from '../../../load/json.ts';
import { valueAt } from '../../../scenario/finding.ts';

/** Longer than any pause of a generator, so that its keep-alive connections stay open. */
const KEEP_ALIVE_MS = 60_000;
/** Length of `"id":` with the longest number of an operation. */
const TAIL = 24;

interface NullServerOptions {
  readonly token: string;
  readonly idAt: string;
  /** Where frames have their ids that do not end with one. */
  readonly idsIn?: readonly (readonly string[])[];
  /** Takes permessage-deflate, for answers of any length. */
  readonly deflate?: boolean;
}

/**
 * A server that only answers: over HTTP with 200, over WebSocket, at any path, with the `id` of each frame at `idAt` (keys with
 * dots between them). With an empty token, it accepts everybody.
 */
export function nullServer({ token, idAt, idsIn = [], deflate = false }: NullServerOptions): Server {
  const hasToken = ({ headers }: IncomingMessage): boolean =>
    token === '' || headers.authorization === `Bearer ${token}`;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const answer = (): void => {
      const head = { 'content-type': 'application/json', 'content-length': 2 };
      response.writeHead(hasToken(request) ? 200 : 401, head).end('{}');
    };
    // The body must be read, since the next request comes over the same connection.
    if (request.method === 'GET') answer();
    else request.resume().on('end', answer);
  });
  const sockets = new WebSocketServer({
    ...{
      noServer: true,
      perMessageDeflate: deflate ? { threshold: 0 } : false,
      skipUTF8Validation: true,
      clientTracking: false,
    },
  });
  const keys = idAt.split('.');
  const before = keys.map((key) => `{${JSON.stringify(key)}:`).join('');
  const after = '}'.repeat(keys.length);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!hasToken(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => undefined); // its 'close' follows
      peer.on('message', (frame: Buffer) => {
        const id = idIn(frame, idsIn);
        if (id !== null) peer.send(`${before}${id}${after}`);
      });
    });
  });
  return server;
}

/** The id of a frame as JSON; null if it has none. The generator writes it last, so the frame need not be parsed. */
function idIn(frame: Buffer, idsIn: readonly (readonly string[])[]): string | null {
  const [, last] = /"id":(\d+)\}$/.exec(frame.toString('latin1', Math.max(0, frame.length - TAIL))) ?? [];
  if (last !== undefined) return last;
  const message = parseJson(frame.toString());
  for (const path of [['id'], ...idsIn]) {
    const id = valueAt(message, path);
    if (typeof id === 'number' || typeof id === 'string') return JSON.stringify(id);
  }
  return null;
}
