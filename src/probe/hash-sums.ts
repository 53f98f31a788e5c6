import type { NumberSets } from '../load/number-sets.ts';
import { sequenceHash } from '../sequence-hash.ts';

/** Sums of 32-bit hashes are compared modulo this, so that a double holds them exactly. */
export const HASH_MODULUS = 2 ** 48;

/** Up to this number a table has the sums (32 MB at most); hashes of higher numbers are added one by one. */
const MOST_IN_TABLE = 4_000_000;

/** Sums of the hashes of sequence numbers, modulo HASH_MODULUS. */
export class HashSums {
  /** Prefix sums: the sum of the hashes of 1 .. the index. */
  private table = new Float64Array(1);

  /** The sum over first .. last. */
  ofRange(first: number, last: number): number {
    if (last < first) return 0;
    if (last <= MOST_IN_TABLE) {
      if (last >= this.table.length) this.grow(last);
      return this.difference(this.table[last]!, this.table[first - 1]!);
    }
    let sum = 0;
    for (let number = first; number <= last; number++) sum = (sum + sequenceHash(number)) % HASH_MODULUS;
    return sum;
  }

  /** The sum over [first, last, first, last ...]. */
  ofRanges(ranges: readonly number[]): number {
    let sum = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      sum = (sum + this.ofRange(ranges[i]!, ranges[i + 1]!)) % HASH_MODULUS;
    }
    return sum;
  }

  /** The sum over an entity's set, which must not be blurred. */
  ofSet(sets: NumberSets, entity: number): number {
    let [sum, from] = [0, sets.base[entity]! + 1];
    const gaps = sets.gapsOf(entity);
    // Range by range, since a crafted gap may be very long.
    for (let i = 0; i < gaps.length; i += 2) {
      sum += this.ofRange(from, gaps[i]! - 1);
      from = gaps[i + 1]! + 1;
    }
    return (sum + this.ofRange(from, sets.max[entity]!)) % HASH_MODULUS;
  }

  /** NaN stays NaN. */
  difference(a: number, b: number): number {
    return (((a - b) % HASH_MODULUS) + HASH_MODULUS) % HASH_MODULUS;
  }

  private grow(last: number): void {
    const known = this.table.length;
    const table = new Float64Array(Math.min(MOST_IN_TABLE, Math.max(last, 2 * known)) + 1);
    table.set(this.table);
    for (let number = known; number < table.length; number++) {
      table[number] = (table[number - 1]! + sequenceHash(number)) % HASH_MODULUS;
    }
    this.table = table;
  }
}
