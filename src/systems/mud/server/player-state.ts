import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { sequenceHash } from '../../../sequence-hash.ts';
import { homeOf } from '../rooms.ts';
import {
  countOf,
  isNumberRanges,
  lastOf,
  NO_NUMBERS,
  type NumberRanges,
  numbersBeyond,
  sumOf,
  united,
} from './number-ranges.ts';

/** Which commands were applied. */
export interface AppliedNumbers {
  readonly numbers: NumberRanges;
  /** The sum of the numbers' hashes modulo 2^48. */
  readonly seqHash: number;
}

/** A player's character, and the commands that were applied to it. */
export interface PlayerState extends AppliedNumbers {
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

const HASH_MODULUS = 2 ** 48;

/** A new character. `rooms`: how many there are. */
export const newPlayer = (player: number, rooms: number): PlayerState => ({
  ...{ numbers: NO_NUMBERS, seqHash: 0 },
  ...{ room: homeOf(player, rooms), inventory: [], found: 0, journal: [], outage: [] },
});

/** The sum of the numbers' hashes modulo 2^48. */
export const hashOf = (numbers: NumberRanges): number => hashWith(0, numbersBeyond(numbers, NO_NUMBERS));

const hashWith = (hash: number, numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => (sum + sequenceHash(number)) % HASH_MODULUS, hash);

/** What both together have. */
export const unitedNumbers = (one: AppliedNumbers, other: AppliedNumbers): AppliedNumbers => ({
  numbers: united(one.numbers, other.numbers),
  seqHash: hashWith(one.seqHash, numbersBeyond(other.numbers, one.numbers)),
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
  ...unitedNumbers(state, { numbers: [[number, number]], seqHash: 0 }),
});

/** The figures of a row: the highest number, how many there are, their sum and the sum of their hashes. */
export const figuresOf = ({ numbers, seqHash }: AppliedNumbers) => ({
  ...{ lastSeq: lastOf(numbers), appliedN: countOf(numbers), seqSum: sumOf(numbers), seqHash },
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
