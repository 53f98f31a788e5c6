import { unitedNumbers } from '../../../hashed-numbers.ts';
import { contains, hasNumber, lastOf, numbersBeyond } from '../../../number-ranges.ts';
import { newRoom, play } from './game.ts';
import { type AwayCommand, counted, type PlayerState } from './player-state.ts';

/** The state with a command on top, as it is kept in PostgreSQL while Redis is away. */
export const playedAway = (state: PlayerState, number: number, command: string): PlayerState => ({
  ...counted(state, number),
  outage: [...state.outage, [number, command]],
});

/** Nothing would come from the row: Redis has all that it has. */
export const hasAllOf = (inRedis: PlayerState | null, row: PlayerState): inRedis is PlayerState =>
  inRedis !== null && row.outage.length === 0 && contains(inRedis.numbers, row.numbers);

/**
 * Two states of a player brought together, in any order and however often: the result has the numbers of both. While Redis was
 * away, commands went to the row in PostgreSQL, and Redis may have numbers that the row did not have then. Those commands are
 * played again on top of the other state. What neither has a command for any more, as after a loss, keeps its number alone.
 */
export function merged(player: number, one: PlayerState, other: PlayerState, rooms: number): PlayerState {
  const isBase = isRatherBase(one, other);
  const [base, rest] = isBase ? [one, other] : [other, one];
  const played = rest.outage
    .filter(([number]) => !hasNumber(base.numbers, number))
    .reduce((state, [number, command]) => {
      // Rooms have no copy, so what was taken then is taken from a room as it was at first.
      const scene = { room: newRoom(state.room), present: [], rooms };
      return counted(play(player, command, state, scene).state, number);
    }, base);
  return { ...played, ...unitedNumbers(played, rest), outage: awayOnly(one, other) };
}

/**
 * The base is the state to which nothing is missing that cannot be played again; if it is neither or both, the later one, and of
 * two that end with the same number the one that Redis has.
 */
function isRatherBase(one: PlayerState, other: PlayerState): boolean {
  const [oneLacks, otherLacks] = [lacksCommands(one, other), lacksCommands(other, one)];
  if (oneLacks !== otherLacks) return otherLacks;
  const later = lastOf(one.numbers) - lastOf(other.numbers);
  return later === 0 ? one.outage.length <= other.outage.length : later > 0;
}

const lacksCommands = (base: PlayerState, other: PlayerState): boolean =>
  numbersBeyond(other.numbers, base.numbers).some((number) => !isAway(other, number));

const isAway = ({ outage }: PlayerState, number: number): boolean => outage.some(([away]) => away === number);

/** The commands of both, without those that one of them has from Redis. */
function awayOnly(one: PlayerState, other: PlayerState): readonly AwayCommand[] {
  const isUnknownTo = (state: PlayerState, number: number): boolean =>
    isAway(state, number) || !hasNumber(state.numbers, number);
  const commands = new Map([...one.outage, ...other.outage]);
  return [...commands]
    .filter(([number]) => isUnknownTo(one, number) && isUnknownTo(other, number))
    .toSorted(([a], [b]) => a - b);
}
