import { performance } from 'node:perf_hooks';
import { type Micros, micros } from './units.ts';

const TRIES = 5;

/**
 * CLOCK_MONOTONIC in microseconds. `performance.now()` counts from the start of its process, so its offset to the
 * machine-wide monotonic clock is taken once: two processes of one host then agree. A process that is held up
 * between the two readings finds too small an offset, so the largest of some tries is the best one.
 */
const offset = Math.max(
  ...Array.from({ length: TRIES }, () => {
    const [s, ns] = process.hrtime();
    return s * 1e6 + ns / 1e3 - performance.now() * 1e3;
  }),
);

/** Now on the host's monotonic clock, in microseconds; comparable between processes of one host. */
export const monotonic = (): Micros => micros(offset + performance.now() * 1e3);
