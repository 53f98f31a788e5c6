import type { WebSocket } from 'ws';
import { monotonic } from '../../clock.ts';
import type { Access } from '../../stack/access.ts';
import type { Voice, Welcome } from './player.ts';
import { CONNECT_TIMEOUT_MS, openSocket } from './socket.ts';

/** A player is told of its place and of eight others; this is far more than any frame it is owed. */
const MOST_PAYLOAD = 256 * 1024;

/** Where a player's socket goes, and from where. */
export interface Route extends Access {
  readonly url: string;
  /** A local address to bind; null for the system's choice. */
  readonly source: string | null;
}

/** Who dials, and hears how it ended: one of the two, once. */
export interface Dialler {
  /** False: whoever is welcomed now is turned away. */
  readonly isOpen: boolean;
  /** `took`: TCP, upgrade and welcome together, in microseconds. */
  welcomed(player: number, socket: WebSocket, welcome: Welcome, took: number): void;
  refused(player: number, message: string): void;
}

/** One attempt to connect one player. A player is connected once it is welcomed. */
export function dial(player: number, route: Route, voice: Voice, dialler: Dialler): void {
  const begin = monotonic();
  const socket = openSocket(route.url, route.source, MOST_PAYLOAD, route);
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(timer);
    socket.removeAllListeners();
  };
  const fail = (message: string): void => {
    settle();
    // Errors of a socket that is given up are nobody's business, but must not be thrown.
    socket.on('error', () => {});
    socket.terminate();
    dialler.refused(player, message);
  };
  socket.on('open', () => {
    timer = setTimeout(() => fail(`no welcome within ${CONNECT_TIMEOUT_MS / 1e3} s`), CONNECT_TIMEOUT_MS);
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', (code) => fail(`the server closed the connection before the welcome (code ${code})`));
  socket.on('message', (data) => {
    if (!dialler.isOpen) return fail('given up');
    const welcome = voice.welcome(player, data.toString());
    if (welcome === null) return fail('the first frame was no welcome');
    settle();
    dialler.welcomed(player, socket, welcome, monotonic() - begin);
  });
}
