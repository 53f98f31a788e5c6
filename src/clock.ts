import { performance } from 'node:perf_hooks';
import { type Micros, micros } from './units.ts';

/**
 * CLOCK_MONOTONIC in microseconds. `performance.now()` counts from the start of its process, so its
 * offset to the machine-wide monotonic clock is taken once: two processes of one host then agree.
 */
const offset = (() => {
  const [s, ns] = process.hrtime();
  return s * 1e6 + ns / 1e3 - performance.now() * 1e3;
})();

/** Now on the host's monotonic clock, in microseconds; comparable between processes of one host. */
export const monotonic = (): Micros => micros(offset + performance.now() * 1e3);
