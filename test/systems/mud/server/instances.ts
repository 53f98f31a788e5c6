import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { MudConfig } from '../../../../src/systems/mud/server/config.ts';
import { openMudWorld } from '../../../../src/systems/mud/server/world.ts';
import { decodeFrame, encodeCommand, type Frame } from '../../../../src/systems/mud/wire.ts';

/** For the tests of the text game: instances in the test's own process, and players who talk to them. */

type Stores = Pick<MudConfig, 'redis' | 'database'>;

/** Starts an instance, and closes it at the end of the test unless the test does. */
export async function startInstance(stores: Stores, own: Partial<MudConfig> = {}) {
  const log: string[] = [];
  const config: MudConfig = {
    ...{ host: '127.0.0.1', instance: 1, instances: 1, players: 20, rooms: 2, ttlSeconds: 600, token: '' },
    ...{ saveMillis: 100, spacingMillis: 0, compressAbove: 1_024 },
    ...({ breaker: 'on', degrade: 'on', publish: 'redis', acknowledge: 'stored' } as const),
    ...stores,
    ...own,
  };
  const world = await openMudWorld(config, {
    log: (line) => log.push(line),
    fatal: (why) => {
      throw new Error(why);
    },
  });
  world.server.listen(0, config.host);
  await once(world.server, 'listening');
  const { port } = world.server.address() as AddressInfo;
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      world.server.close();
      await world.close();
    })();
    return closing;
  };
  onTestFinished(close);
  return { address: `127.0.0.1:${port}`, close, log };
}

/** A player at an instance, who is welcome. */
export async function connectPlayer(address: string, player: number) {
  const socket = new WebSocket(`ws://${address}/play?player=${player}`);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  const waiting = new Map<string, (frame: Frame) => void>();
  socket.on('message', (data) => {
    const frame = decodeFrame(String(data));
    if (frame === null) throw new Error(`not a frame of the protocol: ${data}`);
    frames.push(frame);
    if (frame.type === 'response' || frame.type === 'error') waiting.get(frame.id)?.(frame);
  });
  const closed = once(socket, 'close').then(([code]) => Number(code));
  await new Promise<void>((resolve, reject) => {
    socket.on('message', () => {
      if (frames.some(({ type }) => type === 'connected')) resolve();
    });
    void closed.then((code) => reject(new Error(`closed with ${code}`)));
  });
  const connected = frames.find((frame) => frame.type === 'connected');
  let number = connected?.type === 'connected' ? connected.last : 0;
  return {
    frames,
    closed,
    last: number,
    close: () => socket.close(),
    /** Resolves to the answer. */
    type(command: string): Promise<Frame> {
      number += 1;
      const id = String(number);
      socket.send(encodeCommand({ command, number }));
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    /** The highest number that was reported as saved. */
    savedUpTo: (): number =>
      frames.reduce((most, frame) => (frame.type === 'saved' ? Math.max(most, Number(frame.id)) : most), 0),
    heard: (): readonly string[] =>
      frames.flatMap((frame) =>
        frame.type === 'room_message' && frame.message_type === 'chat' ? [frame.message] : [],
      ),
  };
}
