/** At most so many commands within any second; the times are milliseconds. */
export class RateLimit {
  /** When the last ones were allowed, as a ring. */
  readonly #allowed: Float64Array;
  #oldest = 0;

  constructor(perSecond: number) {
    this.#allowed = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY);
  }

  /** What is refused does not count. */
  allows(now: number): boolean {
    if (now - this.#allowed[this.#oldest]! < 1_000) return false;
    this.#allowed[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#allowed.length;
    return true;
  }
}
