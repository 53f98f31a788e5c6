import { sequenceHash } from '../../../sequence-hash.ts';

/**
 * What one batch does to the rows: operations coalesced per entity, so that an entity is written once however
 * many of its operations the batch holds. Reused from batch to batch; an epoch marks what belongs to this one.
 */
export class Changes {
  /** Local indexes of the touched entities; the first `count` of them, ascending after `sort`. */
  readonly touched: Int32Array;
  count = 0;
  /** By local index, valid where touched: recorded operations, the sum of their numbers and that of their hashes. */
  readonly recorded: Int32Array;
  readonly seqSum: Float64Array;
  readonly seqHash: Float64Array;
  readonly #epochOf: Int32Array;
  #epoch = 1;

  /** An operation touches its actor and at most one other. */
  constructor(entities: number, batchOperations: number) {
    this.touched = new Int32Array(Math.min(entities, batchOperations * 2));
    this.recorded = new Int32Array(entities);
    this.seqSum = new Float64Array(entities);
    this.seqHash = new Float64Array(entities);
    this.#epochOf = new Int32Array(entities);
  }

  clear(): void {
    this.#epoch = (this.#epoch + 1) | 0;
    this.count = 0;
  }

  /** The entity's state changed. */
  touch(index: number): void {
    if (this.#epochOf[index] === this.#epoch) return;
    this.#epochOf[index] = this.#epoch;
    this.recorded[index] = 0;
    this.seqSum[index] = 0;
    this.seqHash[index] = 0;
    this.touched[this.count++] = index;
  }

  /** The number of one of the entity's own operations is used up, accepted or rejected. */
  record(index: number, seq: number): void {
    this.touch(index);
    this.recorded[index]! += 1;
    this.seqSum[index]! += seq;
    this.seqHash[index]! += sequenceHash(seq);
  }

  /** Ascending ids: the statement then walks the index and the pages in order. */
  sort(): void {
    this.touched.subarray(0, this.count).sort();
  }
}
