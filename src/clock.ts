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

/** The two clocks of a host, in milliseconds. */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

const HOST: Clocks = { wall: () => Date.now(), monotonic: () => monotonic() / 1e3 };

/** Of so many readings the one in which least happened between the clocks. */
const READINGS = 5;

/** Wall minus monotonic clock now; good to the millisecond in which the wall clock is told. */
function difference({ wall, monotonic }: Clocks): number {
  let best = { took: Number.POSITIVE_INFINITY, difference: 0 };
  for (let i = 0; i < READINGS; i++) {
    const before = monotonic();
    const at = wall();
    const after = monotonic();
    if (after - before < best.took) best = { took: after - before, difference: at - (before + after) / 2 };
  }
  return best.difference;
}

/**
 * Whether somebody set the clock, or the machine slept: tells by how many milliseconds the wall clock has moved
 * against the monotonic clock since it was opened.
 */
export function openClockCheck(clocks: Clocks = HOST): () => number {
  const start = difference(clocks);
  return () => difference(clocks) - start;
}
