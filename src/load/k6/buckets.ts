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

/**
 * Those of one millisecond are one group, and the wider ones another: k6 compares each sample with every declared bucket of
 * its metric, and has a metric for each group.
 */
export const GROUPS = 2;
export const groupOf = (end: number): number => (end < EXACT ? 0 : 1);

/** The end of every bucket, ascending; made only where it is needed, since each virtual user would keep its own. */
export const bucketEnds = (): readonly number[] => [
  ...Array.from({ length: EXACT }, (_, ms) => ms),
  ...Array.from({ length: DOUBLINGS * HALF }, (_, i) => {
    const width = 2 ** (1 + Math.floor(i / HALF));
    return (HALF + (i % HALF) + 1) * width - 1;
  }),
];
