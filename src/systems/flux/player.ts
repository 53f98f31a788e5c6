import { LARGEST_FRAME } from '../../load/frame-bytes.ts';
import { isRecord, parseJson } from '../../load/json.ts';
import { MOST_NUMBER } from '../../load/ledger.ts';
import { OUTCOME } from '../../load/outcome.ts';
import type { Listener, Welcome } from '../../load/player/connection.ts';
import type { PlayerCodec } from '../../load/player/socket-protocol.ts';
import { MULBERRY_STEP, mulberry32, streamSeed } from '../../rng.ts';
import { FLUX_STREAM } from './workload.ts';

const DIRECTIONS = ['north', 'east', 'south', 'west'] as const;
const MOVES = DIRECTIONS.map((direction) => `go ${direction}`);
/** By set of exits (a bit for each direction): the moves that are open. */
const OPEN_MOVES = Array.from({ length: 16 }, (_, exits) => MOVES.filter((_move, bit) => (exits >> bit) & 1));
const LOOK = 'look';
const HELLO = 'say hello';
const NOBODY = -1;

/**
 * Players of the flux world. Half of the intents are moves: a tenth of them in any direction (a wall rejects it), the others
 * through a known exit; a quarter are looks; a tenth is talk; the rest attack an entity known to be present, or look if none
 * is. A player knows only what its server has sent to it.
 */
export class FluxCodec implements PlayerCodec {
  readonly mostPayload = LARGEST_FRAME;
  private readonly state: Int32Array;
  private readonly exits: Uint8Array;
  /** The last entity known to be in the player's place. */
  private readonly present: Int32Array;

  constructor(seed: number, playerIds: ArrayLike<number>) {
    const players = playerIds.length;
    this.state = new Int32Array(players);
    this.exits = new Uint8Array(players);
    this.present = new Int32Array(players).fill(NOBODY);
    for (let i = 0; i < players; i++) this.state[i] = streamSeed(seed, FLUX_STREAM.talk, playerIds[i]!);
  }

  path(playerId: number): string {
    return `/play?player=${playerId}`;
  }

  welcome(player: number, frame: string): Welcome | null {
    const message = parseJson(frame);
    if (!isRecord(message) || !isRecord(message.welcome)) return null;
    const { lastSeq, place } = message.welcome;
    if (!isNumber(lastSeq) || lastSeq > MOST_NUMBER || (place !== undefined && !isNumber(place))) return null;
    this.updateView(player, message.welcome);
    return { lastSequence: lastSeq, stated: place ?? null };
  }

  encode(player: number, _operation: number, sequence: number): string {
    return `{"seq":${sequence},"text":"${this.text(player)}"}`;
  }

  decode(player: number, frame: string, listener: Pick<Listener, 'answered' | 'stated'>): boolean {
    const message = parseJson(frame);
    if (!isRecord(message)) return false;
    const { acks, events } = message;
    if (acks !== undefined) {
      if (!Array.isArray(acks)) return false;
      // Index loops: k6, which runs this too, interprets JavaScript, and iterators cost it most.
      for (let i = 0; i < acks.length; i++) {
        const ack: unknown = acks[i];
        if (!isRecord(ack) || !isNumber(ack.seq) || typeof ack.ok !== 'boolean') return false;
        if (ack.place !== undefined) {
          if (!isNumber(ack.place)) return false;
          this.updateView(player, ack);
          listener.stated(player, ack.place);
        }
        listener.answered(player, ack.seq, ack.ok ? OUTCOME.ok : OUTCOME.rejected);
      }
    }
    if (events !== undefined) {
      if (!Array.isArray(events)) return false;
      for (let i = 0; i < events.length; i++) {
        const event: unknown = events[i];
        if (!isRecord(event) || !isNumber(event.actor)) return false;
        if (event.did !== 'left') this.present[player] = event.actor;
        else if (event.actor === this.present[player]) this.present[player] = NOBODY;
      }
    }
    return true;
  }

  private text(player: number): string {
    const choice = this.draw(player);
    if (choice < 0.45) {
      const open = OPEN_MOVES[this.exits[player]!]!;
      return open[Math.floor(this.draw(player) * open.length)] ?? LOOK;
    }
    if (choice < 0.5) return MOVES[Math.floor(this.draw(player) * MOVES.length)]!;
    if (choice < 0.75) return LOOK;
    if (choice < 0.85) return HELLO;
    this.catchUp(player);
    const present = this.present[player]!;
    return present === NOBODY ? LOOK : `attack ${present}`;
  }

  /** Called before the player needs to know who is present: where frames were left unread, they are read now. */
  protected catchUp(_player: number): void {}

  private draw(player: number): number {
    const state = (this.state[player]! + MULBERRY_STEP) | 0;
    this.state[player] = state;
    return mulberry32(state);
  }

  /** Updates what the player knows of its place, from a welcome, a move or a look. */
  private updateView(player: number, { exits, present }: Readonly<Record<string, unknown>>): void {
    if (Array.isArray(exits)) {
      let open = 0;
      for (let i = 0; i < exits.length; i++) {
        const bit = DIRECTIONS.indexOf(exits[i]);
        if (bit >= 0) open |= 1 << bit;
      }
      this.exits[player] = open;
    }
    if (Array.isArray(present)) {
      const first: unknown = present[0];
      this.present[player] = isNumber(first) ? first : NOBODY;
    }
  }
}

/** Ids, places and sequence numbers. */
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
