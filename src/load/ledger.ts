import type { LedgerPlan } from '../scenario/system-scenario.ts';
import type { Ledger } from './engine.ts';
import { NumberSets } from './number-sets.ts';
import { UnsavedNumbers } from './unsaved-numbers.ts';

/** Sequence numbers are int4 in the rows; a welcome with a higher number is refused. */
export const MOST_NUMBER = 2 ** 31 - 1;

const EXAMPLES = 10;

/** How an entity continues over a new connection. */
interface Resumption {
  /** The last number used: the next one is one higher. */
  readonly last: number;
  /**
   * `forgot`: the server's last number is below one that it had acknowledged or stated before. `forgotUnsaved`: the same, and
   * it had reported none of the numbers in between as saved. `invented`: above every number that was sent. Null: the server is
   * consistent.
   */
  readonly breach: keyof typeof BREACHES | null;
}

/** Messages for the report. */
export const BREACHES = {
  forgot: 'a world server welcomed an entity with a lower number than it had acknowledged: a lost write',
  forgotUnsaved:
    'a world server welcomed an entity with a lower number than it had acknowledged and not yet saved',
  invented: 'a world server welcomed an entity with a higher number than was ever sent',
} as const;

/**
 * One worker's record for the integrity check (judge/README.md): the sent and the acknowledged numbers of each entity. HOT.
 * Rejections count as acknowledgements: the number is used up.
 *
 * For each entity, S is the set of sent numbers, and A, a subset of S, the set of acknowledged numbers. Let C be the numbers
 * in the rows. A server that loses nothing keeps A within C and C within S at all times; this is what is verified.
 *
 * Numbers increase by one, so S has no gaps above the `lastSeq` of the first welcome. When a connection is lost, it is unknown
 * whether the unanswered operations were committed. The next welcome decides: every number up to its `lastSeq` is committed,
 * and nothing of this entity is in flight any more. So
 *
 *   - sent numbers up to `lastSeq` join A, since the server states that they are durable (as operations they failed);
 *   - sent numbers above are void: they are not in C and never will be. The entity continues after `lastSeq` and reuses
 *     them; they are in S already, and count once.
 *
 * So S stays without gaps, and the server receives consecutive numbers. A `lastSeq` below an acknowledged number is a lost
 * write, and counts as one even if the rows are never read: the entity continues after the acknowledged number, so that the
 * hole stays visible in the rows. A `lastSeq` above all sent numbers is invented: the entity continues after it, and S has a
 * gap.
 *
 * With a plan (`SystemWorkload.ledger`) servers acknowledge at two levels: at once, and once the number is saved. Then it also
 * has when each number was acknowledged (unsaved-numbers.ts). A welcome without numbers that were never reported as saved
 * decides nothing by itself: whether an outage excuses that is known at the end (probe/excuses.ts). Where a rejected operation
 * leaves no trace, a welcome proves only its own `lastSeq`: unanswered numbers below stay unacknowledged.
 */
export class SequenceLedger {
  /** `lastSeq` of the first welcome. */
  private readonly base: Float64Array;
  readonly sentNumbers: NumberSets;
  readonly ackedNumbers: NumberSets;
  readonly lastStated: Float64Array;
  /** Highest `lastSeq` of the entity's welcomes. */
  private readonly welcomed: Float64Array;
  private readonly breaches = { forgotten: 0, invented: 0, examples: [] as string[] };
  /** By entity that was welcomed again: the highest number that may be void. */
  private readonly lastVoid = new Map<number, number>();
  /** The range of numbers that were already counted as forgotten, by entity. */
  private readonly forgotten = new Map<number, { above: number; to: number }>();
  private readonly plan: LedgerPlan | null;
  /** Null where there is one level of acknowledgement. */
  private unsaved: UnsavedNumbers | null = null;

  /** `now`: microseconds after GO; only called with a plan. */
  constructor(entities: number, plan: LedgerPlan | null = null, now: () => number = () => 0) {
    this.plan = plan;
    this.base = new Float64Array(entities);
    this.sentNumbers = new NumberSets(this.base);
    this.ackedNumbers = new NumberSets(this.base);
    this.lastStated = new Float64Array(entities);
    this.welcomed = new Float64Array(entities);
    if (plan !== null) this.unsaved = new UnsavedNumbers(this.base, now);
  }

  /** The first welcome: numbers up to `lastSequence` were used before the run. */
  welcome(entity: number, lastSequence: number): void {
    this.base[entity] = lastSequence;
    this.welcomed[entity] = lastSequence;
    this.sentNumbers.begin(entity);
    this.ackedNumbers.begin(entity);
    this.unsaved?.begin(entity);
  }

  /**
   * A later welcome. `last` is the last number that the entity used, `unanswered` are the numbers that it sent since the
   * previous welcome and that were not acknowledged.
   */
  resume(entity: number, lastSequence: number, last: number, unanswered: readonly number[]): Resumption {
    const known = Math.max(this.welcomed[entity]!, this.ackedNumbers.max[entity]!);
    const highestSent = this.sentNumbers.max[entity]!;
    const covers = (sequence: number): boolean =>
      this.plan?.rejected === 'unrecorded' ? sequence === lastSequence : sequence <= lastSequence;
    let breach: Resumption['breach'] = null;
    if (lastSequence < known) breach = this.forget(entity, lastSequence, known);
    else if (lastSequence > Math.max(known, highestSent)) {
      breach = 'invented';
      this.invent(entity, lastSequence, Math.max(known, highestSent), 'welcomed with');
    }
    for (const sequence of unanswered) if (covers(sequence)) this.acked(entity, sequence);
    // Void since an earlier welcome, and not reused. A consistent server does not include them.
    for (let sequence = last + 1; sequence <= highestSent && sequence <= lastSequence; sequence++) {
      if (covers(sequence)) this.acked(entity, sequence);
    }
    this.welcomed[entity] = Math.max(this.welcomed[entity]!, lastSequence);
    this.lastVoid.set(entity, highestSent);
    return { last: Math.max(known, lastSequence), breach };
  }

  /** A void number that is reused is recorded already. */
  sent(entity: number, sequence: number): void {
    if (sequence > this.sentNumbers.max[entity]!) this.sentNumbers.add(entity, sequence);
  }

  /** The entity's last number was not sent after all, and will be used again. A void one had been sent before. */
  unsent(entity: number, sequence: number): void {
    const isNew = sequence > (this.lastVoid.get(entity) ?? 0);
    if (isNew && sequence === this.sentNumbers.max[entity]) this.sentNumbers.removeLast(entity);
  }

  acked(entity: number, sequence: number): void {
    if (this.unsaved !== null && !this.ackedNumbers.has(entity, sequence))
      this.unsaved.acked(entity, sequence);
    this.ackedNumbers.add(entity, sequence);
  }

  /**
   * A server reported that the numbers from..to of the entity are committed to the last level. Numbers that were never sent are
   * invented. Unanswered ones count as acknowledged, unless the operation may have been rejected without a trace.
   */
  saved(entity: number, from: number, to: number): void {
    const { unsaved, sentNumbers, plan } = this;
    if (unsaved === null) throw new Error('the workload of this system does not plan a ledger of two levels');
    const highest = sentNumbers.max[entity]!;
    if (to > highest) this.invent(entity, to, Math.max(from - 1, highest), 'reported as saved up to');
    for (let number = from; number <= to && number <= highest; number++) {
      if (!sentNumbers.has(entity, number)) continue;
      if (plan?.rejected !== 'unrecorded') this.acked(entity, number);
      unsaved.saved(entity, number);
    }
  }

  /**
   * A server reported that it no longer has these numbers, of which the acknowledged ones count as those that a welcome lacks.
   * For systems whose players have numbers of several kinds, so that no single last number says what the server has.
   */
  lacks(entity: number, numbers: readonly number[]): void {
    const { unsaved, ackedNumbers } = this;
    if (unsaved === null) throw new Error('the workload of this system does not plan a ledger of two levels');
    for (const number of numbers) {
      if (!ackedNumbers.has(entity, number) || !unsaved.forget(entity, number)) continue;
      this.breaches.forgotten += 1;
      this.addExample(`entity ${entity}: the server lacks number ${number}, which was saved`);
    }
  }

  /** Records the value that the server stated of an entity, to be compared with its row; null clears it. */
  stated(entity: number, what: number | null): void {
    this.lastStated[entity] = what === null ? 0 : what + 1;
  }

  /** Adds another worker's record. All operations of an entity come from one worker, so records do not overlap. */
  add({ base, sent, acked, stated, breaches, levels }: Ledger): void {
    for (let entity = 0; entity < base.length; entity++) {
      if (base[entity]! > 0) this.welcome(entity, base[entity]!);
      if (stated[entity]! > 0) this.lastStated[entity] = stated[entity]!;
    }
    this.sentNumbers.addAll(sent);
    this.ackedNumbers.addAll(acked);
    if (levels !== undefined) {
      this.unsaved ??= new UnsavedNumbers(this.base, () => 0);
      this.unsaved.add(levels);
    }
    this.breaches.forgotten += breaches.forgotten;
    this.breaches.invented += breaches.invented;
    for (const example of breaches.examples) this.addExample(example);
  }

  /** Plain data, to be sent to another process. */
  toData(): Ledger {
    const { base, sentNumbers, ackedNumbers, lastStated: stated, breaches, unsaved } = this;
    return {
      ...{ base, sent: sentNumbers.toData(), acked: ackedNumbers.toData(), stated, breaches },
      ...(unsaved === null ? {} : { levels: unsaved.toData() }),
    };
  }

  /** Never counts a number twice; if a server forgets repeatedly, some numbers may be missed. */
  private forget(entity: number, lastSequence: number, known: number): 'forgot' | 'forgotUnsaved' {
    if (this.unsaved !== null) return this.forgetUnsaved(this.unsaved, entity, lastSequence, known);
    const before = this.forgotten.get(entity) ?? { above: known, to: known };
    this.breaches.forgotten +=
      this.promised(entity, Math.max(lastSequence, before.to), known) +
      this.promised(entity, lastSequence, Math.min(before.above, known));
    this.forgotten.set(entity, {
      above: Math.min(before.above, lastSequence),
      to: Math.max(before.to, known),
    });
    this.addExample(`entity ${entity}: welcomed with ${lastSequence}, and ${known} was acknowledged before`);
    return 'forgot';
  }

  /** Numbers that were reported as saved are lost; of the others, it depends on the outages. Each counts once. */
  private forgetUnsaved(
    unsaved: UnsavedNumbers,
    entity: number,
    lastSequence: number,
    known: number,
  ): 'forgot' | 'forgotUnsaved' {
    let lost = 0;
    for (let number = lastSequence + 1; number <= known; number++) {
      if (this.ackedNumbers.has(entity, number) && unsaved.forget(entity, number)) lost += 1;
    }
    this.breaches.forgotten += lost;
    if (lost > 0)
      this.addExample(`entity ${entity}: welcomed with ${lastSequence}, and ${lost} above were saved`);
    return lost > 0 ? 'forgot' : 'forgotUnsaved';
  }

  private invent(entity: number, last: number, highest: number, how: string): void {
    this.breaches.invented += last - highest;
    this.addExample(`entity ${entity}: ${how} ${last}, and ${highest} was the last sent`);
  }

  /** How many numbers above `above` and up to `to` were acknowledged, or covered by a welcome. */
  private promised(entity: number, above: number, to: number): number {
    const acked = (from: number): number => this.ackedNumbers.countAbove(entity, from);
    const named = Math.max(above, Math.min(this.welcomed[entity]!, to));
    return named - above + (to > named ? acked(named) - acked(to) : 0);
  }

  private addExample(example: string): void {
    if (this.breaches.examples.length < EXAMPLES) this.breaches.examples.push(example);
  }
}
