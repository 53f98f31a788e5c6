import { performance } from 'node:perf_hooks';
import { hrtime } from 'node:process';
import { type Micros, micros } from './units.ts';

const TRIES = 5;

/**
 * CLOCK_MONOTONIC in microseconds. `performance.now()` counts from the start of its process, so its offset to the
 * machine-wide monotonic clock is taken once: two processes of one host then agree. A process that is held up
 * between the two readings finds too small an offset, so the largest of some tries is the best one.
 */
const offset = Math.max(...Array.from({ length: TRIES }, () => exactMonotonic() - performance.now() * 1e3));

/** Now on the host's monotonic clock, in microseconds; comparable between processes of one host. */
export const monotonic = (): Micros => micros(offset + performance.now() * 1e3);

/** The same, asked of the clock itself: dearer, and not off by as long as this thread was held up while the offset was taken. */
export function exactMonotonic(): Micros {
  const [seconds, nanos] = hrtime();
  return micros(seconds * 1e6 + nanos / 1e3);
}

/** Half way from a moment of that clock to now: when somebody counted what was asked for then, give or take as much. */
export const midway = (asked: Micros): Micros => micros((asked + monotonic()) / 2);
