import type { Ledger } from './engine.ts';

/** Sequence numbers fit into 32 bits, as in the rows; whoever welcomes with more leaves no number to go on with. */
export const MOST_NUMBER = 2 ** 31 - 1;

const COLUMNS = ['sentN', 'sentSum', 'sentMax', 'ackedN', 'ackedSum', 'ackedMax', 'told'] as const;
/** An entity's operations all come from one worker: of these the other workers have 0. */
const HIGHEST: ReadonlySet<string> = new Set(['sentMax', 'ackedMax', 'told']);

/** What a new connection means for the numbers of an entity. */
export interface Resumption {
  /** The last number used: the next one is one higher. */
  readonly last: number;
  /**
   * `forgot`: the server's last number is below one that it had acknowledged, or told before. `invented`: above
   * everything that was sent. Null: the server keeps its word.
   */
  readonly breach: 'forgot' | 'invented' | null;
}

/** In words, for the report. */
export const BREACHES = {
  forgot: 'a world server welcomed an entity with a lower number than it had acknowledged: a lost write',
  invented: 'a world server welcomed an entity with a higher number than was ever sent',
} as const;

/**
 * Section D's record of one worker: what it sent and what was answered, for each entity id. HOT.
 * A rejected operation is answered too: its number is used up. Monsters' 202 moves nothing; their commit does.
 *
 * Of each entity, S is the set of the numbers that were sent and A, within S, that of the acknowledged ones; the
 * columns are their sizes, sums and highest members. With C, the numbers that are in the rows, a server that
 * loses nothing keeps A within C and C within S at every moment, and that is all that is checked afterwards.
 *
 * Numbers go up by one, so S has no gap above the first welcome's `lastSeq`, and a number up to `sentMax` is in
 * it. When a connection ends, the fate of what was unanswered is unknown. The welcome of the next one decides
 * it: every number up to its `lastSeq` is committed, and nothing of this entity is in flight any more. So
 *
 *   - what was sent up to `lastSeq` joins A: the server has told that it is durable (as operations they failed);
 *   - what was sent above is void: it is not in C and will not come. The entity goes on right behind `lastSeq`
 *     and uses these numbers again; they are in S already, and are counted once.
 *
 * S stays without a gap, and the server, too, sees dense numbers. A `lastSeq` below what was acknowledged is a
 * lost write: the entity then goes on behind what was acknowledged, so that the hole stays to be seen in the
 * rows. A `lastSeq` above everything that was sent is an invented one: the entity goes on behind it, and never
 * comes back below.
 */
export class SequenceLedger implements Ledger {
  readonly sentN: Float64Array;
  readonly sentSum: Float64Array;
  readonly sentMax: Float64Array;
  readonly ackedN: Float64Array;
  readonly ackedSum: Float64Array;
  readonly ackedMax: Float64Array;
  readonly told: Float64Array;
  /** Highest `lastSeq` of the entity's welcomes. */
  private readonly welcomed: Float64Array;

  constructor(entities: number) {
    this.sentN = new Float64Array(entities);
    this.sentSum = new Float64Array(entities);
    this.sentMax = new Float64Array(entities);
    this.ackedN = new Float64Array(entities);
    this.ackedSum = new Float64Array(entities);
    this.ackedMax = new Float64Array(entities);
    this.told = new Float64Array(entities);
    this.welcomed = new Float64Array(entities);
  }

  /** The first welcome: numbers up to this one were used before the run. */
  welcome(entity: number, lastSequence: number): void {
    this.welcomed[entity] = lastSequence;
  }

  /**
   * A later welcome. `last` is the last number that the entity used, `unanswered` are those that it sent since
   * the welcome before and that were not acknowledged.
   */
  resume(entity: number, lastSequence: number, last: number, unanswered: readonly number[]): Resumption {
    const known = Math.max(this.welcomed[entity]!, this.ackedMax[entity]!);
    const highestSent = this.sentMax[entity]!;
    for (const sequence of unanswered) if (sequence <= lastSequence) this.acked(entity, sequence);
    // Void since an earlier welcome, and not used again. A server that keeps its word does not name them.
    for (let sequence = last + 1; sequence <= highestSent && sequence <= lastSequence; sequence++) {
      this.acked(entity, sequence);
    }
    this.welcomed[entity] = Math.max(this.welcomed[entity]!, lastSequence);
    const breach =
      lastSequence < known ? 'forgot' : lastSequence > Math.max(known, highestSent) ? 'invented' : null;
    return { last: Math.max(known, lastSequence), breach };
  }

  /** A number that is void and used again is in the books already. */
  sent(entity: number, sequence: number): void {
    if (sequence <= this.sentMax[entity]!) return;
    this.sentN[entity]! += 1;
    this.sentSum[entity]! += sequence;
    this.sentMax[entity] = sequence;
  }

  acked(entity: number, sequence: number): void {
    this.ackedN[entity]! += 1;
    this.ackedSum[entity]! += sequence;
    if (sequence > this.ackedMax[entity]!) this.ackedMax[entity] = sequence;
  }

  /** A server told a player where it is; null: it no longer holds what it told. */
  placed(entity: number, place: number | null): void {
    this.told[entity] = place === null ? 0 : place + 1;
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
