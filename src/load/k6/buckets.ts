/**
 * The buckets in which virtual users of k6 count latencies for the summary: k6 keeps percentiles of each process there,
 * and percentiles of several processes cannot be merged, but counts can. In whole milliseconds, which is what k6's clock
 * has: exact below 256 ms, then 128 buckets for each doubling (0.8%). What is slower than the last bucket is counted in it.
 *
 * k6 creates a sub-metric for each bucket, so their number is the price: 1,408 for 131 s.
 */
const HALF = 128;
const EXACT = 2 * HALF;
const DOUBLINGS = 9;
const LAST = EXACT * 2 ** DOUBLINGS - 1;

/** The highest millisecond of the bucket that a value falls into. */
export function bucketEnd(ms: number): number {
  if (ms < EXACT) return Math.max(0, ms);
  if (ms >= LAST) return LAST;
  const width = 2 ** (24 - Math.clz32(ms));
  return Math.floor(ms / width) * width + width - 1;
}

/** The end of every bucket, ascending. */
export const BUCKET_ENDS: readonly number[] = [
  ...Array.from({ length: EXACT }, (_, ms) => ms),
  ...Array.from({ length: DOUBLINGS * HALF }, (_, i) => {
    const width = 2 ** (1 + Math.floor(i / HALF));
    return (HALF + (i % HALF) + 1) * width - 1;
  }),
];
