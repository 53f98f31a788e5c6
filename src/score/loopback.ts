import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Benchmark, perCpuSecondOver } from './benchmark.ts';

const HOST = '127.0.0.1';
const CONNECTIONS = 50;
const MESSAGE = Buffer.alloc(256, 'x');

/**
 * Messages of 256 bytes over TCP on the loopback interface per second of CPU time, nearly all of it the kernel's: each is
 * sent back, and then sent again, within one process.
 */
export const loopback: Benchmark = async (repetition) => {
  const sockets: Socket[] = [];
  const server = createServer();
  let messages = 0;
  const open = (port: number, fail: (error: Error) => void): readonly Promise<void>[] => {
    const watch = (socket: Socket): Socket => {
      sockets.push(socket);
      return socket.setNoDelay().on('error', fail);
    };
    server.on('connection', (socket) => {
      watch(socket).on('data', (part) => socket.write(part));
    });
    return Array.from({ length: CONNECTIONS }, () => {
      const socket = watch(connect(port, HOST));
      let received = 0;
      socket.on('data', (part) => {
        received += part.length;
        if (received < MESSAGE.length) return;
        received -= MESSAGE.length;
        // There, and back.
        messages += 2;
        socket.write(MESSAGE);
      });
      return new Promise<void>((resolve) => {
        socket.once('connect', () => {
          socket.write(MESSAGE);
          resolve();
        });
      });
    });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, HOST, resolve);
    });
    const { port } = server.address() as AddressInfo;
    return {
      loopback: await perCpuSecondOver(
        (fail) => open(port, fail),
        () => messages,
        repetition,
      ),
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
};
