import { sequenceHash } from '../../../sequence-hash.ts';

/**
 * The changes of one batch, coalesced per entity: an entity is written once, however many of its operations the batch
 * holds. Reused for every batch; an epoch marks the entries of the current one.
 */
export class Changes {
  /** Local indexes of the changed entities: the first `count` elements, ascending after `sort`. */
  readonly touched: Int32Array;
  count = 0;
  /** By local index, valid where touched: the number of recorded operations, the sum of their sequence numbers, and of the hashes. */
  readonly recorded: Int32Array;
  readonly seqSum: Float64Array;
  readonly seqHash: Float64Array;
  readonly #epochOf: Int32Array;
  #epoch = 1;

  /** An operation touches its actor and at most one other entity, hence twice the batch. */
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

  /** Records the sequence number of one of the entity's operations, accepted or rejected. */
  record(index: number, seq: number): void {
    this.touch(index);
    this.recorded[index]! += 1;
    this.seqSum[index]! += seq;
    this.seqHash[index]! += sequenceHash(seq);
  }

  /** Ascending ids let the UPDATE walk the index and the pages in order. */
  sort(): void {
    this.touched.subarray(0, this.count).sort();
  }
}
