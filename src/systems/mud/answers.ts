import { lineOf, type Verb } from './command-mix.ts';
import { homeOf, isResident, playerOf, roomId } from './rooms.ts';
import type { Frame } from './wire.ts';

/** What a server may say to a player: the load's own knowledge of the game, against which each frame is held. */

/** The answer to a command that the game contains already: its connection was lost before the first answer. */
const REPEATED = 'You have done that.';
export const isRepeated = ([first]: readonly string[]): boolean => first === REPEATED;

/** Whether the messages of a response fit the command with this number. */
export function fits(verb: Verb, player: number, number: number, rooms: number, messages: readonly string[]) {
  const [first, ...rest] = messages;
  if (first === undefined || messages.includes('')) return false;
  if (first === REPEATED) return rest.length === 0;
  if (verb === 'look') {
    const room = /^You are in (room-\d+)\. /.exec(first)?.[1];
    return room !== undefined && isPlaceOf(player, rooms, room) && rest.length > 0;
  }
  if (rest.length > 0) return false;
  if (verb === 'say') return first === `You say: ${lineOf(verb, player, number).slice('say '.length)}`;
  return SIMPLE[verb].test(first);
}

const SIMPLE: Readonly<Record<Exclude<Verb, 'look' | 'say'>, RegExp>> = {
  get: /^(?:You take the coin|There is no coin here|You cannot carry more)\.$/,
  drop: /^(?:You drop the coin|You carry no coin|There is no room for it here)\.$/,
  inventory: /^You carry (?:nothing|[a-z]+(?:, [a-z]+)*)\.$/,
  north: /^(?:You go north, and come to room-\d+|There is no way north)\.$/,
  south: /^(?:You go south, and come to room-\d+|There is no way south)\.$/,
};

type RoomMessage = Extract<Frame, { readonly type: 'room_message' }>;

/** Whether a player may hear this: what it hears is of its room, and of the form that its type has. */
export function isHearable(player: number, rooms: number, { room_id, message, message_type }: RoomMessage) {
  const form = FORMS[message_type.replace(/^earlier_/, '')];
  return form?.test(message) === true && isPlaceOf(player, rooms, room_id);
}

const FORMS: Readonly<Record<string, RegExp>> = {
  chat: /^player-\d+ says: ./,
  move: /^player-\d+ goes by\.$/,
  npc: /^guard-\d+ ./,
  ambiance: /./,
  quest: /^Quest fulfilled: ./,
};

/** The player who says this; -1 where nobody does. */
export const speakerOf = (message: string): number =>
  playerOf(/^(player-\d+) says: /.exec(message)?.[1] ?? '');

/** Residents are at home, always; nobody but the game knows where a walker is. */
function isPlaceOf(player: number, rooms: number, room: string): boolean {
  if (isResident(player)) return room === roomId(homeOf(player, rooms));
  const [, digits] = /^room-(\d{1,9})$/.exec(room) ?? [];
  return digits !== undefined && Number(digits) < rooms;
}
