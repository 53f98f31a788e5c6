import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WorkerSetup } from '../../../src/load/fleet/messages.ts';
import type { WorldContext } from '../../../src/load/module/player-code.ts';
import type { SourceTools } from '../../../src/load/source.ts';
import { realmPlayers } from '../../../src/systems/realm/players.ts';
import { type Command, decodeCommand, type Frame } from '../../../src/systems/realm/wire.ts';
import { emoteOf, lineOf } from '../../../src/systems/realm/words.ts';

const ALL = [{ url: 'http://127.0.0.1:1', players: { from: 0, to: 6 } }];
const TWO_WORLDS = [
  { url: 'http://127.0.0.1:1', players: { from: 0, to: 3 } },
  { url: 'http://127.0.0.1:2', players: { from: 3, to: 6 } },
];

/** Agent 0 of six, at 50, 50. `chance`: its random numbers. */
async function agentOf({
  chance = 0.5,
  worlds = ALL,
  isDealt = true,
  last = 0,
  others = {} as Readonly<Record<number, number>>,
} = {}) {
  const saved: [number, number][] = [];
  const settled: [number, string][] = [];
  const expected: [string, unknown][] = [];
  const delivered: string[] = [];
  const sent: Command[] = [];
  const counts: Record<string, number> = {};
  const socket = Object.assign(new EventEmitter(), {
    send: (text: string) => sent.push(decodeCommand(text)!),
    close: () => undefined,
  });
  const context = {
    player: 0,
    random: () => chance,
    now: () => 0,
    openSocket: () => socket,
    settle: ({ number }: { number: number }, result: string) => settled.push([number, result]),
    expectDelivery: (key: string, players: unknown) => expected.push([key, players]),
    delivered: (key: string) => delivered.push(key),
    measure: (name: string, value: number) => {
      counts[name] = (counts[name] ?? 0) + value;
    },
    log: () => undefined,
    lost: () => undefined,
  } as unknown as WorldContext;
  const players = realmPlayers(
    { worlds, workload: { players: 6, own: { isDealt } } } as unknown as WorkerSetup,
    {
      ledger: { saved: (_: number, from: number, to: number) => saved.push([from, to]) },
    } as unknown as SourceTools,
  );
  const connecting = players.connect(context);
  for (const [player, world] of Object.entries(others)) {
    const other = Object.assign(new EventEmitter(), { send: () => undefined, close: () => undefined });
    void players.connect({
      ...context,
      player: Number(player),
      openSocket: () => other,
    } as unknown as WorldContext);
    other.emit(
      'message',
      JSON.stringify({ type: 'welcome', world, agent: Number(player), last: 0, x: 1, z: 1 }),
    );
  }
  const receive = (frame: Frame | object): boolean => socket.emit('message', JSON.stringify(frame));
  receive({ type: 'welcome', world: 1, agent: 0, last, x: 50, z: 50 });
  receive({ type: 'snapshot', agents: [] });
  const session = await connecting;
  let number = last;
  return {
    ...{ saved, settled, expected, delivered, sent, counts, receive, session },
    does: (kind: 'move' | 'chat' | 'emote') => {
      number += 1;
      players.perform(session, { kind, number, due: 0 }, context);
    },
    acknowledges: (...acks: readonly number[]) =>
      receive({ type: 'update', tick: number, acks, agents: [], gone: [] }),
  };
}

test('an agent continues after the last number of its world', async () => {
  const { session, does, sent } = await agentOf({ last: 41 });
  expect(session.lastNumber).toBe(41);
  does('emote');
  expect(sent).toEqual([{ type: 'emote', seq: 42, emote: emoteOf(0, 42) }]);
});

test('moves are steps from where the one before leads, and stay inside', async () => {
  const { does, sent, acknowledges, settled, session, counts } = await agentOf({ chance: 0.999 });
  for (let i = 0; i < 30; i++) does('move');
  expect(sent.slice(0, 2)).toEqual([
    { type: 'move', seq: 1, x: 52, z: 52 },
    { type: 'move', seq: 2, x: 54, z: 54 },
  ]);
  expect(sent.at(-1)).toEqual({ type: 'move', seq: 30, x: 100, z: 100 });
  acknowledges(1, 2);
  expect(settled).toEqual([
    [1, 'ok'],
    [2, 'ok'],
  ]);
  expect(session.here).toEqual({ x: 54, z: 54 });
  expect(counts.wrongFrames).toBe(0);
});

test('what is refused moves nobody, and the next step begins where the agent stands', async () => {
  const { does, sent, receive, settled, counts } = await agentOf({ chance: 0.999 });
  does('move');
  receive({ type: 'refused', seq: 1, reason: 'collision' });
  does('move');
  expect(settled).toEqual([[1, 'rejected']]);
  expect(sent.at(-1)).toEqual({ type: 'move', seq: 2, x: 52, z: 52 });
  expect(counts.wrongFrames).toBe(0);
  receive({ type: 'refused', seq: 2, reason: 'out_of_bounds' });
  expect(counts.wrongFrames).toBe(1);
});

test('what an agent says is expected at all others of its world once it is acknowledged, and an answer counts once', async () => {
  const { does, receive, settled, expected, counts } = await agentOf();
  does('chat');
  expect(expected).toEqual([]);
  receive({ type: 'ack', seq: 1 });
  expect(settled).toEqual([[1, 'ok']]);
  expect(expected).toEqual([['0:1', 'others']]);
  expect(counts.wrongFrames).toBe(0);
  // The load counts the settlement of what is settled already as a stray answer.
  receive({ type: 'ack', seq: 1 });
  expect(settled.at(-1)).toEqual([1, 'failed']);
  expect(expected).toHaveLength(1);
  expect(counts.wrongFrames).toBe(1);
});

test('of several worlds only the agents of the own one hear; behind a proxy those of whom it is known', async () => {
  const two = await agentOf({ worlds: TWO_WORLDS });
  two.does('emote');
  two.receive({ type: 'ack', seq: 1 });
  expect(two.expected).toEqual([['0:1', [1, 2]]]);
  two.receive({ type: 'chat', from: 4, seq: 1, text: lineOf(4, 1) });
  expect(two.counts.wrongFrames).toBe(1);

  // In world 1, agent 4 of the same load worker in world 1, too, and 5 in world 2.
  const behind = await agentOf({ isDealt: false, others: { 4: 1, 5: 2 } });
  behind.does('chat');
  behind.receive({ type: 'ack', seq: 1 });
  behind.receive({ type: 'chat', from: 4, seq: 1, text: lineOf(4, 1) });
  // Of another load worker.
  behind.receive({ type: 'chat', from: 3, seq: 1, text: lineOf(3, 1) });
  expect([behind.expected, behind.delivered, behind.counts.wrongFrames]).toEqual([
    [['0:1', [4]]],
    ['4:1'],
    0,
  ]);
});

test.each<[what: string, frame: object, delivered: readonly string[], wrong: number]>([
  ['a chat', { type: 'chat', from: 3, seq: 7, text: lineOf(3, 7) }, ['3:7'], 0],
  ['an emote', { type: 'emote', from: 3, seq: 7, emote: emoteOf(3, 7) }, ['3:7'], 0],
  ['other words', { type: 'chat', from: 3, seq: 7, text: lineOf(3, 8) }, [], 1],
  ['itself', { type: 'chat', from: 0, seq: 7, text: lineOf(0, 7) }, [], 1],
  ['nobody of the run', { type: 'chat', from: 6, seq: 7, text: lineOf(6, 7) }, [], 1],
  ['a key too many', { type: 'chat', from: 3, seq: 7, text: lineOf(3, 7), more: 1 }, [], 1],
  ['a frame of no known type', { type: 'shout' }, [], 1],
  ['a second welcome', { type: 'welcome', world: 1, agent: 0, last: 0, x: 1, z: 1 }, [], 1],
  ['an agent out of sight', { type: 'update', tick: 1, acks: [], agents: [[3, 1, 1, 1]], gone: [] }, [], 1],
])('what an agent hears: %s', async (_, frame, delivered, wrong) => {
  const agent = await agentOf();
  agent.receive(frame);
  expect(agent.delivered).toEqual(delivered);
  expect(agent.counts.wrongFrames ?? 0).toBe(wrong);
});

test.each<[what: string, kind: 'move' | 'chat', answer: object]>([
  ['a move that is acknowledged as if it were said', 'move', { type: 'ack', seq: 1 }],
  [
    'a chat that is acknowledged as a move',
    'chat',
    { type: 'update', tick: 1, acks: [1], agents: [], gone: [] },
  ],
  ['a chat that collides', 'chat', { type: 'refused', seq: 1, reason: 'collision' }],
])('an answer has to fit its command: %s', async (_, kind, answer) => {
  const { does, receive, counts, settled } = await agentOf();
  does(kind);
  receive(answer);
  expect(settled).toHaveLength(1);
  expect(counts.wrongFrames).toBe(1);
});

test('where an agent stands is where its acknowledged moves have led it, when it is told of others', async () => {
  const { does, receive, counts } = await agentOf({ chance: 0.999 });
  does('move');
  // 41 from where it stood, 39 from where it stands now.
  receive({ type: 'update', tick: 1, acks: [1], agents: [[3, 91, 52, 1]], gone: [] });
  expect(counts.wrongFrames).toBe(0);
});

test('every number that is reported as saved is recorded', async () => {
  const { receive, saved, counts } = await agentOf();
  receive({
    type: 'saved',
    numbers: [
      [1, 2],
      [5, 9],
    ],
  });
  receive({ type: 'saved', numbers: [[9, 8]] });
  expect(saved).toEqual([
    [1, 2],
    [5, 9],
  ]);
  expect(counts.wrongFrames).toBe(1);
});
