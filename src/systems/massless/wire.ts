import type { Item } from './tables.ts';

/**
 * What players and zones say to each other, over the frames of Colyseus 0.16. A player asks for a seat by
 * `POST ${SEAT_PATH}` with `JoinOptions`, and opens the WebSocket of the reservation. Numbers (`seq`) are those of the
 * player's operations, of all kinds in one series: they only rise.
 */

/** The name of the rooms, one of which is a zone. */
export const ROOM = 'zone';
/** Seats are reserved here. */
export const SEAT_PATH = `/matchmake/joinOrCreate/${ROOM}`;

/** Body of the request for a seat. */
export interface JoinOptions {
  /** From 0. Where the player was last, or its first zone. */
  readonly zone: number;
  /** From 0; its character has the same number. */
  readonly player: number;
  /** Of the last `welcome` or `transfer`; empty for a new session. */
  readonly token: string;
}

/** Up. */
export interface UpMessages {
  /** A wanted step: each part is between -1 and 1, in units. Applied at the next tick, in order of number. */
  readonly input: { readonly seq: number; readonly x: number; readonly z: number };
  /** The player gives an item that it owns to the character of another player, in any zone, connected or not. */
  readonly trade: { readonly seq: number; readonly to: number; readonly item: Item };
  /** The player goes to another zone. */
  readonly zone: { readonly seq: number; readonly to: number };
}

/** Down. */
export interface DownMessages {
  /** The player is in the room: first message after joining. */
  readonly welcome: {
    readonly player: number;
    readonly character: number;
    /** The highest number of its inputs and transfers that the character contains; 0 for none. */
    readonly last: number;
    /** The number of the last transfer of the character; 0 for none. A transfer is acknowledged by this. */
    readonly transferred: number;
    readonly zone: number;
    readonly x: number;
    readonly z: number;
    /** All that it owns. */
    readonly items: readonly Item[];
    /** Of these, the ones that it did not begin with: the trade by which each came, with the giver's number. */
    readonly got: readonly { readonly item: Item; readonly from: number; readonly seq: number }[];
    /** For the next join, after a lost connection. */
    readonly token: string;
  };
  /**
   * All inputs up to `seq` are applied, and the character is at this place: not durable, since places are saved every few seconds.
   * `tick`: the room's first tick whose state has the place; its patch comes after this message, and there is one for each tick.
   */
  readonly ack: { readonly seq: number; readonly tick: number; readonly x: number; readonly z: number };
  /**
   * A trade is committed. To the giver (`from` is the player), as the answer; and to the taker where it is connected, for
   * which `seq` is the giver's number. A giver who sends a trade again after a lost answer gets the same answer.
   */
  readonly traded: { readonly seq: number; readonly from: number; readonly to: number; readonly item: Item };
  /** Nothing was changed by the trade or transfer `seq`. */
  readonly refused: { readonly seq: number; readonly reason: Refusal };
  /**
   * The character is in another zone, by the player's transfer `seq`; the room then closes with `CLOSE.transferred`. Also sent instead
   * of `welcome` to a player that joins the wrong zone; `seq` is then that of the character's last transfer, 0 for none.
   */
  readonly transfer: {
    readonly seq: number;
    readonly zone: number;
    /** From 0: `world-1` is 0. */
    readonly server: number;
    readonly token: string;
  };
}

export type UpType = keyof UpMessages;
export type DownType = keyof DownMessages;

/** Why a trade or a transfer is not carried out. Those of `PASSING` may be sent again, with the same number. */
export type Refusal =
  /** The giver does not own the item. */
  | 'not-owned'
  /** An operation with the item or the character is under way. */
  | 'busy'
  /** There is no such zone or character, or the player is in that zone, or it is the player itself. */
  | 'no-such-target'
  /** Beside its number, the message has not the shape of its type. */
  | 'malformed'
  /** The database does not answer. */
  | 'unavailable'
  /** The server is about to end. */
  | 'leaving';

export const PASSING: ReadonlySet<Refusal> = new Set(['busy', 'unavailable', 'leaving']);

/** Codes of close frames. */
export const CLOSE = {
  /** The server ends, and everything is saved. */
  leaving: 1001,
  /** The player has gone to another zone. */
  transferred: 4000,
  /** The player has connected again. */
  replaced: 4001,
  /** A message is not as it should be, and has no number. */
  malformed: 4002,
} as const;

/** Why a player may not join: `code` in the answer to its request for a seat, or in the error frame before the room closes. */
export const REFUSED_JOIN = {
  /** The bearer token of the run, or the token of the session, is wrong. */
  token: 4401,
  /** There is no such character or zone. */
  unknown: 4404,
  /** The server is about to end, or the zone is not served now: later. A server that ends also answers with HTTP status 503. */
  leaving: 4503,
  /** The database does not answer: later. */
  unavailable: 4504,
} as const;

/** The state of a room, by field; decoded with the types that Colyseus sends when a player joins. */
export interface ZoneView {
  /** Of the last patch. */
  readonly tick: number;
  /** Each character within the band of its viewer is in one of these, by number: as text, since keys of maps are texts. */
  readonly near: ReadonlyMap<string, PlaceView>;
  readonly mid: ReadonlyMap<string, PlaceView>;
  readonly far: ReadonlyMap<string, PlaceView>;
}

/** A character; 32-bit floats. */
export interface PlaceView {
  readonly x: number;
  readonly z: number;
}

/**
 * Who is seen how often: the first band whose reach is at least the distance, in units. `everyMs`: its places are sent at this interval,
 * rounded up to ticks. A viewer's own character is in `near`. With `world.interest: off` everybody is in `near`.
 */
export const BANDS = [
  { name: 'near', reach: 25, everyMs: 50 },
  { name: 'mid', reach: 50, everyMs: 100 },
  { name: 'far', reach: 100, everyMs: 250 },
] as const;

/** Places of a band are written into the state at ticks whose number is a multiple of this. */
export const ticksBetween = ({ everyMs }: (typeof BANDS)[number], tickRate: number): number =>
  Math.max(1, Math.ceil((everyMs * tickRate) / 1e3 - 1e-9));

/** Of a step of length 1 in one direction. */
export const STEP_UNITS = 0.3;

export interface Place {
  readonly x: number;
  readonly z: number;
}

/** Where a step leads in a square zone with this side. */
export function moved({ x, z }: Place, step: Place, side: number): Place {
  return { x: within(x + step.x * STEP_UNITS, side), z: within(z + step.z * STEP_UNITS, side) };
}

const within = (value: number, side: number): number => Math.min(side, Math.max(0, value));

/** The zone in which a character begins. */
export const firstZone = (player: number, zones: number): number => player % zones;

/** The server of a zone, from 0. */
export const serverOf = (zone: number, servers: number): number => zone % servers;
