import { createServer, type IncomingMessage, type Server } from 'node:http';
import { WebSocketServer } from 'ws';
import { isRecord, parseJson } from '../../../load/json.ts';

/** Longer than any pause of a generator, so that its kept connections are not closed under it. */
const KEEP_ALIVE_MS = 60_000;
/** `"id":` and more digits than any number of an operation. */
const TAIL = 24;

/**
 * A server of which only the wire is there. Over HTTP it answers 200 to everything; over WebSocket, at any path, it
 * answers each frame with its `id`, which stands at `idAt` (keys with dots between them), and says nothing else. An
 * empty token lets everybody in.
 */
export function nullServer(token: string, idAt: string): Server {
  const isLetIn = ({ headers }: IncomingMessage): boolean =>
    token === '' || headers.authorization === `Bearer ${token}`;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const answer = (): void => {
      const head = { 'content-type': 'application/json', 'content-length': 2 };
      response.writeHead(isLetIn(request) ? 200 : 401, head).end('{}');
    };
    // A body is read to its end: the next request comes over the same connection.
    if (request.method === 'GET') answer();
    else request.resume().on('end', answer);
  });
  const sockets = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, skipUTF8Validation: true, clientTracking: false },
  });
  const keys = idAt.split('.');
  const before = keys.map((key) => `{${JSON.stringify(key)}:`).join('');
  const after = '}'.repeat(keys.length);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!isLetIn(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => undefined); // its 'close' follows
      peer.on('message', (frame: Buffer) => {
        const id = idIn(frame);
        if (id !== null) peer.send(`${before}${id}${after}`);
      });
    });
  });
  return server;
}

/** As JSON; null where there is none. The generator writes it last, so that nothing else has to be read. */
function idIn(frame: Buffer): string | null {
  const [, last] = /"id":(\d+)\}$/.exec(frame.toString('latin1', Math.max(0, frame.length - TAIL))) ?? [];
  if (last !== undefined) return last;
  const message = parseJson(frame.toString());
  return isRecord(message) && message.id !== undefined ? JSON.stringify(message.id) : null;
}
