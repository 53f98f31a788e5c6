import { roomId, usernameOf } from '../rooms.ts';

/** The document's keys and channels, and two of this server's own (`dirty`, `clock`). */

export const playerKeys = (player: number) => {
  const name = `player:${usernameOf(player)}`;
  return { state: `${name}:state`, location: `${name}:location`, session: `${name}:session` };
};

export const roomKeys = (room: number) => {
  const name = `room:${roomId(room)}`;
  return { state: `${name}:state`, players: `${name}:players`, events: `${name}:events` };
};

export const GLOBAL_KEYS = {
  time: 'global:world_time',
  weather: 'global:weather',
  quests: 'global:quests',
  players: 'global:active_players',
} as const;

export const roomChannel = (room: number): string => `room:${roomId(room)}`;
export const userChannel = (player: number): string => `user:${usernameOf(player)}`;
export const GLOBAL_CHANNEL = 'global';

/** Sorted set of the players whose state is newer than their row; the score is when it may be taken to be saved, ms. */
export const DIRTY = 'dirty';
/** Held by the instance that moves the world's clock. */
export const CLOCK = 'clock';
