import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { WorkerSetup } from '../../../../src/load/fleet/messages.ts';
import type { WorldContext } from '../../../../src/load/module/player-code.ts';
import type { SourceTools } from '../../../../src/load/source.ts';
import { mulberry32 } from '../../../../src/rng.ts';
import { realmPlayers } from '../../../../src/systems/realm/players.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../../../src/systems/realm/wire.ts';
import { startRelay, startWorld, TOKEN } from './worlds.ts';

const PLAYERS = 12;

/**
 * Agents of the load in a world, who walk for a while; what they found wrong, and their moves that were answered. `change`: what
 * becomes of a frame on its way.
 */
async function walk(rounds: number, change: (frame: Frame) => Frame = (frame) => frame) {
  const relay = await startRelay();
  const world = await startWorld(relay.url);
  await world.started;
  const wrong: string[] = [];
  let answered = 0;
  const setup = {
    worlds: [{ url: world.url, players: { from: 0, to: PLAYERS } }],
    workload: { players: PLAYERS, own: { isDealt: true } },
  };
  const module = realmPlayers(
    setup as unknown as WorkerSetup,
    { ledger: { saved: () => undefined } } as unknown as SourceTools,
  );
  let draws = 0;
  const random = (): number => {
    draws += 1;
    return mulberry32(draws);
  };
  const contextOf = (player: number): WorldContext =>
    ({
      ...{ player, random, now: () => 1e3 * performance.now() },
      openSocket: (path: string) => {
        const headers = { authorization: `Bearer ${TOKEN}` };
        const socket = new WebSocket(world.url.replace('http', 'ws') + path, { headers });
        onTestFinished(() => socket.terminate());
        const emit = socket.emit.bind(socket);
        socket.emit = (event: string, ...args: unknown[]) => {
          const frame = event === 'message' ? decodeFrame(String(args[0])) : null;
          return frame === null ? emit(event, ...args) : emit(event, encodeFrame(change(frame)));
        };
        return socket;
      },
      settle: () => {
        answered += 1;
      },
      log: (line: string) => wrong.push(line),
      ...{ expectDelivery: () => undefined, delivered: () => undefined, measure: () => undefined },
      lost: () => undefined,
    }) as unknown as WorldContext;
  const agents = await Promise.all(
    Array.from({ length: PLAYERS }, async (_, player) => {
      const context = contextOf(player);
      return { context, session: await module.connect(context) };
    }),
  );
  for (let number = 1; number <= rounds; number++) {
    for (const { context, session } of agents)
      void module.perform(session, { kind: 'move', number, due: 0 }, context);
    await sleep(25);
  }
  return { wrong, answered };
}

test('agents find nothing wrong in a world that tells everybody what is in sight', async () => {
  const { wrong, answered } = await walk(100);
  expect(wrong).toEqual([]);
  expect(answered).toBeGreaterThan(90 * PLAYERS);
});

test('agents find what one update of a hundred leaves out', async () => {
  let updates = 0;
  const { wrong } = await walk(80, (frame) => {
    if (frame.type !== 'update' || frame.acks.length === 0) return frame;
    updates += 1;
    return updates % 100 === 0 ? { ...frame, agents: [] } : frame;
  });
  expect(wrong.length).toBeGreaterThan(0);
  expect(wrong.filter((line) => !/agent \d+ at .* was (?:not )?told/.test(line))).toEqual([]);
});
