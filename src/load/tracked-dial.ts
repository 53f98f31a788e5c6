import { Socket as DatagramSocket } from 'node:dgram';
import { Socket } from 'node:net';

let depth = 0;

/** Opens a connection whose traffic capbench counts. This relies on Node calling connect synchronously. */
export function trackedDial<T>(begin: () => T): T {
  depth += 1;
  try {
    return begin();
  } finally {
    depth -= 1;
  }
}

/**
 * Calls `onDial` for every other connection of this process (TCP, TLS, HTTP, UNIX sockets) and every datagram. Connections of
 * native addons are not noticed.
 */
export function watchUntrackedDials(onDial: () => void): void {
  for (const [prototype, name] of [
    [Socket.prototype, 'connect'],
    [DatagramSocket.prototype, 'send'],
  ] as const) {
    const original: unknown = Reflect.get(prototype, name);
    if (typeof original !== 'function') continue;
    Reflect.set(prototype, name, function watched(this: unknown, ...args: unknown[]): unknown {
      if (depth === 0) onDial();
      return Reflect.apply(original, this, args);
    });
  }
}
