const INITIAL_CAPACITY = 8_192;

/**
 * The operations that wait for a batch, in the order of arrival: a ring buffer of typed arrays, indexed by slot. It grows
 * when needed; its length is limited by admission.ts for monsters and session.ts for players.
 */
export class OperationQueue {
  /** Local index of the acting entity. */
  actor = new Int32Array(INITIAL_CAPACITY);
  /** See intent.ts. */
  command = new Int32Array(INITIAL_CAPACITY);
  seq = new Int32Array(INITIAL_CAPACITY);
  /** Where the answer goes: the session number of a player, or the post of a monster command. */
  origin = new Int32Array(INITIAL_CAPACITY);
  /** Time of receipt, in ms of performance.now(). */
  arrived = new Float64Array(INITIAL_CAPACITY);
  /** Text that the answer or an event quotes. */
  quoted: (string | null)[] = new Array<string | null>(INITIAL_CAPACITY).fill(null);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The slot of the i-th waiting operation; 0 is the oldest. */
  slot(i: number): number {
    return (this.#head + i) & (this.actor.length - 1);
  }

  /** When the oldest one arrived; Infinity when the queue is empty. */
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

  /** Removes and returns the quoted text of a slot. */
  takeQuoted(slot: number): string {
    const text = this.quoted[slot] ?? '';
    this.quoted[slot] = null;
    return text;
  }

  /** Removes the `count` oldest. */
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
