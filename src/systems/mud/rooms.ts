/**
 * Who begins in which room. Players with an even number are residents: they never leave their room, so that the load knows who
 * has to hear what is said there without asking a server. The others walk.
 */

export const isResident = (player: number): boolean => player % 2 === 0;

/** The number of the room in which a new character begins. */
export const homeOf = (player: number, rooms: number): number => Math.floor(player / 2) % rooms;

/** The residents of a room, by their numbers. */
export function residentsOf(room: number, players: number, rooms: number): readonly number[] {
  const residents: number[] = [];
  for (let player = 2 * room; player < players; player += 2 * rooms) residents.push(player);
  return residents;
}

/** The room's id on the wire and in keys. */
export const roomId = (room: number): string => `room-${room}`;

export const usernameOf = (player: number): string => `player-${player}`;

/** The number of a player, by its username; -1 where it is none. */
export function playerOf(username: string): number {
  const [, digits] = /^player-(\d{1,9})$/.exec(username) ?? [];
  return digits === undefined ? -1 : Number(digits);
}
