/**
 * The unanswered operations of all players of a worker: `outstanding` slots each, in typed arrays. HOT.
 * A slot whose sequence number is 0 is free; numbers begin at 1.
 */
export class Slots {
  readonly each: number;
  /** Over all players. */
  taken = 0;
  readonly sequence: Float64Array;
  readonly due: Float64Array;
  readonly sent: Float64Array;
  /** The part of `sent - due` that the worker itself caused. */
  readonly ownLag: Float64Array;
  private readonly busy: Uint16Array;

  constructor(players: number, each: number) {
    this.each = each;
    this.sequence = new Float64Array(players * each);
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

  isEmpty(player: number): boolean {
    return this.busy[player] === 0;
  }

  /** The caller knows that the player has a free slot. */
  take(player: number, sequence: number, due: number, sent: number, ownLag: number): void {
    const slot = this.find(player, 0);
    this.sequence[slot] = sequence;
    this.due[slot] = due;
    this.sent[slot] = sent;
    this.ownLag[slot] = ownLag;
    this.busy[player]! += 1;
    this.taken += 1;
  }

  /** -1 when the player has no such number unanswered. */
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
    this.taken -= 1;
  }
}

/** Due times of operations that wait for a slot: a ring for each player of a worker. HOT. */
export class Waiting {
  /** Over all players. */
  total = 0;
  private readonly capacity: number;
  private readonly dues: Float64Array;
  private readonly head: Uint32Array;
  private readonly count: Uint32Array;

  constructor(players: number, capacity: number) {
    this.capacity = capacity;
    this.dues = new Float64Array(players * capacity);
    this.head = new Uint32Array(players);
    this.count = new Uint32Array(players);
  }

  of(player: number): number {
    return this.count[player]!;
  }

  isFull(player: number): boolean {
    return this.count[player] === this.capacity;
  }

  /** Infinity when nothing waits. */
  first(player: number): number {
    return this.count[player] === 0
      ? Number.POSITIVE_INFINITY
      : this.dues[player * this.capacity + this.head[player]!]!;
  }

  push(player: number, due: number): void {
    const at = (this.head[player]! + this.count[player]!) % this.capacity;
    this.dues[player * this.capacity + at] = due;
    this.count[player]! += 1;
    this.total += 1;
  }

  shift(player: number): number {
    const due = this.first(player);
    this.head[player] = (this.head[player]! + 1) % this.capacity;
    this.count[player]! -= 1;
    this.total -= 1;
    return due;
  }
}
