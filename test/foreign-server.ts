import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { portOf } from './loopback.ts';

/** What a server of another kind does with a connection. */
export const FOREIGN_SERVERS = {
  http: null,
  silent: () => {},
  greeting: (socket: Socket) => void socket.write('220 mail.example ESMTP\r\n'),
  closing: (socket: Socket) => void socket.end(),
  cutting: (socket: Socket) => void socket.resetAndDestroy(),
  echo: (socket: Socket) => void socket.pipe(socket),
  /** PostgreSQL's message format, with an unknown login method. */
  oddLogin: (socket: Socket) =>
    void socket.once('data', () => socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 99]))),
  /** A PostgreSQL that accepts every connection, and then does not answer. */
  mute: (socket: Socket) =>
    void socket.once('data', () =>
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])),
    ),
  /** Bytes that are no text. */
  bytes: (socket: Socket) => void socket.write(Buffer.from([0, 1, 2, 3, 255, 254, 253, 0, 0, 0, 0, 7])),
  /** A RESP answer to everything. */
  resp: (socket: Socket) => void socket.on('data', () => socket.write("-ERR unknown command 'x'\r\n")),
  endless: (socket: Socket) => {
    const timer = setInterval(() => socket.write('x'.repeat(1000)), 20);
    socket.on('close', () => clearInterval(timer));
  },
} as const;
export type ForeignServer = keyof typeof FOREIGN_SERVERS;

/** Starts a server of another protocol; resolves to its port. */
export function foreignServer(kind: ForeignServer): Promise<number> {
  const talk = FOREIGN_SERVERS[kind];
  return portOf(
    talk === null
      ? createHttpServer((_request, response) => response.end('hello'))
      : createServer((socket) => {
          socket.on('error', () => {});
          talk(socket);
        }),
  );
}
