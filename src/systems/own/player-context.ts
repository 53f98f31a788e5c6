import type { WebSocket } from 'ws';
import type { Route } from '../../load/player/connection.ts';
import { frameBytes, MASK_BYTES, openSocket, socketUrl } from '../../load/player/socket.ts';
import type { Context, Operation, PlayerSocket, Result } from '../../player.d.ts';

/** A player's socket may receive what its server likes to send. */
const MOST_PAYLOAD = 16 * 2 ** 20;

interface Surroundings {
  readonly player: number;
  readonly players: number;
  readonly urls: readonly string[];
  readonly route: Route;
  readonly random: () => number;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** A socket was opened, whose traffic is told. */
  readonly opened: () => void;
  readonly carried: (bytesIn: number, bytesOut: number) => void;
  readonly settle: (operation: Operation, result: Result) => void;
  readonly lost: (reason: string | undefined) => void;
}

/** What a module's player knows and may ask for; its functions need no `this`. */
export class PlayerContext implements Context {
  readonly player: number;
  readonly players: number;
  readonly url: string;
  readonly urls: readonly string[];
  readonly address: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly random: () => number;
  readonly now: () => number;
  readonly settle: (operation: Operation, result: Result) => void;
  readonly lost: (reason?: string) => void;
  readonly log: (message: string) => void;
  readonly openSocket: (path: string) => PlayerSocket;
  readonly #ended = new AbortController();
  readonly #sockets = new Set<WebSocket>();

  constructor({
    route,
    player,
    players,
    urls,
    random,
    now,
    log,
    opened,
    carried,
    settle,
    lost,
  }: Surroundings) {
    this.player = player;
    this.players = players;
    this.url = route.url;
    this.urls = urls;
    this.address = route.address ?? null;
    this.headers = { ...route.headers };
    this.random = random;
    this.now = now;
    this.settle = settle;
    this.lost = (reason) => lost(reason);
    this.log = (message) => log(`player ${player}: ${message}`);
    this.openSocket = (path) => {
      opened();
      return this.#open(path, route, carried);
    };
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** The session is over, and with it every socket. */
  end(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#ended.abort();
  }

  #open(path: string, route: Route, carried: Surroundings['carried']): PlayerSocket {
    const socket = openSocket(socketUrl(route.url, path), route.source, MOST_PAYLOAD, route);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // Whoever listens hears it as well; nobody has to.
    socket.on('error', () => {});
    socket.on('message', (data) => carried(frameBytes(Buffer.isBuffer(data) ? data.length : 0), 0));
    const send = socket.send.bind(socket);
    socket.send = (data: string | Uint8Array, ...rest: readonly unknown[]) => {
      carried(0, frameBytes(Buffer.byteLength(data)) + MASK_BYTES);
      Reflect.apply(send, socket, [data, ...rest]);
    };
    return socket as unknown as PlayerSocket;
  }
}
