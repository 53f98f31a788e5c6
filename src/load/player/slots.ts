/**
 * The unanswered operations of all players of a worker, `each` slots per player. HOT.
 * A slot with sequence number 0 is free; numbers begin at 1.
 */
export class Slots {
  readonly each: number;
  /** Unanswered operations of all players, in total and by operation. */
  total = 0;
  readonly taken: Int32Array;
  readonly sequence: Float64Array;
  readonly operation: Uint8Array;
  readonly due: Float64Array;
  readonly sent: Float64Array;
  /** The part of the schedule lag, `sent - due`, that the worker itself caused. */
  readonly ownLag: Float64Array;
  private readonly busy: Uint16Array;

  constructor(players: number, each: number, operations: number) {
    this.each = each;
    this.taken = new Int32Array(operations);
    this.sequence = new Float64Array(players * each);
    this.operation = new Uint8Array(players * each);
    this.due = new Float64Array(players * each);
    this.sent = new Float64Array(players * each);
    this.ownLag = new Float64Array(players * each);
    this.busy = new Uint16Array(players);
  }

  of(player: number): number {
    return this.busy[player]!;
  }

  isFull(player: number): boolean {
    return this.busy[player]! >= this.each;
  }

  /** The caller knows that the player has a free slot. */
  take(player: number, operation: number, sequence: number, due: number, sent: number, ownLag: number): void {
    const slot = this.find(player, 0);
    this.sequence[slot] = sequence;
    this.operation[slot] = operation;
    this.due[slot] = due;
    this.sent[slot] = sent;
    this.ownLag[slot] = ownLag;
    this.busy[player]! += 1;
    this.taken[operation]! += 1;
    this.total += 1;
  }

  /** -1 when the player has no unanswered operation with this number. */
  find(player: number, sequence: number): number {
    const first = player * this.each;
    for (let slot = first; slot < first + this.each; slot++) {
      if (this.sequence[slot] === sequence) return slot;
    }
    return -1;
  }

  /** The unanswered numbers of a player. */
  sequencesOf(player: number): number[] {
    const first = player * this.each;
    return [...this.sequence.subarray(first, first + this.each)].filter((sequence) => sequence !== 0);
  }

  free(player: number, slot: number): void {
    this.sequence[slot] = 0;
    this.busy[player]! -= 1;
    this.taken[this.operation[slot]!]! -= 1;
    this.total -= 1;
  }
}
