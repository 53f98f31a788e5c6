import type { Reachable } from '../../address/access.ts';
import { LARGEST_FRAME } from '../../load/frame-bytes.ts';
import { openSocket, socketUrl } from '../../load/player/socket.ts';
import { onAbort } from '../../supervision/time-limit.ts';
import type { Players } from './players-schema.ts';
import { namesIn } from './template.ts';

const LIMIT_MS = 3_000;
const EXTENSION = /permessage-deflate/;

/**
 * What a server takes that browsers offer and these players do not: one handshake with each server, as player 0 makes it, which is
 * closed at once. Silent where it cannot be known: the players are told why they cannot connect.
 */
export async function deflateRemarks(
  players: Players | undefined,
  servers: readonly Reachable[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (players?.protocol !== 'json' || players.deflate !== undefined) return [];
  const { path, subprotocols } = players;
  if (namesIn(path).some((name) => name !== 'player')) return [];
  const at = path.replaceAll('{player}', '0');
  const taken = await Promise.all(servers.map((server) => takesDeflate(server, at, subprotocols, signal)));
  const shown = servers.filter((_, i) => taken[i]).map(({ url }) => url);
  if (shown.length === 0) return [];
  return [
    `${shown.join(', ')} takes permessage-deflate, which browsers offer and these players do not: real players cost the server more CPU and less traffic; players.deflate: true offers it, false says that it is meant so`,
  ];
}

function takesDeflate(
  server: Reachable,
  path: string,
  subprotocols: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const offer = { deflate: true, subprotocols };
    const socket = openSocket(socketUrl(server.url, path), null, LARGEST_FRAME, server, offer);
    let taken = false;
    const end = (): void => {
      clearTimeout(timer);
      forget();
      resolve(taken);
    };
    const timer = setTimeout(() => socket.terminate(), LIMIT_MS);
    const forget = onAbort(signal, () => socket.terminate());
    socket.on('error', () => {});
    socket.on('open', () => {
      taken = EXTENSION.test(socket.extensions);
      // The server has answered the close before player 0 connects.
      socket.close(1000);
    });
    socket.on('close', end);
  });
}
