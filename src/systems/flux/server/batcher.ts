import { performance } from 'node:perf_hooks';

/** Why a batch was flushed: it was full, or its oldest operation had waited for the batch interval. */
export type FlushReason = 'size' | 'time';

/** The queue that is flushed. */
export interface Waiting {
  readonly length: number;
  /** When the oldest operation arrived, in ms of performance.now(). */
  oldest(): number;
}

/**
 * Decides when to flush. A state machine:
 *   idle     the queue is empty
 *   waiting  a timer runs for the oldest operation
 *   flushing one batch is in flight; the next one starts after its commit
 * After a flush, the next batch starts at once if it is full or overdue; otherwise the timer is set for the rest.
 */
export class Batcher {
  readonly #waiting: Waiting;
  readonly #limit: number;
  readonly #windowMillis: number;
  readonly #flush: (operations: number, reason: FlushReason) => Promise<void>;
  #state: 'idle' | 'waiting' | 'flushing' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #whenIdle: (() => void)[] = [];
  #draining = false;

  /** `flush` takes that many operations out of the queue synchronously, and resolves when they have committed. */
  constructor(
    waiting: Waiting,
    limit: number,
    windowMillis: number,
    flush: (operations: number, reason: FlushReason) => Promise<void>,
  ) {
    this.#waiting = waiting;
    this.#limit = limit;
    this.#windowMillis = windowMillis;
    this.#flush = flush;
  }

  /** Call this after queueing operations. */
  queued(): void {
    if (this.#state === 'flushing') return;
    if (this.#waiting.length >= this.#limit) this.#start('size');
    else if (this.#state === 'idle') this.#wait();
  }

  /** Flushes the queue batch by batch, without waiting for the interval; resolves when everything has committed. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#state === 'waiting') this.#start('time');
    if (this.#state === 'idle') return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #wait(): void {
    this.#state = 'waiting';
    const millis = this.#waiting.oldest() + this.#windowMillis - performance.now();
    this.#timer = setTimeout(() => this.#start('time'), Math.max(0, millis));
  }

  #start(reason: FlushReason): void {
    clearTimeout(this.#timer);
    this.#state = 'flushing';
    // A failed flush is fatal and is handled by the caller: nothing is flushed after it.
    this.#flush(Math.min(this.#waiting.length, this.#limit), reason).then(() => this.#flushed());
  }

  #flushed(): void {
    const { length } = this.#waiting;
    if (length >= this.#limit) {
      this.#start('size');
    } else if (length === 0) {
      this.#state = 'idle';
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    } else if (this.#draining || this.#waiting.oldest() + this.#windowMillis <= performance.now()) {
      this.#start('time');
    } else {
      this.#wait();
    }
  }
}
