import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { sequenceHash } from '../../../sequence-hash.ts';
import { homeOf } from '../rooms.ts';

/** A player's character, and the figures of the commands that were applied to it. */
export interface PlayerState {
  /** The highest number applied. */
  readonly lastSeq: number;
  /** How many were applied, their sum, and the sum of their hashes modulo 2^48. */
  readonly appliedN: number;
  readonly seqSum: number;
  readonly seqHash: number;
  /** The numbers from this one to `lastSeq` were all applied. */
  readonly from: number;
  /** The number of its room. */
  readonly room: number;
  readonly inventory: readonly string[];
  /** Things taken so far. */
  readonly found: number;
  /** What the player did last. */
  readonly journal: readonly string[];
  /**
   * The commands that were applied to the row in PostgreSQL while Redis was away, in order: Redis may come back with numbers
   * that the row does not have, and these are then applied on top of them.
   */
  readonly outage: readonly (readonly [number: number, command: string])[];
}

const HASH_MODULUS = 2 ** 48;

/** A new character. `rooms`: how many there are. */
export const newPlayer = (player: number, rooms: number): PlayerState => ({
  ...{ lastSeq: 0, appliedN: 0, seqSum: 0, seqHash: 0, from: 1 },
  ...{ room: homeOf(player, rooms), inventory: [], found: 0, journal: [], outage: [] },
});

/** The state with one more number applied. */
export const counted = (state: PlayerState, number: number): PlayerState => ({
  ...state,
  from: number === state.lastSeq + 1 ? state.from : number,
  lastSeq: number,
  appliedN: state.appliedN + 1,
  seqSum: state.seqSum + number,
  seqHash: (state.seqHash + sequenceHash(number)) % HASH_MODULUS,
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
