import { createServer, type IncomingMessage, type Server } from 'node:http';
import { WebSocketServer } from 'ws';
import { decodeCommand, encodeFrame } from '../wire.ts';

/**
 * The text game without the game: everybody is welcome, and every command is answered at once, with as many words as the real
 * answers have. With an empty token, it accepts everybody.
 */
export function nullMud({ token }: { readonly token: string }): Server {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  const isAllowed = ({ headers }: IncomingMessage): boolean =>
    token === '' || headers.authorization === `Bearer ${token}`;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!isAllowed(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => undefined); // its 'close' follows
      peer.on('message', (data) => {
        const command = decodeCommand(String(data));
        if (command === null) return;
        peer.send(encodeFrame({ type: 'response', id: String(command.number), messages: ANSWER }));
      });
      peer.send(encodeFrame({ type: 'connected', last: 0 }));
    });
  });
  return server;
}

const ANSWER = [
  'You are in room-17. Ways lead north and south.',
  'Here lie coin, coin, coin, coin, lantern, rope.',
  'guard-17 is here.',
];
