import type { Place } from './wire.ts';

/** Acknowledgements of one character that are remembered: three seconds of one in every tick. */
const KEPT = 64;

/** Where a character was at the latest ticks of its room, as its acknowledgements state it. */
export class PlaceHistory {
  readonly #acks: { readonly tick: number; readonly place: Place }[] = [];

  /** From this tick on the character is at this place. */
  add(tick: number, place: Place): void {
    this.#acks.push({ tick, place });
    if (this.#acks.length > KEPT) this.#acks.shift();
  }

  /** Null where it is unknown: before the acknowledgements that are kept, and after the last one, which another may follow. */
  at(tick: number): Place | null {
    if ((this.#acks.at(-1)?.tick ?? Number.NEGATIVE_INFINITY) < tick) return null;
    return this.#acks.findLast((ack) => ack.tick <= tick)?.place ?? null;
  }
}
