/** A seeded source of uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * A 32-bit state from a seed and a stream's coordinates (player id, lane, purpose), mixed by
 * MurmurHash3's finalizer so that neighbouring streams are unrelated.
 */
export function streamSeed(seed: number, ...coordinates: readonly number[]): number {
  let h = seed | 0;
  for (const c of coordinates) {
    h = Math.imul(h ^ c, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    h = (h + 0x9e3779b9) | 0;
  }
  return h >>> 0;
}

/** One step of mulberry32 over an explicit state: `next` is the state to keep, the result is in [0, 1). */
export function mulberry32(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** The constant by which mulberry32's state advances from one number to the next. */
export const MULBERRY_STEP = 0x6d2b79f5;

/** The golden ratio's fraction: its multiples fill [0, 1) evenly at any length (Weyl). */
export const GOLDEN = 0.618033988749895;

/** An independent generator for one stream. */
export function random(seed: number, ...coordinates: readonly number[]): Random {
  let state = streamSeed(seed, ...coordinates);
  return () => {
    state = (state + MULBERRY_STEP) | 0;
    return mulberry32(state);
  };
}
