import { Alarm } from './alarm.ts';

const SHORTEST_MS = 1;
/** The loop's blocks are seen by a late timer: it is always armed, and never for longer than this. */
const LONGEST_MS = 50;
/** Two wakes by the alarm are at least so many microseconds apart. */
const ALARM_SHORTEST = 150;
/** So many microseconds before the moment it is to ring: it takes about as long to be heard. The rest is spun. */
const ALARM_AHEAD = 120;
/** Should the alarm be late, a timer wakes so many milliseconds after it. */
const ALARM_NET_MS = 2;
/** Microseconds by which a timer may be late, or a turn last, before the loop counts as stalled. */
const TOLERATED = 10_000;

/** What the metronome drives. Times are microseconds after GO. */
interface Driven {
  /** When there is something to do next; Infinity when nothing is known. */
  nextWake(): number;
  /** Does what is due by now; true when more is due already. */
  turn(now: number): boolean;
}

/**
 * The one timer of a worker. It wakes when something is due, not more often than each millisecond; a precise one,
 * which has an alarm for it, to a tenth of that. When a turn leaves work behind, the next one comes after the
 * sockets have been read. HOT.
 *
 * It also measures the loop: a timer that fires late, or a turn that takes long, is a block of that length.
 */
export class Metronome {
  private readonly driven: Driven;
  private readonly now: () => number;
  private timer: NodeJS.Timeout | null = null;
  private immediate: NodeJS.Immediate | null = null;
  private expected = 0;
  private longest = 0;
  private stalled = 0;
  private stopped = false;
  private readonly alarm: Alarm | null;
  private readonly wake = (): void => this.tick();

  constructor(driven: Driven, now: () => number, precise = false) {
    this.driven = driven;
    this.now = now;
    this.alarm = precise ? new Alarm(() => this.ring()) : null;
  }

  start(): void {
    this.arm(false);
  }

  stop(): void {
    this.stopped = true;
    this.alarm?.stop();
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

  /** By how much blocks were longer than 10 ms, summed over all since the last call, in microseconds. */
  takeStalled(): number {
    const { stalled } = this;
    this.stalled = 0;
    return stalled;
  }

  /** One that was set before and rings now wakes too early, which does no harm. */
  private ring(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    if (this.expected - this.now() <= ALARM_AHEAD) while (this.now() < this.expected);
    this.tick();
  }

  private tick(): void {
    this.timer = null;
    this.immediate = null;
    const begin = this.now();
    this.blocked(begin - this.expected);
    const more = this.driven.turn(begin);
    this.blocked(this.now() - begin);
    this.arm(more);
  }

  private blocked(span: number): void {
    if (span > this.longest) this.longest = span;
    if (span > TOLERATED) this.stalled += span - TOLERATED;
  }

  private arm(more: boolean): void {
    if (this.stopped) return;
    const now = this.now();
    if (more) {
      this.expected = now;
      this.immediate = setImmediate(this.wake);
      return;
    }
    const left = this.driven.nextWake() - now;
    if (this.alarm !== null && left <= LONGEST_MS * 1e3) {
      const wait = Math.max(left, ALARM_SHORTEST);
      this.expected = now + wait;
      this.alarm.set(wait - ALARM_AHEAD);
      this.timer = setTimeout(this.wake, Math.ceil(wait / 1e3) + ALARM_NET_MS);
      return;
    }
    const delay = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, Math.floor(left / 1e3)));
    this.expected = now + delay * 1e3;
    this.timer = setTimeout(this.wake, delay);
  }
}
