import type { Ledger } from './engine.ts';

const COLUMNS = ['sentN', 'sentSum', 'sentMax', 'ackedN', 'ackedSum', 'ackedMax', 'told'] as const;
/** An entity's operations all come from one worker: of these the other workers have 0. */
const HIGHEST: ReadonlySet<string> = new Set(['sentMax', 'ackedMax', 'told']);

/**
 * Section D's record of one worker: what it sent and what was answered, for each entity id. HOT.
 * A rejected operation is answered too: its number is used up. Monsters' 202 moves nothing; their commit does.
 */
export class SequenceLedger implements Ledger {
  readonly sentN: Float64Array;
  readonly sentSum: Float64Array;
  readonly sentMax: Float64Array;
  readonly ackedN: Float64Array;
  readonly ackedSum: Float64Array;
  readonly ackedMax: Float64Array;
  readonly told: Float64Array;

  constructor(entities: number) {
    this.sentN = new Float64Array(entities);
    this.sentSum = new Float64Array(entities);
    this.sentMax = new Float64Array(entities);
    this.ackedN = new Float64Array(entities);
    this.ackedSum = new Float64Array(entities);
    this.ackedMax = new Float64Array(entities);
    this.told = new Float64Array(entities);
  }

  sent(entity: number, sequence: number): void {
    this.sentN[entity]! += 1;
    this.sentSum[entity]! += sequence;
    if (sequence > this.sentMax[entity]!) this.sentMax[entity] = sequence;
  }

  acked(entity: number, sequence: number): void {
    this.ackedN[entity]! += 1;
    this.ackedSum[entity]! += sequence;
    if (sequence > this.ackedMax[entity]!) this.ackedMax[entity] = sequence;
  }

  /** An answer told a player where it is. */
  placed(entity: number, place: number): void {
    this.told[entity] = place + 1;
  }

  /** Adds another worker's record: counts and sums are added, the highest number is the higher one. */
  add(other: Ledger): void {
    for (const column of COLUMNS) {
      const mine = this[column];
      const theirs = other[column];
      const highest = HIGHEST.has(column);
      for (let entity = 0; entity < mine.length; entity++) {
        const a = mine[entity]!;
        const b = theirs[entity]!;
        mine[entity] = highest ? Math.max(a, b) : a + b;
      }
    }
  }

  /** Plain data, as it goes over a process's channel. */
  toData(): Ledger {
    const { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax, told } = this;
    return { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax, told };
  }
}
