import { monotonic } from '../../../src/clock.ts';
import { MicrosHistogram } from '../../../src/hdr-histogram.ts';
import { WakeTimer } from '../../../src/load/fleet/wake-timer.ts';
import type { Release } from '../../../src/systems/flux/null/server.ts';
import type { DelayModel } from './delays.ts';

interface Held {
  readonly answer: () => void;
  readonly arrived: number;
  readonly due: number;
}

/** A wake timer may be this late: it is set this much earlier, and the rest is spun. */
const SPIN = 200;

/**
 * Holds every answer for as long as its model says, to a fraction of a millisecond: timers are too coarse, so a
 * wake timer wakes for it, and the last part of each wait is spent turning the event loop, in which new requests are
 * read. Spinning all the time would take a core from the tool that is measured.
 */
export class DelayLine {
  /** Arrival to answer, as it came out; microseconds. */
  readonly taken = new MicrosHistogram();
  /** By how much the answers were late; microseconds. */
  readonly late = new MicrosHistogram();
  private readonly model: DelayModel;
  /** In the order of their moments. */
  private readonly held: Held[] = [];
  private readonly wakeTimer = new WakeTimer(() => this.turn());
  private spinning = false;
  private readonly wake = (): void => {
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

  /** Holds nothing from now on. */
  close(): void {
    this.wakeTimer.stop();
  }

  private arm(): void {
    const [next] = this.held;
    if (next === undefined || this.spinning) return;
    const wait = next.due - monotonic();
    if (wait > SPIN) {
      this.wakeTimer.set(wait - SPIN);
    } else {
      this.spinning = true;
      setImmediate(this.wake);
    }
  }
}
