/** Upper bounds (inclusive) and the count of each bucket; one more count than bounds, of what lies above the last. */
interface BucketData {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/**
 * A quantile of bucketed values, by linear interpolation inside its bucket (like Prometheus'
 * `histogram_quantile`). For a quantile above the last bound that bound is returned, which is then a lower bound. Null
 * without values.
 */
export function bucketQuantile({ bounds, counts }: BucketData, percent: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = (percent / 100) * total;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    const upper = bounds[bucket];
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = bucket === 0 ? 0 : (bounds[bucket - 1] ?? 0);
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}

/**
 * The mean of bucketed values, each assumed in the middle of its bucket; values above the last bound count as that
 * bound. Null without values.
 */
export function bucketMean({ bounds, counts }: BucketData): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const sum = counts.reduce((all, count, bucket) => {
    const lower = bucket === 0 ? 0 : (bounds[bucket - 1] ?? 0);
    return all + (count * (lower + (bounds[bucket] ?? lower))) / 2;
  }, 0);
  return sum / total;
}

/** The upper bound of the largest bucket that is not empty; null without values, or above the last bound. */
export function largestBucket({ bounds, counts }: BucketData): number | null {
  const bucket = counts.findLastIndex((count) => count > 0);
  return bounds[bucket] ?? null;
}
