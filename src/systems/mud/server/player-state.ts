import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type HashedNumbers, withNumber } from '../../../hashed-numbers.ts';
import { isNumberRanges, NO_NUMBERS } from '../../../number-ranges.ts';
import { homeOf } from '../rooms.ts';

/** A player's character, and the commands that were applied to it. */
export interface PlayerState extends HashedNumbers {
  /** The number of its room. */
  readonly room: number;
  readonly inventory: readonly string[];
  /** Things taken so far. */
  readonly found: number;
  /** What the player did last. */
  readonly journal: readonly string[];
  /** Those of the commands that were applied to the row in PostgreSQL, and never to Redis as far as is known; in order. */
  readonly outage: readonly AwayCommand[];
}
export type AwayCommand = readonly [number: number, command: string];

/** A new character. `rooms`: how many there are. */
export const newPlayer = (player: number, rooms: number): PlayerState => ({
  ...{ numbers: NO_NUMBERS, seqHash: 0 },
  ...{ room: homeOf(player, rooms), inventory: [], found: 0, journal: [], outage: [] },
});

/** Whether something that was read is a state. */
export function isPlayerState(value: unknown): value is PlayerState {
  if (typeof value !== 'object' || value === null) return false;
  const { numbers, seqHash, room, inventory, found, journal, outage } = value as Record<string, unknown>;
  return (
    [seqHash, room, found].every(Number.isSafeInteger) &&
    [inventory, journal].every(
      (list) => Array.isArray(list) && list.every((one) => typeof one === 'string'),
    ) &&
    Array.isArray(outage) &&
    isNumberRanges(numbers)
  );
}

/** The state with one more number applied; the same state if it has it already. */
export const counted = (state: PlayerState, number: number): PlayerState => ({
  ...state,
  ...withNumber(state, number),
});

/** Before a compressed state, which is not JSON. */
const DEFLATED = 'deflate:';

/** The text that is stored: JSON, deflated above so many bytes. */
export function encodeState(
  state: PlayerState,
  compressAbove: number,
): { readonly text: string; readonly bytes: number } {
  const json = JSON.stringify(state);
  const bytes = Buffer.byteLength(json);
  if (bytes <= compressAbove) return { text: json, bytes };
  return { text: DEFLATED + deflateRawSync(json, { level: 1 }).toString('base64'), bytes };
}

/** @throws an Error for a text that is no state */
export function decodeState(text: string): PlayerState {
  const json = text.startsWith(DEFLATED)
    ? inflateRawSync(Buffer.from(text.slice(DEFLATED.length), 'base64')).toString()
    : text;
  return JSON.parse(json) as PlayerState;
}
