import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WorkerSetup } from '../../../src/load/fleet/messages.ts';
import type { WorldContext } from '../../../src/load/module/player-code.ts';
import type { SourceTools } from '../../../src/load/source.ts';
import { mudPlayers } from '../../../src/systems/mud/players.ts';
import type { Frame } from '../../../src/systems/mud/wire.ts';

/** 8 players in 2 rooms: the residents of room 0 are 0 and 4. A `chance` of 0.4 is a say, 0 a look, 0.8 a look at what one carries. */
async function playerOf({ player = 0, chance = 0.4 } = {}) {
  const saved: [number, number][] = [];
  const settled: [number, string][] = [];
  const expected: [string, readonly number[]][] = [];
  const [delivered, sent]: [string[], string[]] = [[], []];
  const counts: Record<string, number> = {};
  const socket = Object.assign(new EventEmitter(), {
    send: (text: string) => sent.push(text),
    close: () => undefined,
  });
  const context = {
    player,
    random: () => chance,
    now: () => 0,
    openSocket: () => socket,
    settle: ({ number }: { number: number }, result: string) => settled.push([number, result]),
    expectDelivery: (key: string, players: readonly number[]) => expected.push([key, players]),
    delivered: (key: string) => delivered.push(key),
    measure: (name: string, value: number) => {
      counts[name] = (counts[name] ?? 0) + value;
    },
    log: () => undefined,
    lost: () => undefined,
  } as unknown as WorldContext;
  const players = mudPlayers(
    { workload: { players: 8, own: { rooms: 2, saveSeconds: 1 } } } as WorkerSetup,
    {
      ledger: { saved: (_: number, from: number, to: number) => saved.push([from, to]) },
    } as unknown as SourceTools,
  );
  const connecting = players.connect(context);
  const receive = (frame: Frame | object): boolean => socket.emit('message', JSON.stringify(frame));
  receive({ type: 'connected', last: 0 });
  const session = await connecting;
  let number = 0;
  return {
    ...{ saved, settled, expected, delivered, sent, counts, receive },
    command: () => {
      number += 1;
      players.perform(session, { kind: 'command', number, due: 0 }, context);
    },
    answer: (id: number, ...messages: readonly string[]) =>
      receive({ type: 'response', id: String(id), messages }),
  };
}

const numbersOf = (ranges: readonly (readonly [number, number])[]): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));

test.each<[what: string, reports: readonly (readonly [number, number])[], recorded: number[]]>([
  [
    'each repeats what came before',
    [
      [1, 2],
      [1, 4],
      [1, 4],
    ],
    [1, 2, 3, 4],
  ],
  [
    'single ones first, then all',
    [
      [3, 3],
      [4, 4],
      [1, 4],
    ],
    [3, 4, 1, 2],
  ],
  [
    'a later start, then the earlier numbers',
    [
      [5, 6],
      [1, 2],
      [1, 6],
    ],
    [5, 6, 1, 2, 3, 4, 5, 6],
  ],
])('every number that is reported as saved is recorded: %s', async (_, reports, recorded) => {
  const { receive, saved } = await playerOf();
  for (const [from, to] of reports) receive({ type: 'saved', from: String(from), id: String(to) });
  expect(numbersOf(saved)).toEqual(recorded);
});

test('a saying is expected at the others of the room once it is answered, and a second answer is nobody’s', async () => {
  const { command, answer, settled, expected, counts } = await playerOf();
  command();
  expect(expected).toEqual([]);
  answer(1, 'You say: Is anybody else here? 0:1');
  expect(settled).toEqual([[1, 'ok']]);
  expect(expected).toEqual([['0:1', [4]]]);
  expect(counts.wrongFrames).toBe(0);
  // The load counts the settlement of what is settled already as a stray answer.
  answer(1, 'You say: Is anybody else here? 0:1');
  expect(settled.at(-1)).toEqual([1, 'failed']);
  expect(expected).toHaveLength(1);
});

test.each<[what: string, chance: number, messages: readonly string[], wrong: number]>([
  ['a look', 0, ['You are in room-0. Ways lead north and south.', 'Nothing lies here.'], 0],
  ['a look at another room', 0, ['You are in room-1. Ways lead north and south.', 'Nothing lies here.'], 1],
  ['what one carries', 0.8, ['You carry coin, rope.'], 0],
  ['carried by whom', 0.8, ['You say: coin'], 1],
  ['other words', 0.4, ['You say: Is anybody else here? 0:2'], 1],
  ['nothing', 0.4, [], 1],
  ['done before', 0.4, ['You have done that.'], 0],
])('an answer has to fit its command: %s', async (_, chance, messages, wrong) => {
  const { command, answer, counts } = await playerOf({ chance });
  command();
  answer(1, ...messages);
  expect(counts.wrongFrames).toBe(wrong);
});

const said = {
  type: 'room_message',
  room_id: 'room-0',
  message: 'player-4 says: hi 4:7',
  message_type: 'chat',
};
test.each<[what: string, frame: object, delivered: string[], wrong: number | undefined]>([
  ['a resident', said, ['4:7'], undefined],
  ['a walker', { ...said, message: 'player-1 says: hi 1:7' }, [], undefined],
  ['what was said before', { ...said, message_type: 'earlier_chat' }, [], undefined],
  ['in another room', { ...said, room_id: 'room-1' }, [], 1],
  ['in no room', { ...said, room_id: 'nowhere' }, [], 1],
  ['as somebody else', { ...said, message: 'player-6 says: hi 4:7' }, [], 1],
  ['by nobody', { ...said, message: '4:7' }, [], 1],
  ['of no known type', { ...said, message_type: 'shout' }, [], 1],
  ['with a key too many', { ...said, more: 1 }, [], 1],
])('what a resident hears: %s', async (_, frame, delivered, wrong) => {
  const player = await playerOf();
  player.receive(frame);
  expect(player.delivered).toEqual(delivered);
  expect(player.counts.wrongFrames).toBe(wrong);
});
