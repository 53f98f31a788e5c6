import type { SequenceLedger } from '../ledger.ts';
import { INTENT, OUTCOME, type Outcome, type Recorder } from '../recorder.ts';
import { LateNumbers } from './late-numbers.ts';
import { Slots } from './slots.ts';

interface UnansweredTools {
  readonly recorder: Recorder;
  readonly ledger: SequenceLedger;
}

/** What the players of a worker have sent and is not answered, and how it ends. HOT. */
export class Unanswered {
  private readonly ids: Int32Array;
  private readonly timeout: number;
  private readonly tools: UnansweredTools;
  private readonly slots: Slots;
  private readonly late = new LateNumbers();
  /** Since when the player could have sent: a slot became free, or it was connected. */
  private readonly ableAt: Float64Array;

  constructor(ids: Int32Array, outstanding: number, timeout: number, tools: UnansweredTools) {
    this.ids = ids;
    this.timeout = timeout;
    this.tools = tools;
    this.slots = new Slots(ids.length, outstanding);
    this.ableAt = new Float64Array(ids.length);
  }

  /** Over all players. */
  get total(): number {
    return this.slots.taken;
  }

  of(player: number): number {
    return this.slots.of(player);
  }

  isFull(player: number): boolean {
    return this.slots.isFull(player);
  }

  isEmpty(player: number): boolean {
    return this.slots.isEmpty(player);
  }

  /** The player can send from now on, at the earliest. */
  able(player: number, now: number): void {
    this.ableAt[player] = now;
  }

  /** From when on an operation of this due time could have been sent. */
  sendable(player: number, due: number): number {
    return Math.max(due, this.ableAt[player]!);
  }

  /** The caller knows that the player has a free slot. Returns the part of `sent - due` that the worker itself caused. */
  take(player: number, sequence: number, due: number, sent: number): number {
    const ownLag = sent - this.sendable(player, due);
    this.slots.take(player, sequence, due, sent, ownLag);
    return ownLag;
  }

  /** False when the player had no such number unanswered. */
  answer(player: number, sequence: number, outcome: Outcome, now: number): boolean {
    const { tools, slots } = this;
    const answered = outcome !== OUTCOME.failed;
    const slot = sequence >= 1 ? slots.find(player, sequence) : -1;
    if (slot < 0) {
      if (!this.late.delete(player, sequence)) return false;
      if (answered) tools.ledger.acked(this.ids[player]!, sequence);
      return true;
    }
    // An answer after the timeout is none, also when the sweep has not come by yet.
    const inTime = now - slots.sent[slot]! <= this.timeout;
    const end = inTime ? outcome : OUTCOME.timedOut;
    tools.recorder.settle(INTENT, end, 1, slots.due[slot]!, slots.sent[slot]!, now, slots.ownLag[slot]!);
    if (answered) tools.ledger.acked(this.ids[player]!, sequence);
    if (slots.isFull(player)) this.ableAt[player] = now;
    slots.free(player, slot);
    return true;
  }

  /** Times out what was sent too long ago. */
  expire(player: number, now: number): void {
    if (!this.slots.isEmpty(player)) this.settle(player, OUTCOME.timedOut, now, now - this.timeout);
  }

  /** Ends all that the player has unanswered. */
  settleAll(player: number, outcome: Outcome, now: number): void {
    this.settle(player, outcome, now, Number.POSITIVE_INFINITY);
  }

  /** The connection is over: the numbers that were not answered on it, late ones too. */
  leave(player: number): readonly number[] {
    const numbers = [...this.slots.sequencesOf(player), ...this.late.of(player)];
    this.late.clear(player);
    return numbers;
  }

  private settle(player: number, outcome: Outcome, now: number, sentBefore: number): void {
    const { slots } = this;
    const first = player * slots.each;
    for (let slot = first; slot < first + slots.each; slot++) {
      const sequence = slots.sequence[slot]!;
      if (sequence === 0 || slots.sent[slot]! >= sentBefore) continue;
      this.tools.recorder.settle(INTENT, outcome, 1, slots.due[slot]!, slots.sent[slot]!, now);
      if (slots.isFull(player)) this.ableAt[player] = now;
      slots.free(player, slot);
      if (outcome === OUTCOME.timedOut) this.late.add(player, sequence);
    }
  }
}
