/**
 * 32 bits of a sequence number (1 .. 2^31 - 1), mixed: what the rows add up in `seq_hash`, beside `applied_n` and
 * `seq_sum`, to prove which numbers were applied. triple32 of Chris Wellons' hash-prospector, one to one on 32 bits.
 * Its sums cannot overflow a bigint, since no entity has more than 2^31 numbers. HOT: 1 ns.
 *
 * Two sets of the same size and the same sum have the same sum of hashes once in about 2^32, also where they are sets
 * of small neighbouring numbers: of 1.8e10 such pairs below 6,000 one has, where MurmurHash3's finalizer leaves 68.
 */
export function sequenceHash(sequence: number): number {
  let h = sequence ^ (sequence >>> 17);
  h = Math.imul(h, 0xed5ad4bb);
  h ^= h >>> 11;
  h = Math.imul(h, 0xac4c1b51);
  h ^= h >>> 15;
  h = Math.imul(h, 0x31848bab);
  return (h ^ (h >>> 14)) >>> 0;
}
