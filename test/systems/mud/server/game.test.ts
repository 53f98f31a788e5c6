import { expect, test } from 'vitest';
import { newRoom, play, type RoomState } from '../../../../src/systems/mud/server/game.ts';
import { decodeState, encodeState, newPlayer } from '../../../../src/systems/mud/server/player-state.ts';

const ROOMS = 3;
const PLAYER = 2;
const start = newPlayer(PLAYER, ROOMS);
const scene = (room: RoomState = newRoom(start.room), present: readonly string[] = []) => ({
  ...{ room, present, rooms: ROOMS },
});

test('look describes the room, its items and the others in it', () => {
  const { messages, events, room, state } = play(
    PLAYER,
    'look',
    start,
    scene(undefined, ['player-2', 'player-4']),
  );
  expect(messages.join(' ')).toMatch(/room-1.*coin.*guard-1.*With you: player-4\./);
  expect([events, room]).toEqual([[], null]);
  expect(state).toMatchObject({ inventory: [], room: 1, journal: [expect.stringMatching(/looked around/)] });
});

test('what is taken leaves the room, and what is dropped comes back to it', () => {
  const taken = play(PLAYER, 'get rope', start, scene());
  expect(taken.state.inventory).toEqual(['rope']);
  expect(taken.room?.items).not.toContain('rope');
  const again = play(PLAYER, 'get rope', taken.state, scene(taken.room ?? undefined));
  expect(again).toMatchObject({ room: null, messages: ['There is no rope here.'] });
  const dropped = play(PLAYER, 'drop rope', taken.state, scene(taken.room ?? undefined));
  expect(dropped.state.inventory).toEqual([]);
  expect(dropped.room?.items).toContain('rope');
});

test('a saying and a walk are events of the rooms that they concern', () => {
  expect(play(PLAYER, 'say hello', start, scene()).events).toEqual([
    { type: 'player_message', room_id: 'room-1', username: 'player-2', message: 'hello' },
  ]);
  const walk = play(PLAYER, 'go north', start, scene());
  expect(walk.state.room).toBe(2);
  expect(walk.events.map((event) => 'room_id' in event && event.room_id)).toEqual(['room-1', 'room-2']);
  expect(play(PLAYER, 'go up', start, scene()).state).toBe(start);
});

test('every second thing found fulfils a quest', () => {
  const once = play(PLAYER, 'get coin', start, scene());
  expect(once.events).toEqual([]);
  expect(play(PLAYER, 'get coin', once.state, scene()).events).toMatchObject([{ type: 'quest_update' }]);
});

test('nonsense changes nothing', () => {
  for (const command of ['', 'dance', 'say', 'get', 'drop nothing', 'go'])
    expect(play(PLAYER, command, start, scene()), command).toMatchObject({
      state: start,
      room: null,
      events: [],
    });
});

test('a state is compressed above the given size only, and read as it was written', () => {
  const long = Array.from({ length: 30 }, (_, i) => `say Is anybody else here? ${i}`).reduce(
    (state, command) => play(PLAYER, command, state, scene()).state,
    start,
  );
  for (const state of [start, long]) {
    const { text, bytes } = encodeState(state, 1_024);
    expect(decodeState(text)).toEqual(state);
    expect(bytes).toBe(JSON.stringify(state).length);
    if (state === start) expect(text).toBe(JSON.stringify(state));
    else expect(text.length).toBeLessThan(0.6 * bytes);
  }
});
