import { createServer, type Server } from 'node:http';
import { Server as ColyseusServer, Room } from '@colyseus/core';
import { WebSocketTransport } from '@colyseus/ws-transport';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { portOf } from '../loopback.ts';

/** What a server of another framework received from its players. */
interface Seen {
  joined: number;
  present: number;
  /** What they asked for. */
  moves: number;
}

export interface ForeignServer {
  readonly url: string;
  readonly seen: Readonly<Seen>;
  close(): Promise<void>;
}

/** Every fifth square is a wall. */
const isOpen = (x: number): boolean => x % 5 !== 0;

/** Starts one on a port of its own; `serve` says what it does, and how it ends. */
async function start(serve: (server: Server, seen: Seen) => () => Promise<unknown>): Promise<ForeignServer> {
  const server = createServer();
  const seen: Seen = { joined: 0, present: 0, moves: 0 };
  const end = serve(server, seen);
  return {
    url: `http://127.0.0.1:${await portOf(server)}`,
    seen,
    async close() {
      await end();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

const enter = (seen: Seen): void => {
  seen.joined += 1;
  seen.present += 1;
};

export const colyseus = (): Promise<ForeignServer> =>
  start((server, seen) => {
    const game = new ColyseusServer({
      transport: new WebSocketTransport({ server }),
      greet: false,
      gracefullyShutdown: false,
    });
    game.define(
      'arena',
      class extends Room {
        override onCreate(): void {
          this.onMessage('move', (client, { number, x }: { number: number; x: number }) => {
            seen.moves += 1;
            client.send('moved', { number, ok: isOpen(x) });
          });
        }
        override onJoin(): void {
          enter(seen);
        }
        override onLeave(): void {
          seen.present -= 1;
        }
      },
    );
    return () => game.gracefullyShutdown(false);
  });

export const socketIo = (): Promise<ForeignServer> =>
  start((server, seen) => {
    const io = new SocketIoServer(server);
    io.on('connection', (socket) => {
      enter(seen);
      socket.on('disconnect', () => {
        seen.present -= 1;
      });
      socket.on('move', ({ x }: { x: number }, reply: (answer: { ok: boolean }) => void) => {
        seen.moves += 1;
        reply({ ok: isOpen(x) });
      });
    });
    return () => io.close();
  });

export const broadcast = (): Promise<ForeignServer> =>
  start((server, seen) => {
    const everybody = new WebSocketServer({ server });
    everybody.on('connection', (socket) => {
      enter(seen);
      socket.on('close', () => {
        seen.present -= 1;
      });
      socket.on('message', (data) => {
        seen.moves += 1;
        for (const each of everybody.clients) each.send(String(data));
      });
    });
    return async () => everybody.close();
  });
