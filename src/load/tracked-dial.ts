import { Socket as DatagramSocket } from 'node:dgram';
import { Socket } from 'node:net';

let depth = 0;

/** Begins a connection whose traffic capbench counts: Node dials in the turn in which it is asked to. */
export function trackedDial<T>(begin: () => T): T {
  depth += 1;
  try {
    return begin();
  } finally {
    depth -= 1;
  }
}

/**
 * From now on `seen` hears of every connection that somebody else in this process begins, whatever is spoken over it
 * (TCP, TLS, HTTP, a UNIX socket), and of every datagram. What a native addon opens by itself is not seen.
 */
export function watchUntrackedDials(seen: () => void): void {
  for (const [prototype, name] of [
    [Socket.prototype, 'connect'],
    [DatagramSocket.prototype, 'send'],
  ] as const) {
    const original: unknown = Reflect.get(prototype, name);
    if (typeof original !== 'function') continue;
    Reflect.set(prototype, name, function watched(this: unknown, ...args: unknown[]): unknown {
      if (depth === 0) seen();
      return Reflect.apply(original, this, args);
    });
  }
}
