import { WakeTimer } from './wake-timer.ts';

const SHORTEST_MS = 1;
/** A blocked event loop shows as a late timer, so one is always armed, for this long at most. */
const LONGEST_MS = 50;
/** Microseconds between two wakes by the wake timer, at least. */
const WAKE_SHORTEST = 150;
/** The wake timer is set this many microseconds early, since its message takes about as long; the rest is spun. */
const WAKE_AHEAD = 120;
/** A fallback timer wakes this many milliseconds later, in case the wake timer does not. */
const FALLBACK_MS = 2;
/** Microseconds by which a timer may be late, or a turn may last, before the loop counts as stalled. */
const STALL_THRESHOLD = 10_000;

/** The work that the timer calls. Times are microseconds after GO. */
interface TimedWork {
  /** When something is due next; Infinity when nothing is. */
  nextWake(): number;
  /** Does what is due by now; true when more is due already. */
  turn(now: number): boolean;
}

/**
 * The one timer of a load worker. It wakes when the next operation is due, at most once a millisecond; a precise one has a
 * wake timer and is about ten times as exact. When a turn leaves work behind, the next turn comes after the sockets have
 * been read. HOT.
 *
 * It also measures the event loop: a timer that fires late, or a turn that takes long, is a block of that length.
 */
export class WorkerTimer {
  private readonly work: TimedWork;
  private readonly now: () => number;
  private timer: NodeJS.Timeout | null = null;
  private immediate: NodeJS.Immediate | null = null;
  private expected = 0;
  private longest = 0;
  private stalled = 0;
  private stopped = false;
  private readonly wakeTimer: WakeTimer | null;
  private readonly onTimer = (): void => this.tick();

  constructor(work: TimedWork, now: () => number, precise = false) {
    this.work = work;
    this.now = now;
    this.wakeTimer = precise ? new WakeTimer(() => this.onWake()) : null;
  }

  start(): void {
    this.arm(false);
  }

  stop(): void {
    this.stopped = true;
    this.wakeTimer?.stop();
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.immediate !== null) clearImmediate(this.immediate);
    this.timer = null;
    this.immediate = null;
  }

  /** Longest block of the event loop since the last call, in microseconds. */
  takeLongestBlock(): number {
    const { longest } = this;
    this.longest = 0;
    return longest;
  }

  /** The time that blocks lasted beyond 10 ms each, summed since the last call, in microseconds. */
  takeStalled(): number {
    const { stalled } = this;
    this.stalled = 0;
    return stalled;
  }

  /** A message of an earlier setting wakes too early, which does no harm. */
  private onWake(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    if (this.expected - this.now() <= WAKE_AHEAD) while (this.now() < this.expected);
    this.tick();
  }

  private tick(): void {
    this.timer = null;
    this.immediate = null;
    const begin = this.now();
    this.recordBlock(begin - this.expected);
    const more = this.work.turn(begin);
    this.recordBlock(this.now() - begin);
    this.arm(more);
  }

  private recordBlock(span: number): void {
    if (span > this.longest) this.longest = span;
    if (span > STALL_THRESHOLD) this.stalled += span - STALL_THRESHOLD;
  }

  private arm(more: boolean): void {
    if (this.stopped) return;
    const now = this.now();
    if (more) {
      this.expected = now;
      this.immediate = setImmediate(this.onTimer);
      return;
    }
    const left = this.work.nextWake() - now;
    if (this.wakeTimer !== null && left <= LONGEST_MS * 1e3) {
      const wait = Math.max(left, WAKE_SHORTEST);
      this.expected = now + wait;
      this.wakeTimer.set(wait - WAKE_AHEAD);
      this.timer = setTimeout(this.onTimer, Math.ceil(wait / 1e3) + FALLBACK_MS);
      return;
    }
    const delay = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, Math.floor(left / 1e3)));
    this.expected = now + delay * 1e3;
    this.timer = setTimeout(this.onTimer, delay);
  }
}
