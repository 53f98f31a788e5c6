import { monotonic } from '../../../src/clock.ts';
import { MicrosHistogram } from '../../../src/hdr-histogram.ts';
import type { Release } from '../../../src/world/null/server.ts';
import type { DelayModel } from './delays.ts';

interface Held {
  readonly answer: () => void;
  readonly arrived: number;
  readonly due: number;
}

/** A timer may be late by a millisecond and more: it ends so long before the moment, and the rest is spun. */
const SPIN = 2_500;

/**
 * Holds every answer for as long as its model says, to a fraction of a millisecond: timers alone are too coarse,
 * so the last part of each wait is spent turning the event loop, in which new requests are read.
 */
export class DelayLine {
  /** Arrival to answer, as it came out; microseconds. */
  readonly taken = new MicrosHistogram();
  /** By how much the answers were late; microseconds. */
  readonly late = new MicrosHistogram();
  private readonly model: DelayModel;
  /** In the order of their moments. */
  private readonly held: Held[] = [];
  private timer: NodeJS.Timeout | null = null;
  private spinning = false;
  private readonly wake = (): void => {
    this.timer = null;
    this.spinning = false;
    this.turn();
  };

  constructor(model: DelayModel) {
    this.model = model;
  }

  readonly release: Release = (answer) => {
    const arrived = monotonic();
    const due = arrived + this.model.delay(arrived);
    if (due <= arrived) this.let({ answer, arrived, due });
    else this.hold({ answer, arrived, due });
  };

  private hold(one: Held): void {
    const { held } = this;
    let at = held.length;
    while (at > 0 && held[at - 1]!.due > one.due) at -= 1;
    held.splice(at, 0, one);
    if (at === 0) this.arm();
  }

  private let({ answer, arrived, due }: Held): void {
    answer();
    const now = monotonic();
    this.taken.record(Math.round(now - arrived), 1);
    this.late.record(Math.round(now - due), 1);
  }

  private turn(): void {
    const { held } = this;
    for (const now = monotonic(); held.length > 0 && held[0]!.due <= now; ) this.let(held.shift()!);
    this.arm();
  }

  private arm(): void {
    const [next] = this.held;
    if (next === undefined || this.spinning) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const wait = next.due - monotonic();
    if (wait > SPIN) {
      this.timer = setTimeout(this.wake, Math.floor((wait - SPIN) / 1e3));
    } else {
      this.spinning = true;
      setImmediate(this.wake);
    }
  }
}
