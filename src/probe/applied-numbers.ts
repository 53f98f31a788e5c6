import { type NumberSets, sumOf } from '../load/number-sets.ts';
import type { HashSums } from './hash-sums.ts';

/** By how much a row's figures have grown since before GO. */
interface RowGains {
  readonly n: number;
  readonly sum: number;
  /** The sum of the hashes, modulo HASH_MODULUS; NaN where the rows have none. */
  readonly hash: number;
  /** Null where it is known to be wrong: the other figures are then compared without it. */
  readonly lastSeq: number | null;
  readonly lastSeqBefore: number;
}

/**
 * Whether a row's gains are possible for a set C of applied numbers, where A (acknowledged) is a subset of C, and C a
 * subset of S (sent):
 *
 *   acked     C is A
 *   possible  C is A and some numbers that were sent and not acknowledged, which fit the gains
 *   open      there are too many such numbers to try; no bound is violated
 *   denied    there is no such C
 */
export type Applied = 'acked' | 'possible' | 'open' | 'denied';

/** Up to this many unacknowledged numbers of an entity are tried in every combination. */
const MOST_TRIED = 20;
/** The budget of steps for all entities, a second or two; after that no combinations are tried. */
const MOST_STEPS = 20_000_000;

/** Classifies the entities of a world, one after another. */
export class AppliedNumbers {
  private readonly sent: NumberSets;
  private readonly acked: NumberSets;
  private readonly hashes: HashSums;
  private steps = MOST_STEPS;

  constructor(sent: NumberSets, acked: NumberSets, hashes: HashSums) {
    this.sent = sent;
    this.acked = acked;
    this.hashes = hashes;
  }

  /** @param gains with at least as many numbers as were acknowledged, and at most as many as were sent */
  of(entity: number, { n, sum, hash, lastSeq, lastSeqBefore }: RowGains): Applied {
    const { sent, acked, hashes } = this;
    const ackedN = acked.count(entity);
    if (acked.isBlurred(entity) || sent.isBlurred(entity)) return this.ofSums(entity, n, sum);
    const isHashed = !Number.isNaN(hash);
    const rest: Rest = {
      n: n - ackedN,
      sum: sum - acked.sum(entity),
      hash: isHashed ? hashes.difference(hash, hashes.ofSet(acked, entity)) : Number.NaN,
    };
    const top = ackedN > 0 ? Math.max(acked.max[entity]!, lastSeqBefore) : lastSeqBefore;
    const end = lastSeq ?? top;
    if (rest.n === 0) return isNothing(rest) && end === top ? 'acked' : 'denied';
    // The highest number in the row must be an unacknowledged one.
    const open = unacknowledged(sent, acked, entity, lastSeq ?? Number.POSITIVE_INFINITY);
    if (end > top && open.at(-1) !== end) return 'denied';
    return this.ofOpen(open, rest, end > top);
  }

  /** Whether some numbers of the `open` ranges make up `rest`; `withLast`: these must include the last one. */
  private ofOpen(open: readonly number[], rest: Rest, withLast: boolean): Applied {
    const { hashes } = this;
    let [n, sum] = [0, 0];
    for (let i = 0; i < open.length; i += 2) {
      n += open[i + 1]! - open[i]! + 1;
      sum += sumOf(open[i]!, open[i + 1]!);
    }
    if (rest.n > n) return 'denied';
    // All open numbers were applied, as by a server that commits in order.
    if (rest.n === n) {
      const same = rest.sum === sum && (Number.isNaN(rest.hash) || rest.hash === hashes.ofRanges(open));
      return same ? 'possible' : 'denied';
    }
    if (rest.sum < least(open, rest.n) || rest.sum > most(open, rest.n)) return 'denied';
    if (n > MOST_TRIED || this.steps <= 0) return 'open';
    const numbers = numbersOf(open);
    const found = withLast
      ? this.tryAll(numbers, numbers.length - 1, without(rest, numbers.at(-1)!, hashes))
      : this.tryAll(numbers, numbers.length, rest);
    if (found) return 'possible';
    return this.steps <= 0 ? 'open' : 'denied';
  }

  /** Whether some of the first `length` numbers make up the rest. */
  private tryAll(numbers: readonly number[], length: number, rest: Rest): boolean {
    if (rest.n === 0) return isNothing(rest);
    this.steps -= 1;
    if (rest.n < 0 || rest.n > length || rest.sum <= 0 || this.steps <= 0) return false;
    const next = length - 1;
    return (
      this.tryAll(numbers, next, without(rest, numbers[next]!, this.hashes)) ||
      this.tryAll(numbers, next, rest)
    );
  }

  /** For entities of which only the count and the sum of the acknowledged numbers are still known. */
  private ofSums(entity: number, n: number, sum: number): Applied {
    const { sent, acked } = this;
    const [low, high] = [acked.sum(entity), sent.sum(entity)];
    if (n === acked.count(entity) && sum !== low) return 'denied';
    if (n === sent.count(entity) && sum !== high) return 'denied';
    return sum >= low && sum <= high ? 'open' : 'denied';
  }
}

/** The part of a row's gains beyond the acknowledged numbers. */
interface Rest {
  readonly n: number;
  readonly sum: number;
  readonly hash: number;
}

const isNothing = ({ n, sum, hash }: Rest): boolean =>
  n === 0 && sum === 0 && (hash === 0 || Number.isNaN(hash));

const without = ({ n, sum, hash }: Rest, number: number, hashes: HashSums): Rest => ({
  n: n - 1,
  sum: sum - number,
  hash: hashes.difference(hash, hashes.ofRange(number, number)),
});

/** The numbers up to `to` that were sent and not acknowledged: [first, last, first, last ...], ascending. */
function unacknowledged(sent: NumberSets, acked: NumberSets, entity: number, to: number): number[] {
  const highest = acked.max[entity]!;
  const missing = [...acked.gapsOf(entity), highest + 1, sent.max[entity]!];
  const unsent = sent.gapsOf(entity);
  const ranges: number[] = [];
  let u = 0;
  for (let i = 0; i < missing.length; i += 2) {
    let first = missing[i]!;
    const last = Math.min(missing[i + 1]!, to);
    while (u < unsent.length && unsent[u + 1]! < first) u += 2;
    for (let v = u; v < unsent.length && unsent[v]! <= last; v += 2) {
      if (unsent[v]! > first) ranges.push(first, unsent[v]! - 1);
      first = unsent[v + 1]! + 1;
    }
    if (first <= last) ranges.push(first, last);
  }
  return ranges;
}

const numbersOf = (ranges: readonly number[]): number[] => {
  const numbers: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    for (let number = ranges[i]!; number <= ranges[i + 1]!; number++) numbers.push(number);
  }
  return numbers;
};

/** The sum of the n lowest numbers of the ranges. */
function least(ranges: readonly number[], n: number): number {
  let [left, sum] = [n, 0];
  for (let i = 0; i < ranges.length && left > 0; i += 2) {
    const [first, last] = [ranges[i]!, Math.min(ranges[i + 1]!, ranges[i]! + left - 1)];
    sum += sumOf(first, last);
    left -= last - first + 1;
  }
  return sum;
}

/** The sum of the n highest numbers of the ranges. */
function most(ranges: readonly number[], n: number): number {
  let [left, sum] = [n, 0];
  for (let i = ranges.length - 2; i >= 0 && left > 0; i -= 2) {
    const [first, last] = [Math.max(ranges[i]!, ranges[i + 1]! - left + 1), ranges[i + 1]!];
    sum += sumOf(first, last);
    left -= last - first + 1;
  }
  return sum;
}
