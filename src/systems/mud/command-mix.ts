import { isResident } from './rooms.ts';

/**
 * What a player types next, of the commands that text games are made of. Of 100: 30 look, 25 say, 20 get or drop, 10 look at
 * the inventory, and 15 go, which residents replace by a look.
 */
export type Verb = 'look' | 'say' | 'get' | 'drop' | 'inventory' | 'north' | 'south';

const SHARES: readonly (readonly [upTo: number, verb: Verb])[] = [
  [0.3, 'look'],
  [0.55, 'say'],
  [0.65, 'get'],
  [0.75, 'drop'],
  [0.85, 'inventory'],
  [0.925, 'north'],
  [1, 'south'],
];

/** `chance`: from 0 to 1. */
export function verbOf(player: number, chance: number): Verb {
  const verb = SHARES.find(([upTo]) => chance < upTo)?.[1] ?? 'look';
  return isResident(player) && (verb === 'north' || verb === 'south') ? 'look' : verb;
}

/** What is said, with a key that no other player and no other command has. */
export const sayingOf = (player: number, number: number): string => `${player}:${number}`;

/** The key in a room's message, which ends with it; null where there is none. */
export function keyIn(message: string): string | null {
  return /(?:^|\s)(\d{1,9}:\d{1,10})$/.exec(message)?.[1] ?? null;
}

/** The line that is typed. */
export function lineOf(verb: Verb, player: number, number: number): string {
  switch (verb) {
    case 'say':
      return `say Is anybody else here? ${sayingOf(player, number)}`;
    case 'get':
    case 'drop':
      return `${verb} coin`;
    case 'north':
    case 'south':
      return `go ${verb}`;
    default:
      return verb;
  }
}
