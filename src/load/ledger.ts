import type { Ledger } from './engine.ts';
import { NumberSets } from './number-sets.ts';

/** Sequence numbers fit into 32 bits, as in the rows; whoever welcomes with more leaves no number to go on with. */
export const MOST_NUMBER = 2 ** 31 - 1;

const EXAMPLES = 10;

/** What a new connection means for the numbers of an entity. */
interface Resumption {
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
 * The record of one worker for the integrity check (judge/README.md): what it sent and what was answered, for each entity id. HOT.
 * A rejected operation is answered too: its number is used up.
 *
 * Of each entity, S is the set of the numbers that were sent and A, within S, that of the acknowledged ones, both
 * number by number. With C, the numbers that are in the rows, a server that loses nothing keeps A within C and C
 * within S at every moment, and that is all that is checked afterwards.
 *
 * Numbers go up by one, so S has no gap above the first welcome's `lastSeq`, and a number up to its highest is in
 * it. When a connection ends, the fate of what was unanswered is unknown. The welcome of the next one decides
 * it: every number up to its `lastSeq` is committed, and nothing of this entity is in flight any more. So
 *
 *   - what was sent up to `lastSeq` joins A: the server has told that it is durable (as operations they failed);
 *   - what was sent above is void: it is not in C and will not come. The entity goes on right behind `lastSeq`
 *     and uses these numbers again; they are in S already, and are counted once.
 *
 * S stays without a gap, and the server, too, sees dense numbers. A `lastSeq` below what was acknowledged is a
 * lost write, and counted as one whether anybody reads the rows or not: the entity then goes on behind what was
 * acknowledged, so that the hole stays to be seen in the rows. A `lastSeq` above everything that was sent is an
 * invented one: the entity goes on behind it, never comes back below, and S has a gap.
 */
export class SequenceLedger {
  /** The first welcome's `lastSeq`. */
  private readonly base: Float64Array;
  readonly sentNumbers: NumberSets;
  readonly ackedNumbers: NumberSets;
  readonly lastStated: Float64Array;
  /** Highest `lastSeq` of the entity's welcomes. */
  private readonly welcomed: Float64Array;
  private readonly breaches = { forgotten: 0, invented: 0, examples: [] as string[] };
  /** Of an entity whose welcome went back: the numbers from one to the other that this was counted for. */
  private readonly forgotten = new Map<number, { above: number; to: number }>();

  constructor(entities: number) {
    this.base = new Float64Array(entities);
    this.sentNumbers = new NumberSets(this.base);
    this.ackedNumbers = new NumberSets(this.base);
    this.lastStated = new Float64Array(entities);
    this.welcomed = new Float64Array(entities);
  }

  /** The first welcome: numbers up to this one were used before the run. */
  welcome(entity: number, lastSequence: number): void {
    this.base[entity] = lastSequence;
    this.welcomed[entity] = lastSequence;
    this.sentNumbers.begin(entity);
    this.ackedNumbers.begin(entity);
  }

  /**
   * A later welcome. `last` is the last number that the entity used, `unanswered` are those that it sent since
   * the welcome before and that were not acknowledged.
   */
  resume(entity: number, lastSequence: number, last: number, unanswered: readonly number[]): Resumption {
    const known = Math.max(this.welcomed[entity]!, this.ackedNumbers.max[entity]!);
    const highestSent = this.sentNumbers.max[entity]!;
    const breach =
      lastSequence < known ? 'forgot' : lastSequence > Math.max(known, highestSent) ? 'invented' : null;
    if (breach === 'forgot') this.forget(entity, lastSequence, known);
    if (breach === 'invented') this.invent(entity, lastSequence, Math.max(known, highestSent));
    for (const sequence of unanswered) if (sequence <= lastSequence) this.acked(entity, sequence);
    // Void since an earlier welcome, and not used again. A server that keeps its word does not name them.
    for (let sequence = last + 1; sequence <= highestSent && sequence <= lastSequence; sequence++) {
      this.acked(entity, sequence);
    }
    this.welcomed[entity] = Math.max(this.welcomed[entity]!, lastSequence);
    return { last: Math.max(known, lastSequence), breach };
  }

  /** A number that is void and used again is in the books already. */
  sent(entity: number, sequence: number): void {
    if (sequence > this.sentNumbers.max[entity]!) this.sentNumbers.add(entity, sequence);
  }

  acked(entity: number, sequence: number): void {
    this.ackedNumbers.add(entity, sequence);
  }

  /** What the server last stated of an entity, where rows can be held against it; null: it holds nothing any more. */
  stated(entity: number, what: number | null): void {
    this.lastStated[entity] = what === null ? 0 : what + 1;
  }

  /** Adds another worker's record. An entity's operations all come from one worker: others have nothing of it. */
  add({ base, sent, acked, stated, breaches }: Ledger): void {
    for (let entity = 0; entity < base.length; entity++) {
      if (base[entity]! > 0) this.welcome(entity, base[entity]!);
      if (stated[entity]! > 0) this.lastStated[entity] = stated[entity]!;
    }
    this.sentNumbers.addAll(sent);
    this.ackedNumbers.addAll(acked);
    this.breaches.forgotten += breaches.forgotten;
    this.breaches.invented += breaches.invented;
    for (const example of breaches.examples) this.tell(example);
  }

  /** Plain data, as it goes over a process's channel. */
  toData(): Ledger {
    const { base, sentNumbers, ackedNumbers, lastStated: stated, breaches } = this;
    return { base, sent: sentNumbers.toData(), acked: ackedNumbers.toData(), stated, breaches };
  }

  /** Counts no number twice, however often it is forgotten; of one that goes back again and again it may miss some. */
  private forget(entity: number, lastSequence: number, known: number): void {
    const before = this.forgotten.get(entity) ?? { above: known, to: known };
    this.breaches.forgotten +=
      this.promised(entity, Math.max(lastSequence, before.to), known) +
      this.promised(entity, lastSequence, Math.min(before.above, known));
    this.forgotten.set(entity, {
      above: Math.min(before.above, lastSequence),
      to: Math.max(before.to, known),
    });
    this.tell(`entity ${entity}: welcomed with ${lastSequence}, and ${known} was acknowledged before`);
  }

  private invent(entity: number, lastSequence: number, highest: number): void {
    this.breaches.invented += lastSequence - highest;
    this.tell(`entity ${entity}: welcomed with ${lastSequence}, and ${highest} was the last sent`);
  }

  /** How many numbers above one and up to another were acknowledged, or named by a welcome. */
  private promised(entity: number, above: number, to: number): number {
    const acked = (from: number): number => this.ackedNumbers.countAbove(entity, from);
    const named = Math.max(above, Math.min(this.welcomed[entity]!, to));
    return named - above + (to > named ? acked(named) - acked(to) : 0);
  }

  private tell(example: string): void {
    if (this.breaches.examples.length < EXAMPLES) this.breaches.examples.push(example);
  }
}
