import type { WebSocket } from 'ws';
import type { Route } from '../../load/player/connection.ts';
import { frameBytes, MASK_BYTES, openSocket, socketUrl } from '../../load/player/socket.ts';
import type { Context, Operation, PlayerSocket, Result } from '../../player.d.ts';

/** A player's socket may receive what its server likes to send. */
const MOST_PAYLOAD = 16 * 2 ** 20;

interface Surroundings extends Pick<Context, 'player' | 'players' | 'urls' | 'random' | 'now'> {
  readonly route: Route;
  readonly log: (line: string) => void;
  /** A socket was opened, whose traffic is told. */
  readonly opened: () => void;
  readonly transferred: (bytesIn: number, bytesOut: number) => void;
  readonly settle: (operation: Operation, result: Result) => void;
  readonly lost: (reason: string | undefined) => void;
}

/** What a module's player knows and may ask for; its functions need no `this`. `end`: the session is over, and with it every socket. */
export function openContext(around: Surroundings): { readonly context: Context; readonly end: () => void } {
  const { route, player, players, urls, random, now, log, opened, transferred, settle, lost } = around;
  const ended = new AbortController();
  const sockets = new Set<WebSocket>();
  const context: Context = {
    player,
    players,
    url: route.url,
    urls,
    address: route.address ?? null,
    headers: { ...route.headers },
    signal: ended.signal,
    random,
    now,
    settle,
    lost: (reason) => lost(reason),
    log: (message) => log(`player ${player}: ${message}`),
    openSocket: (path) => {
      opened();
      const socket = openSocket(socketUrl(route.url, path), route.source, MOST_PAYLOAD, route);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      // Whoever listens hears it as well; nobody has to.
      socket.on('error', () => {});
      socket.on('message', (data) => transferred(frameBytes(Buffer.isBuffer(data) ? data.length : 0), 0));
      const send = socket.send.bind(socket);
      socket.send = (data: string | Uint8Array, ...rest: readonly unknown[]) => {
        transferred(0, frameBytes(Buffer.byteLength(data)) + MASK_BYTES);
        Reflect.apply(send, socket, [data, ...rest]);
      };
      return socket as unknown as PlayerSocket;
    },
  };
  const end = (): void => {
    for (const socket of sockets) socket.terminate();
    ended.abort();
  };
  return { context, end };
}
