import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type Benchmark, perCpuSecondOver } from './benchmark.ts';

const HOST = '127.0.0.1';
const CLIENTS = 50;

/** A server that parses each message, changes a player and answers with it. */
function answerAll(server: WebSocketServer): void {
  server.on('connection', (socket) => {
    const player = { id: 0, x: 0, y: 0, moves: 0, name: 'somebody', items: [1, 2, 3, 5, 8] };
    socket.on('message', (data: Buffer) => {
      const { seq, dx, dy } = JSON.parse(data.toString()) as { seq: number; dx: number; dy: number };
      player.x += dx;
      player.y += dy;
      player.moves += 1;
      socket.send(JSON.stringify({ type: 'moved', seq, player }));
    });
  });
}

/**
 * Round trips of small JSON messages over `ws` per second of CPU time. Server and clients share one process and each client
 * waits for its answer, so that the work of a round trip does not depend on who else uses the CPUs.
 */
export const webSocket: Benchmark = async (repetition) => {
  const server = new WebSocketServer({ host: HOST, port: 0, perMessageDeflate: false });
  const clients: WebSocket[] = [];
  let roundTrips = 0;
  const open = (port: number, fail: (error: Error) => void): readonly Promise<void>[] =>
    Array.from({ length: CLIENTS }, () => {
      const client = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
      clients.push(client);
      let seq = 0;
      const move = (): void => client.send(JSON.stringify({ type: 'move', seq, dx: 1, dy: seq % 3 }));
      client.on('error', fail);
      client.on('message', (data: Buffer) => {
        const answer = JSON.parse(data.toString()) as { seq: number };
        if (answer.seq !== seq) fail(new Error(`the answer to ${seq} was that to ${answer.seq}`));
        seq += 1;
        roundTrips += 1;
        move();
      });
      return new Promise<void>((resolve) => {
        client.once('open', () => {
          move();
          resolve();
        });
      });
    });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve).once('error', reject);
    });
    answerAll(server);
    const { port } = server.address() as AddressInfo;
    return {
      webSocket: await perCpuSecondOver(
        (fail) => open(port, fail),
        () => roundTrips,
        repetition,
      ),
    };
  } finally {
    for (const client of clients) client.terminate();
    server.close();
  }
};
