import { messageOf } from '../errors.ts';
import type { Backoff } from './backoff.ts';

/**
 * - `closed`: requests are sent. After `failures` of them in a row have failed, or at once by `trip`, it opens.
 * - `open`: nothing is sent until the backoff's pause is over.
 * - `half-open`: one probe is under way, and still nothing else is sent. It closes again when the probe succeeds, and
 *   opens for a longer pause when it fails.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerPlan {
  /** Failures in a row after which it opens. */
  readonly failures: number;
  readonly backoff: Backoff;
  /** Resolves once the service answers and may be used again; rejects with the reason why it may not. */
  probe(): Promise<void>;
  opened(why: string): void;
  /** @param openMillis since it opened, over all probes that failed */
  closed(openMillis: number): void;
}

/** Keeps requests away from a service that fails, and asks it with growing pauses whether it is back. */
export class CircuitBreaker {
  readonly #plan: BreakerPlan;
  #state: BreakerState = 'closed';
  #failures = 0;
  #openedAt = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Counts probes: the outcome of any but the last one is ignored. */
  #probe = 0;
  #ended = false;

  constructor(plan: BreakerPlan) {
    this.#plan = plan;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Milliseconds since it opened; 0 while it is closed. */
  get openMillis(): number {
    return this.#state === 'closed' ? 0 : performance.now() - this.#openedAt;
  }

  /** A request was answered. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** A request failed. Those that were sent before it opened do not count any more. */
  failed(why: string): void {
    if (this.#state !== 'closed') return;
    this.#failures += 1;
    if (this.#failures >= this.#plan.failures) this.trip(why);
  }

  /** Opens at once; a probe that is under way has failed. */
  trip(why: string): void {
    if (this.#ended || this.#state === 'open') return;
    const before = this.#state;
    this.#state = 'open';
    this.#probe += 1;
    this.#pause = setTimeout(() => void this.#halfOpen(), this.#plan.backoff.next());
    if (before === 'half-open') return;
    this.#openedAt = performance.now();
    this.#plan.opened(why);
  }

  /** No probe begins any more. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#pause);
  }

  async #halfOpen(): Promise<void> {
    this.#state = 'half-open';
    this.#probe += 1;
    const probe = this.#probe;
    try {
      await this.#plan.probe();
    } catch (error) {
      if (probe === this.#probe) this.trip(messageOf(error));
      return;
    }
    if (probe !== this.#probe || this.#ended) return;
    const openMillis = this.openMillis;
    this.#state = 'closed';
    this.#failures = 0;
    this.#plan.backoff.reset();
    this.#plan.closed(openMillis);
  }
}
