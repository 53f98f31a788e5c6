const INITIAL_CAPACITY = 8_192;

/**
 * The operations that wait for a batch, in the order in which they arrived: a ring of typed arrays, indexed by
 * slot. It grows when needed; who may fill it is decided elsewhere (see the limits in http.ts and players.ts).
 */
export class OperationQueue {
  /** Local index of the entity that acts. */
  actor = new Int32Array(INITIAL_CAPACITY);
  /** See intent.ts. */
  command = new Int32Array(INITIAL_CAPACITY);
  seq = new Int32Array(INITIAL_CAPACITY);
  /** Whom to answer: a player's session number, or a monster command's post. */
  origin = new Int32Array(INITIAL_CAPACITY);
  /** When it was received, in ms of performance.now(). */
  arrived = new Float64Array(INITIAL_CAPACITY);
  /** What an answer or event will quote. */
  quoted: (string | null)[] = new Array<string | null>(INITIAL_CAPACITY).fill(null);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Where the i-th waiting operation stands; 0 is the oldest. */
  slot(i: number): number {
    return (this.#head + i) & (this.actor.length - 1);
  }

  /** When the oldest one arrived; Infinity when none waits. */
  oldest(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : this.arrived[this.#head]!;
  }

  push(
    actor: number,
    command: number,
    seq: number,
    origin: number,
    arrived: number,
    quoted: string | null,
  ): void {
    if (this.#length === this.actor.length) this.#grow();
    const slot = this.slot(this.#length++);
    this.actor[slot] = actor;
    this.command[slot] = command;
    this.seq[slot] = seq;
    this.origin[slot] = origin;
    this.arrived[slot] = arrived;
    if (quoted !== null) this.quoted[slot] = quoted;
  }

  /** The quoted text of a slot, which is given up by it. */
  takeQuoted(slot: number): string {
    const text = this.quoted[slot] ?? '';
    this.quoted[slot] = null;
    return text;
  }

  /** Forgets the `count` oldest. */
  drop(count: number): void {
    this.#head = this.slot(count);
    this.#length -= count;
  }

  #grow(): void {
    const old = this.actor.length;
    const order = Array.from({ length: old }, (_, i) => this.slot(i));
    const moved = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      order.forEach((slot, i) => {
        to[i] = from[slot]!;
      });
      return to;
    };
    const ints = <T extends Int32Array>(from: T): T => moved(from, new Int32Array(old * 2) as T);
    const quoted = order.map((slot) => this.quoted[slot] ?? null);
    this.actor = ints(this.actor);
    this.command = ints(this.command);
    this.seq = ints(this.seq);
    this.origin = ints(this.origin);
    this.arrived = moved(this.arrived, new Float64Array(old * 2));
    this.quoted = [...quoted, ...new Array<null>(old).fill(null)];
    this.#head = 0;
  }
}
