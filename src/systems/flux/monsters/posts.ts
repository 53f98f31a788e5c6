/**
 * The states of a post:
 *
 *   waiting --sent--> underway --202--> accepted --committed--> free
 *
 * 202 and commit arrive over two connections, in either order: a post is free after both. It is settled at the commit, or
 * earlier: skipped (waited too long), failed (refused, or connection lost), timed out. A post that timed out is kept: a later
 * commit still goes to the ledger.
 */
export const POST = { free: 0, waiting: 1, underway: 2 } as const;

/** The current posts of a worker in typed arrays, with `commands` commands each. Grows as needed. HOT. */
export class Posts {
  readonly commands: number;
  state = new Uint8Array(0);
  /** 1 once the server has answered the request. */
  answered = new Uint8Array(0);
  settled = new Uint8Array(0);
  committed = new Uint8Array(0);
  /** The post's number, once it is sent. */
  number = new Float64Array(0);
  due = new Float64Array(0);
  sent = new Float64Array(0);
  /** The part of the schedule lag, `sent - due`, that the worker itself caused. */
  ownLag = new Float64Array(0);
  /** `commands` elements per post, from slot x commands: monster index, text index, sequence number. */
  monsters = new Int32Array(0);
  texts = new Uint8Array(0);
  sequences = new Float64Array(0);
  private readonly freed: number[] = [];

  constructor(commands: number) {
    this.commands = commands;
    this.grow(64);
  }

  get capacity(): number {
    return this.state.length;
  }

  /** Takes a slot for a due post. */
  take(due: number): number {
    let slot = this.freed.pop();
    if (slot === undefined) {
      this.grow(this.capacity * 2);
      slot = this.freed.pop() ?? 0;
    }
    this.state[slot] = POST.waiting;
    this.answered[slot] = 0;
    this.settled[slot] = 0;
    this.committed[slot] = 0;
    this.due[slot] = due;
    return slot;
  }

  free(slot: number): void {
    this.state[slot] = POST.free;
    this.freed.push(slot);
  }

  private grow(capacity: number): void {
    const known = this.capacity;
    const grown = <T extends Uint8Array | Int32Array | Float64Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    const places = capacity * this.commands;
    this.state = grown(this.state, new Uint8Array(capacity));
    this.answered = grown(this.answered, new Uint8Array(capacity));
    this.settled = grown(this.settled, new Uint8Array(capacity));
    this.committed = grown(this.committed, new Uint8Array(capacity));
    this.number = grown(this.number, new Float64Array(capacity));
    this.due = grown(this.due, new Float64Array(capacity));
    this.sent = grown(this.sent, new Float64Array(capacity));
    this.ownLag = grown(this.ownLag, new Float64Array(capacity));
    this.monsters = grown(this.monsters, new Int32Array(places));
    this.texts = grown(this.texts, new Uint8Array(places));
    this.sequences = grown(this.sequences, new Float64Array(places));
    for (let slot = capacity - 1; slot >= known; slot--) this.freed.push(slot);
  }
}

/** A FIFO queue of slots. */
export class PostQueue {
  private slots: number[] = [];
  private head = 0;

  get length(): number {
    return this.slots.length - this.head;
  }

  /** -1 when empty. */
  get first(): number {
    return this.slots[this.head] ?? -1;
  }

  push(slot: number): void {
    this.slots.push(slot);
  }

  shift(): void {
    this.head += 1;
    if (this.head < 64 || this.head * 2 < this.slots.length) return;
    this.slots = this.slots.slice(this.head);
    this.head = 0;
  }
}
