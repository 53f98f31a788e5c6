import type { WebSocket } from 'ws';
import type { Context, Operation, PlayerSocket, Result, SocketOptions } from '../../player.d.ts';
import { LARGEST_FRAME } from '../frame-bytes.ts';
import type { Route } from '../player/connection.ts';
import { openSocket, type SocketClient, socketUrl } from '../player/socket.ts';
import type { SourceTools } from '../source.ts';
import { deliveriesOf } from './deliveries.ts';
import type { WorldContext, WorldPart } from './player-code.ts';

interface ContextOptions
  extends Pick<Context, 'player' | 'players' | 'urls' | 'env' | 'random' | 'now' | 'prepared' | 'loggedIn'>,
    Pick<SourceTools, 'deliveries' | 'figures'> {
  readonly route: Route;
  readonly client: SocketClient;
  readonly log: (line: string) => void;
  readonly settle: (operation: Operation, result: Result) => void;
  /** The due time of the operation that the player was given last; null before the first. */
  readonly lastDue: () => number | null;
  readonly world: WorldPart | null;
  readonly start: WorldContext['start'];
  /** The player's group; asked once. */
  readonly group: () => Context['group'];
  readonly lost: (reason: string | undefined) => void;
}

/** Makes the context of a module's player; its functions need no `this`. `end` closes all of its sockets. */
export function openContext(options: ContextOptions): {
  readonly context: WorldContext;
  readonly end: () => void;
} {
  const { route, client, player, players, urls, env, random, now, log, settle, start, lost } = options;
  const { prepared, loggedIn } = options;
  const ended = new AbortController();
  const sockets = new Set<WebSocket>();
  let own: Context['group'] | undefined;
  const openAt = (url: string, path: string, { headers, ...given }: SocketOptions = {}): PlayerSocket => {
    const access = headers === undefined ? route : { ...route, headers: { ...route.headers, ...headers } };
    const socket = openSocket(
      socketUrl(url, path),
      route.source,
      client.largestFrame ?? LARGEST_FRAME,
      access,
      {
        ...client,
        ...given,
      },
    );
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Without a listener of the module, an error would be thrown.
    socket.on('error', () => {});
    return socket as unknown as PlayerSocket;
  };
  const context: Context = {
    ...deliveriesOf(options),
    measure: (name, value, unit) => options.figures.measure(name, value, unit, now()),
    player,
    players,
    get group() {
      own ??= options.group();
      return own;
    },
    url: route.url,
    urls,
    address: route.address ?? null,
    headers: { ...route.headers },
    env,
    signal: ended.signal,
    random,
    now,
    prepared,
    loggedIn,
    settle,
    start,
    lost: (reason) => lost(reason),
    log: (message) => log(`player ${player}: ${message}`),
    openSocket: (path, options) => openAt(route.url, path, options),
  };
  const end = (): void => {
    for (const socket of sockets) socket.terminate();
    ended.abort();
  };
  // A user's module is only shown a Context.
  const ofWorld =
    options.world === null
      ? null
      : { ...options.world, openSocketAt: (url: string, path: string) => openAt(url, path) };
  return { context: Object.assign(context, ofWorld) as WorldContext, end };
}
