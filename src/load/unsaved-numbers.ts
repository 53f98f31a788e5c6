import { NumberSets, type NumberSetsData } from './number-sets.ts';

/** Plain data, to be sent to another process. */
export interface UnsavedNumbersData {
  /** The sent numbers that servers reported as saved. */
  readonly saved: NumberSetsData;
  /** How many of them were acknowledged, too. */
  readonly savedCount: number;
  /** Triples [entity, number, at]: acknowledged at `at`, microseconds after GO, and not reported as saved. */
  readonly unsaved: Float64Array;
  /** The same of numbers that a later welcome lacks. */
  readonly forgotten: Float64Array;
}

/**
 * When each number was acknowledged, as long as it is not reported as saved: what a server keeps only in memory may be excused
 * by an outage, and what it has saved never is. So memory holds what is on its way to the last level, and what never got there.
 */
export class UnsavedNumbers {
  readonly savedNumbers: NumberSets;
  private readonly now: () => number;
  /** Acknowledged and reported as saved. */
  private savedCount = 0;
  /** By entity: [number, at, number, at ...], in the order of the acknowledgements. */
  private readonly unsaved = new Map<number, number[]>();
  private readonly forgotten: number[] = [];
  /** All numbers that welcomes lack, by entity. */
  private readonly missed = new Map<number, Set<number>>();

  /** `base`: by entity, as in the ledger. `now`: microseconds after GO. */
  constructor(base: Float64Array, now: () => number) {
    this.savedNumbers = new NumberSets(base);
    this.now = now;
  }

  begin(entity: number): void {
    this.savedNumbers.begin(entity);
  }

  /** For the first time. */
  acked(entity: number, number: number): void {
    if (this.savedNumbers.has(entity, number)) this.savedCount += 1;
    else this.push(entity, number, this.now());
  }

  /** One that a welcome lacked stays missing, whatever range a server reports later. */
  saved(entity: number, number: number): void {
    if (this.missed.get(entity)?.has(number)) return;
    const own = this.unsaved.get(entity);
    const at = own === undefined ? -1 : indexOfNumber(own, number);
    if (own !== undefined && at >= 0) {
      own.splice(at, 2);
      this.savedCount += 1;
    }
    this.savedNumbers.add(entity, number);
  }

  /** A welcome lacks an acknowledged number. True where that is a loss, whatever went out: it was reported as saved. */
  forget(entity: number, number: number): boolean {
    const missed = this.missed.get(entity) ?? new Set();
    if (missed.has(number)) return false;
    this.missed.set(entity, missed.add(number));
    const own = this.unsaved.get(entity);
    const at = own === undefined ? -1 : indexOfNumber(own, number);
    if (own === undefined || at < 0) return true;
    this.forgotten.push(entity, number, own[at + 1]!);
    own.splice(at, 2);
    return false;
  }

  /** Adds another worker's record, of other entities. */
  add({ saved, savedCount, unsaved, forgotten }: UnsavedNumbersData): void {
    this.savedNumbers.addAll(saved);
    this.savedCount += savedCount;
    for (let i = 0; i < unsaved.length; i += 3) this.push(unsaved[i]!, unsaved[i + 1]!, unsaved[i + 2]!);
    for (const value of forgotten) this.forgotten.push(value);
  }

  toData(): UnsavedNumbersData {
    const unsaved: number[] = [];
    for (const [entity, own] of this.unsaved) {
      for (let i = 0; i < own.length; i += 2) unsaved.push(entity, own[i]!, own[i + 1]!);
    }
    return {
      ...{ saved: this.savedNumbers.toData(), savedCount: this.savedCount },
      ...{ unsaved: Float64Array.from(unsaved), forgotten: Float64Array.from(this.forgotten) },
    };
  }

  private push(entity: number, number: number, at: number): void {
    const own = this.unsaved.get(entity);
    if (own === undefined) this.unsaved.set(entity, [number, at]);
    else own.push(number, at);
  }
}

/** Of the pair with this number; -1 if there is none. The oldest are saved first. */
function indexOfNumber(pairs: readonly number[], number: number): number {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === number) return i;
  return -1;
}
