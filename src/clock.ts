import { performance } from 'node:perf_hooks';
import { hrtime } from 'node:process';
import { type Micros, micros } from './units.ts';

const TRIES = 5;

/**
 * CLOCK_MONOTONIC in microseconds. `performance.now()` counts from the start of its process, so its offset to the
 * machine-wide monotonic clock is measured once, and two processes of one host then agree. A process that is preempted
 * between the two readings measures an offset that is too small, so the largest of several tries is the best one.
 */
const offset = Math.max(...Array.from({ length: TRIES }, () => exactMonotonic() - performance.now() * 1e3));

/** Now on the host's monotonic clock, in microseconds; comparable between processes of one host. */
export const monotonic = (): Micros => micros(offset + performance.now() * 1e3);

/** The same, read from the clock itself: slower, but free of the error of the measured offset. */
export function exactMonotonic(): Micros {
  const [seconds, nanos] = hrtime();
  return micros(seconds * 1e6 + nanos / 1e3);
}

/** The middle between an instant of that clock and now: the best estimate of when a reply to a request sent then was produced. */
export const midway = (asked: Micros): Micros => micros((asked + monotonic()) / 2);

/** The two clocks of a host, in milliseconds. */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

const HOST: Clocks = { wall: () => Date.now(), monotonic: () => monotonic() / 1e3 };

/** The reading in which the two clocks were read closest together is used. */
const READINGS = 5;

/** Wall minus monotonic clock now; accurate to a millisecond, the resolution of the wall clock. */
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
 * Detects that the clock was set or that the machine slept: returns by how many milliseconds the wall clock has moved
 * against the monotonic clock since the check was opened.
 */
export function openClockCheck(clocks: Clocks = HOST): () => number {
  const start = difference(clocks);
  return () => difference(clocks) - start;
}
