import { roomId, usernameOf } from '../rooms.ts';
import type { PlayerState } from './player-state.ts';

/**
 * The rules of the game: a ring of rooms with items, in which players look, speak, take things and walk. Pure: what a command
 * does follows from the player's state, the room and the command.
 */

/** The shared state of a room. */
export interface RoomState {
  readonly items: readonly string[];
  readonly npcs: readonly string[];
}

/** The document's five types of events. */
export const EVENT_TYPES = [
  'player_move',
  'npc_action',
  'ambiance',
  'player_message',
  'quest_update',
] as const;

/** An event, as it is published: to a room, or to one player (`quest_update`). */
export type GameEvent =
  | { readonly type: 'player_move'; readonly room_id: string; readonly username: string }
  | {
      readonly type: 'npc_action';
      readonly room_id: string;
      readonly npc_id: string;
      readonly action: string;
    }
  | { readonly type: 'ambiance'; readonly room_id: string; readonly message: string }
  | {
      readonly type: 'player_message';
      readonly room_id: string;
      readonly username: string;
      readonly message: string;
    }
  | { readonly type: 'quest_update'; readonly username: string; readonly quest_id: string };

/** What a command does. */
export interface Turn {
  readonly state: PlayerState;
  /** The room's new state; null where it is unchanged. */
  readonly room: RoomState | null;
  /** For the player. */
  readonly messages: readonly string[];
  /** In their order; the room of each is in it. */
  readonly events: readonly GameEvent[];
}

/** What the player can see. */
export interface Scene {
  readonly room: RoomState;
  /** Usernames of those in the room; empty where the command does not ask for them. */
  readonly present: readonly string[];
  /** Number of rooms. */
  readonly rooms: number;
}

const MOST_ITEMS = 8;
const MOST_CARRIED = 10;
/** So many entries of the journal are kept. */
const JOURNAL = 30;
/** Every so many things found, a quest is fulfilled. */
const QUEST = 2;

const startingItems = ['coin', 'coin', 'coin', 'coin', 'lantern', 'rope'];

/** A room before anybody has been there. */
export const newRoom = (room: number): RoomState => ({ items: startingItems, npcs: [`guard-${room}`] });

/** The room that a walker comes to, or null for a direction that there is none in. */
function neighbourOf(room: number, direction: string, rooms: number): number | null {
  if (direction === 'north') return (room + 1) % rooms;
  if (direction === 'south') return (room + rooms - 1) % rooms;
  return null;
}

/** Whether a command needs the names of those in the room. */
export const asksForPresent = (command: string): boolean => command.trim() === 'look';

/** Carries out one command of a player. */
export function play(player: number, command: string, state: PlayerState, scene: Scene): Turn {
  const [verb = '', ...rest] = command.trim().split(/\s+/);
  const what = rest.join(' ');
  const only = (...messages: readonly string[]): Turn => ({ state, room: null, messages, events: [] });
  switch (verb) {
    case 'look':
      return {
        ...only(...describe(player, state, scene)),
        state: noted(
          state,
          `In ${roomId(state.room)} you looked around, and saw ${scene.room.items.length} things`,
        ),
      };
    case 'inventory':
      return only(
        state.inventory.length === 0 ? 'You carry nothing.' : `You carry ${state.inventory.join(', ')}.`,
      );
    case 'say':
      if (what === '') return only('Say what?');
      return {
        ...only(`You say: ${what}`),
        state: noted(state, `In ${roomId(state.room)} you said: ${what}`),
        events: [
          {
            type: 'player_message',
            room_id: roomId(state.room),
            username: usernameOf(player),
            message: what,
          },
        ],
      };
    case 'get':
      return get(player, what, state, scene);
    case 'drop':
      return drop(what, state, scene);
    case 'go':
      return go(player, what, state, scene);
    default:
      return only(`You do not know how to ${verb === '' ? 'do that' : verb}.`);
  }
}

function describe(player: number, state: PlayerState, { room, present }: Scene): readonly string[] {
  const others = present.filter((name) => name !== usernameOf(player));
  return [
    `You are in ${roomId(state.room)}. Ways lead north and south.`,
    room.items.length === 0 ? 'Nothing lies here.' : `Here lie ${room.items.join(', ')}.`,
    ...room.npcs.map((npc) => `${npc} is here.`),
    others.length === 0 ? 'You are alone.' : `With you: ${others.join(', ')}.`,
  ];
}

function get(player: number, item: string, state: PlayerState, { room }: Scene): Turn {
  const at = room.items.indexOf(item);
  if (at < 0 || state.inventory.length >= MOST_CARRIED) {
    const message = at < 0 ? `There is no ${item || 'such thing'} here.` : 'You cannot carry more.';
    return { state, room: null, messages: [message], events: [] };
  }
  const found = state.found + 1;
  const fulfilled = found % QUEST === 0;
  return {
    state: noted(
      { ...state, found, inventory: [...state.inventory, item] },
      `In ${roomId(state.room)} you took a ${item}, the ${found}. thing that you found`,
    ),
    room: { ...room, items: room.items.filter((_, index) => index !== at) },
    messages: [`You take the ${item}.`],
    events: fulfilled
      ? [{ type: 'quest_update', username: usernameOf(player), quest_id: `find-${found}-things` }]
      : [],
  };
}

function drop(item: string, state: PlayerState, { room }: Scene): Turn {
  const at = state.inventory.indexOf(item);
  if (at < 0 || room.items.length >= MOST_ITEMS) {
    const message = at < 0 ? `You carry no ${item || 'such thing'}.` : 'There is no room for it here.';
    return { state, room: null, messages: [message], events: [] };
  }
  return {
    state: noted(
      { ...state, inventory: state.inventory.filter((_, index) => index !== at) },
      `In ${roomId(state.room)} you left a ${item} for whoever comes next`,
    ),
    room: { ...room, items: [...room.items, item] },
    messages: [`You drop the ${item}.`],
    events: [],
  };
}

function go(player: number, direction: string, state: PlayerState, { rooms }: Scene): Turn {
  const to = neighbourOf(state.room, direction, rooms);
  if (to === null || to === state.room) {
    return { state, room: null, messages: [`There is no way ${direction || 'there'}.`], events: [] };
  }
  const username = usernameOf(player);
  return {
    state: noted(
      { ...state, room: to },
      `You left ${roomId(state.room)} and went ${direction}, to ${roomId(to)}`,
    ),
    room: null,
    messages: [`You go ${direction}, and come to ${roomId(to)}.`],
    events: [state.room, to].map((room) => ({ type: 'player_move', room_id: roomId(room), username })),
  };
}

const noted = (state: PlayerState, entry: string): PlayerState => ({
  ...state,
  journal: [...state.journal, entry].slice(-JOURNAL),
});

/** What those in a room read of an event. */
export function messageOfEvent(event: GameEvent): string {
  switch (event.type) {
    case 'player_move':
      return `${event.username} goes by.`;
    case 'npc_action':
      return `${event.npc_id} ${event.action}.`;
    case 'ambiance':
      return event.message;
    case 'player_message':
      return `${event.username} says: ${event.message}`;
    case 'quest_update':
      return `Quest fulfilled: ${event.quest_id}`;
  }
}

/** The `message_type` of a room's message. */
export const MESSAGE_TYPES: Readonly<Record<GameEvent['type'], string>> = {
  player_move: 'move',
  npc_action: 'npc',
  ambiance: 'ambiance',
  player_message: 'chat',
  quest_update: 'quest',
};
