import type { Socket } from 'node:net';

/** Bytes received and sent. */
export interface SocketBytes {
  readonly in: number;
  readonly out: number;
}

/**
 * The connections of a worker's players to their servers: those that are open, how many were opened, and the bytes that went
 * through them, with frames, headers and compression, without what TLS adds.
 */
export class PlayerSockets {
  opened = 0;
  private readonly sockets = new Set<Socket>();
  private readonly ofClosed = { in: 0, out: 0 };

  get open(): number {
    return this.sockets.size;
  }

  /** Adds a socket that is connected. */
  add(socket: Socket): void {
    this.opened += 1;
    if (socket.destroyed) return;
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.ofClosed.in += socket.bytesRead;
      this.ofClosed.out += socket.bytesWritten;
    });
  }

  /** Since the sockets were opened. It asks each of them, so it is for once a second. */
  bytes(): SocketBytes {
    const sum = { ...this.ofClosed };
    for (const socket of this.sockets) {
      sum.in += socket.bytesRead;
      sum.out += socket.bytesWritten;
    }
    return sum;
  }
}
