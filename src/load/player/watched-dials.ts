import { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Socket } from 'node:net';
import type { Reachable } from '../../address/access.ts';
import { hostOf, isLoopback, portOf } from '../../address/target-address.ts';
import { isRecord } from '../json.ts';
import type { PlayerSockets } from './player-sockets.ts';

/** What code of the user's did, beside connecting to the targets, in this process. */
export interface WatchedDials {
  /** Connections to elsewhere, as `address:port`: they are no traffic of players. */
  readonly elsewhere: ReadonlySet<string>;
  /** What hides bytes from this process, in words: datagrams, a child process. Null: nothing does. */
  readonly hidden: string | null;
}

const MOST_ELSEWHERE = 10;

/**
 * From now on, every connection of this process (TCP, TLS, HTTP, whoever opens it) to one of the targets is added to `sockets`.
 * Those of native addons and of threads are not noticed.
 */
export function watchDials(targets: readonly Reachable[], sockets: PlayerSockets): WatchedDials {
  const elsewhere = new Set<string>();
  const watched = { elsewhere, hidden: null as string | null };
  const hide = (what: string): void => {
    watched.hidden ??= what;
  };
  const isTarget = targetsOf(targets);
  before(Socket.prototype, 'connect', (socket, args) => {
    const host = hostIn(args);
    // A UNIX socket has no remote address, and is no target.
    (socket as Socket).once('connect', function connected(this: Socket) {
      const { remoteAddress: address, remotePort: port } = this;
      if (address === undefined || port === undefined) return;
      if (isTarget(host, address, port)) sockets.add(this);
      else if (elsewhere.size < MOST_ELSEWHERE) elsewhere.add(`${address}:${port}`);
    });
  });
  before(DatagramSocket.prototype, 'send', () => hide('sent datagrams'));
  before(ChildProcess.prototype, 'spawn', () => hide('started a child process'));
  return watched;
}

/** Calls `listener` before each call of a method. */
function before(
  prototype: object,
  name: string,
  listener: (self: unknown, args: readonly unknown[]) => void,
): void {
  const original: unknown = Reflect.get(prototype, name);
  if (typeof original !== 'function') return;
  Reflect.set(prototype, name, function watched(this: unknown, ...args: unknown[]): unknown {
    listener(this, args);
    return Reflect.apply(original, this, args);
  });
}

/** The name or address in the arguments of `Socket.connect`, which Node itself passes as one list. */
function hostIn(args: readonly unknown[]): string | null {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  if (isRecord(first)) return typeof first.host === 'string' ? first.host : null;
  return typeof second === 'string' ? second : null;
}

/** By port, and by the name or the address: a name may have several addresses, and all of loopback is one host. */
function targetsOf(targets: readonly Reachable[]) {
  const all = targets.map(({ url, address }) => {
    const at = new URL(url);
    const host = hostOf(at);
    return {
      port: portOf(at),
      hosts: new Set([host, ...(address === undefined ? [] : [address])]),
      isLoopback: isLoopback(address ?? host),
    };
  });
  return (host: string | null, address: string, port: number): boolean =>
    all.some(
      (one) =>
        one.port === port &&
        (one.hosts.has(address) ||
          (host !== null && one.hosts.has(host)) ||
          (one.isLoopback && isLoopback(address))),
    );
}
