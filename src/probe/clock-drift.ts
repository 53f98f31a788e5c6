import { monotonic } from '../clock.ts';

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
