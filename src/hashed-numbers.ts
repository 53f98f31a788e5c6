import {
  countOf,
  lastOf,
  NO_NUMBERS,
  type NumberRanges,
  numbersBeyond,
  sumOf,
  united,
} from './number-ranges.ts';
import { sequenceHash } from './sequence-hash.ts';

/** Which commands were applied to something, and what a row says of them. */
export interface HashedNumbers {
  readonly numbers: NumberRanges;
  /** The sum of the numbers' hashes modulo 2^48. */
  readonly seqHash: number;
}

const HASH_MODULUS = 2 ** 48;

/** The sum of the numbers' hashes modulo 2^48. */
export const hashOf = (numbers: NumberRanges): number => hashWith(0, numbersBeyond(numbers, NO_NUMBERS));

const hashWith = (hash: number, numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => (sum + sequenceHash(number)) % HASH_MODULUS, hash);

/** What both together have. */
export const unitedNumbers = (one: HashedNumbers, other: HashedNumbers): HashedNumbers => ({
  numbers: united(one.numbers, other.numbers),
  seqHash: hashWith(one.seqHash, numbersBeyond(other.numbers, one.numbers)),
});

/** With one more number. */
export const withNumber = (applied: HashedNumbers, number: number): HashedNumbers =>
  unitedNumbers(applied, { numbers: [[number, number]], seqHash: 0 });

/** The figures of a row: the highest number, how many there are, their sum and the sum of their hashes. */
export const figuresOf = ({ numbers, seqHash }: HashedNumbers) => ({
  ...{ lastSeq: lastOf(numbers), appliedN: countOf(numbers), seqSum: sumOf(numbers), seqHash },
});
