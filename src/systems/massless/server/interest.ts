import { BANDS, type Place } from '../wire.ts';

/** The index of a band in BANDS, plus 1; 0: out of sight. */
export type Band = number;

/** `one` and `other` see each other in another band than before; called once for each pair. */
export type BandChange = (one: number, other: number, before: Band, after: Band) => void;

const SQUARES = BANDS.map(({ reach }) => reach * reach);
const FIRST_CAPACITY = 16;

/**
 * In which band those in a zone see each other: they see each other alike. Each has a slot, a small number that is used again
 * once it is free. HOT: `update` compares all pairs.
 */
export class Interest {
  #capacity = FIRST_CAPACITY;
  #x = new Float64Array(FIRST_CAPACITY);
  #z = new Float64Array(FIRST_CAPACITY);
  /** By the greater slot and the lesser one. */
  #bands = new Uint8Array(FIRST_CAPACITY * FIRST_CAPACITY);
  #taken: number[] = [];
  #free: number[] = [];

  get size(): number {
    return this.#taken.length;
  }

  /** Takes a slot; until the next update it sees nobody. */
  enter(place: Place): number {
    const slot = this.#free.pop() ?? this.#taken.length;
    if (slot >= this.#capacity) this.#grow();
    this.#taken.push(slot);
    this.move(slot, place);
    return slot;
  }

  /** Frees a slot. `seen` is called for each of those that had it in sight. */
  leave(slot: number, seen: (by: number, band: Band) => void): void {
    this.#taken.splice(this.#taken.indexOf(slot), 1);
    this.#free.push(slot);
    for (const other of this.#taken) {
      const index = this.#index(slot, other);
      const band = this.#bands[index]!;
      if (band === 0) continue;
      this.#bands[index] = 0;
      seen(other, band);
    }
  }

  move(slot: number, { x, z }: Place): void {
    this.#x[slot] = x;
    this.#z[slot] = z;
  }

  update(changed: BandChange): void {
    const [bands, xs, zs, taken] = [this.#bands, this.#x, this.#z, this.#taken];
    const [near, mid, far] = SQUARES as [number, number, number];
    for (let i = 1; i < taken.length; i++) {
      const one = taken[i]!;
      const [x, z] = [xs[one]!, zs[one]!];
      for (let j = 0; j < i; j++) {
        const other = taken[j]!;
        const [dx, dz] = [xs[other]! - x, zs[other]! - z];
        const square = dx * dx + dz * dz;
        const after = square <= near ? 1 : square <= mid ? 2 : square <= far ? 3 : 0;
        const index = this.#index(one, other);
        const before = bands[index]!;
        if (before === after) continue;
        bands[index] = after;
        changed(one, other, before, after);
      }
    }
  }

  #index(one: number, other: number): number {
    return one > other ? one * this.#capacity + other : other * this.#capacity + one;
  }

  #grow(): void {
    const before = this.#capacity;
    this.#capacity = before * 2;
    const bands = new Uint8Array(this.#capacity ** 2);
    for (let slot = 0; slot < before; slot++)
      bands.set(this.#bands.subarray(slot * before, (slot + 1) * before), slot * this.#capacity);
    this.#bands = bands;
    this.#x = grown(this.#x, this.#capacity);
    this.#z = grown(this.#z, this.#capacity);
  }
}

function grown(values: Float64Array<ArrayBuffer>, capacity: number): Float64Array<ArrayBuffer> {
  const more = new Float64Array(capacity);
  more.set(values);
  return more;
}
