import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Benchmark, perCpuSecond } from './benchmark.ts';

const HOST = '127.0.0.1';
const CONNECTIONS = 50;
const MESSAGE = Buffer.alloc(256, 'x');

/**
 * Messages of 256 bytes over TCP on the loopback interface per second of CPU time, nearly all of it the kernel's: each is
 * sent back, and then sent again, within one process.
 */
export const loopback: Benchmark = async (repetition) => {
  const sockets: Socket[] = [];
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const watch = (socket: Socket): void => {
    sockets.push(socket.setNoDelay());
    socket.on('error', fail);
  };
  const server = createServer((socket) => {
    watch(socket);
    socket.on('data', (part) => socket.write(part));
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, HOST, resolve);
    });
    const { port } = server.address() as AddressInfo;
    let messages = 0;
    const opened = Array.from({ length: CONNECTIONS }, () => {
      const socket = connect(port, HOST);
      watch(socket);
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
    await Promise.race([Promise.all(opened), failed]);
    const goOn = (milliseconds: number): Promise<void> => Promise.race([pause(milliseconds), failed]);
    return { loopback: await perCpuSecond(() => messages, goOn, repetition) };
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
};
