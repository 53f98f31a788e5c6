/** Gaps that are kept exactly, over all entities; each entity gets FEWEST_EACH to MOST_EACH of them. */
const MOST_GAPS = 1_000_000;
const [FEWEST_EACH, MOST_EACH] = [16, 4096];

const NONE: readonly number[] = [];

/** Plain data, to be sent to another process. */
export interface NumberSetsData {
  /** By entity: the highest number, or the base if there is none. */
  readonly max: Float64Array;
  /** Triples [entity, first, last], ascending: numbers between base and `max` that are not in the set. */
  readonly gaps: Float64Array;
  /** Triples [entity, n, sum]: n numbers with this sum lie within its gaps and are in the set; which ones is unknown. */
  readonly blurred: Float64Array;
}

/**
 * A set of sequence numbers above a base for each entity, stored exactly as the gaps below the highest number. Numbers arrive
 * nearly in order, so there are few gaps. HOT: two array accesses for the next number.
 *
 * Memory is bounded: beyond a million gaps in all (16 to 4,096 per entity), an entity's last gap is merged with the next one.
 * Of the numbers in between, only count and sum are kept: they are blurred.
 */
export class NumberSets {
  readonly base: Float64Array;
  readonly max: Float64Array;
  private readonly gaps = new Map<number, number[]>();
  private readonly blurred = new Map<number, { n: number; sum: number }>();
  /** Array elements for the gaps of one entity, two per gap. */
  private readonly mostPlaces: number;

  /** The caller owns `base`, by entity, and calls `begin` whenever it sets one. */
  constructor(base: Float64Array) {
    this.base = base;
    this.max = base.slice();
    this.mostPlaces = 2 * Math.min(MOST_EACH, Math.max(FEWEST_EACH, Math.floor(MOST_GAPS / base.length)));
  }

  static from(base: Float64Array, data: NumberSetsData): NumberSets {
    const sets = new NumberSets(base);
    sets.addAll(data);
    return sets;
  }

  /** Empties the entity's set, after its base was set. */
  begin(entity: number): void {
    this.max[entity] = this.base[entity]!;
  }

  /** Idempotent. */
  add(entity: number, number: number): void {
    if (number === this.max[entity]! + 1) this.max[entity] = number;
    else this.addElsewhere(entity, number);
  }

  /** Removes the highest number, which the caller has just added. */
  removeLast(entity: number): void {
    this.max[entity]! -= 1;
  }

  /** False for a blurred number. */
  has(entity: number, number: number): boolean {
    if (number <= this.base[entity]! || number > this.max[entity]!) return false;
    const own = this.gapsOf(entity);
    const at = placeOf(own, number);
    return at === own.length || number < own[at]!;
  }

  count(entity: number): number {
    let n = this.max[entity]! - this.base[entity]! + (this.blurred.get(entity)?.n ?? 0);
    this.eachGap(entity, (first, last) => {
      n -= last - first + 1;
    });
    return n;
  }

  sum(entity: number): number {
    let sum = sumOf(this.base[entity]! + 1, this.max[entity]!) + (this.blurred.get(entity)?.sum ?? 0);
    this.eachGap(entity, (first, last) => {
      sum -= sumOf(first, last);
    });
    return sum;
  }

  /** Every number, ascending, without blurred ones. */
  each(entity: number, visit: (number: number) => void): void {
    let next = this.base[entity]! + 1;
    const upTo = (last: number): void => {
      for (; next <= last; next++) visit(next);
    };
    this.eachGap(entity, (first, last) => {
      upTo(first - 1);
      next = last + 1;
    });
    upTo(this.max[entity]!);
  }

  /** How many numbers are above `number`, without blurred ones. */
  countAbove(entity: number, number: number): number {
    const from = Math.max(number, this.base[entity]!);
    let n = Math.max(0, this.max[entity]! - from);
    this.eachGap(entity, (first, last) => {
      n -= Math.max(0, last - Math.max(first - 1, from));
    });
    return n;
  }

  /** The gaps between base and `max`, ascending: [first, last, first, last ...]. */
  gapsOf(entity: number): readonly number[] {
    return this.gaps.get(entity) ?? NONE;
  }

  /** Whether some numbers are known only by count and sum. */
  isBlurred(entity: number): boolean {
    return this.blurred.has(entity);
  }

  /** Adds the sets of entities that are empty here. The caller sets the bases. */
  addAll({ max, gaps, blurred }: NumberSetsData): void {
    for (let entity = 0; entity < max.length; entity++) {
      if (max[entity]! > this.max[entity]!) this.max[entity] = max[entity]!;
    }
    for (let i = 0; i < gaps.length; i += 3) this.appendGap(gaps[i]!, gaps[i + 1]!, gaps[i + 2]!);
    for (let i = 0; i < blurred.length; i += 3) this.blur(blurred[i]!, blurred[i + 1]!, blurred[i + 2]!);
  }

  toData(): NumberSetsData {
    const gaps: number[] = [];
    for (const [entity, own] of this.gaps) {
      for (let i = 0; i < own.length; i += 2) gaps.push(entity, own[i]!, own[i + 1]!);
    }
    const blurred = [...this.blurred].flatMap(([entity, { n, sum }]) => [entity, n, sum]);
    return { max: this.max, gaps: Float64Array.from(gaps), blurred: Float64Array.from(blurred) };
  }

  private addElsewhere(entity: number, number: number): void {
    const max = this.max[entity]!;
    if (number > max) {
      this.appendGap(entity, max + 1, number - 1);
      this.max[entity] = number;
    } else {
      this.fill(entity, number);
    }
  }

  /** Adds a gap after all others. If the entity has too many, its last gap is extended to the end of the new one. */
  private appendGap(entity: number, first: number, last: number): void {
    const own = this.gaps.get(entity);
    if (own === undefined) {
      this.gaps.set(entity, [first, last]);
    } else if (own.length < this.mostPlaces) {
      own.push(first, last);
    } else {
      const before = own.at(-1)! + 1;
      this.blur(entity, first - before, sumOf(before, first - 1));
      own[own.length - 1] = last;
    }
  }

  /** Removes a number from the gap that contains it. */
  private fill(entity: number, number: number): void {
    const own = this.gaps.get(entity);
    if (own === undefined) return;
    const at = placeOf(own, number);
    const [first, last] = [own[at], own[at + 1]];
    if (first === undefined || last === undefined || number < first) return;
    if (first === last) {
      own.splice(at, 2);
      if (own.length === 0) this.gaps.delete(entity);
    } else if (number === first) {
      own[at] = first + 1;
    } else if (number === last) {
      own[at + 1] = last - 1;
    } else if (own.length < this.mostPlaces) {
      own.splice(at, 2, first, number - 1, number + 1, last);
    } else {
      this.blur(entity, 1, number);
    }
  }

  private blur(entity: number, n: number, sum: number): void {
    const known = this.blurred.get(entity) ?? { n: 0, sum: 0 };
    this.blurred.set(entity, { n: known.n + n, sum: known.sum + sum });
  }

  private eachGap(entity: number, visit: (first: number, last: number) => void): void {
    const own = this.gaps.get(entity);
    if (own === undefined) return;
    for (let i = 0; i < own.length; i += 2) visit(own[i]!, own[i + 1]!);
  }
}

/** Binary search for the first gap that does not end below the number: its place in the array, or the array's length. */
function placeOf(gaps: readonly number[], number: number): number {
  let [low, high] = [0, gaps.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (gaps[2 * middle + 1]! < number) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** first + (first + 1) + .. + last; 0 where last is below first. */
export const sumOf = (first: number, last: number): number =>
  last < first ? 0 : ((first + last) * (last - first + 1)) / 2;
