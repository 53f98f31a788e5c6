import type { Socket } from 'node:net';

/** Bytes received and sent. */
export interface SocketBytes {
  readonly in: number;
  readonly out: number;
}

interface End {
  readonly address: string | undefined;
  readonly port: number | string | undefined;
}

/** Names a TCP connection by its two ends, alike for Node and for ss: without the interface, and IPv4 without the prefix of IPv6. */
export const connectionName = (local: End, remote: End): string => `${endName(local)} ${endName(remote)}`;

const endName = ({ address = '', port = '' }: End): string =>
  address.includes('%') || address.startsWith('::ffff:')
    ? `${address.replace(/%.*/, '').replace('::ffff:', '')}:${port}`
    : `${address}:${port}`;

/** Of a worker's connections: those that are open by name, with their bytes, and the bytes of all that have closed. */
export interface ConnectionBytes {
  readonly open: readonly (readonly [name: string, bytesIn: number, bytesOut: number])[];
  readonly closed: SocketBytes;
}

/**
 * The connections of a worker's players to their servers: those that are open, how many were opened, and the bytes that went
 * through them, with frames, headers and compression, without what TLS adds.
 */
export class PlayerSockets {
  opened = 0;
  /** By socket, the name of its connection: asked for when it was opened, since it is a call of the system. */
  private readonly sockets = new Map<Socket, string>();
  private readonly ofClosed = { in: 0, out: 0 };

  get open(): number {
    return this.sockets.size;
  }

  /** Adds a socket that is connected. */
  add(socket: Socket): void {
    this.opened += 1;
    if (socket.destroyed) return;
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    const [local, remote] = [
      { address: localAddress, port: localPort },
      { address: remoteAddress, port: remotePort },
    ];
    this.sockets.set(socket, connectionName(local, remote));
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.ofClosed.in += socket.bytesRead;
      this.ofClosed.out += socket.bytesWritten;
    });
  }

  /** Since the sockets were opened. It asks each of them, so it is for once a second. */
  bytes(): SocketBytes {
    const sum = { ...this.ofClosed };
    for (const socket of this.sockets.keys()) {
      sum.in += socket.bytesRead;
      sum.out += socket.bytesWritten;
    }
    return sum;
  }

  /** The same, one by one. */
  each(): ConnectionBytes {
    return {
      open: [...this.sockets].map(([socket, name]) => [name, socket.bytesRead, socket.bytesWritten]),
      closed: { ...this.ofClosed },
    };
  }
}
