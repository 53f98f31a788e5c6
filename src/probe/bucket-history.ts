import type { Micros } from '../units.ts';

/** Cumulative buckets as a Prometheus histogram tells them. */
export interface Buckets {
  readonly bounds: readonly number[];
  readonly cumulative: readonly number[];
}

/** Counts per bucket, not cumulative. */
export interface BucketCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** What was counted until an instant, since the first reading. */
interface Reading {
  readonly at: Micros;
  readonly counted: Float64Array;
}

/** Ten minutes of a reading a second; a longer run keeps every second one, every fourth, and so on. */
const MOST_READINGS = 600;

/**
 * A histogram over the time of a run. A server that was restarted begins again at 0, and what it then says counts
 * whole: what is kept only ever grows, so that readings can be left out without losing anything between two others.
 */
export class BucketHistory {
  private bounds: readonly number[] = [];
  private last: readonly number[] | null = null;
  private counted = new Float64Array(0);
  private readings: Reading[] = [];
  /** One reading in so many is kept; the newest stands at the end whatever its turn is. */
  private every = 1;
  /** Its place since one that is kept for good. */
  private newest = 0;

  add(at: Micros, { bounds, cumulative }: Buckets): void {
    const { last } = this;
    if (last === null) {
      this.bounds = bounds;
      this.counted = new Float64Array(cumulative.length);
    } else {
      const fell = cumulative.some((count, bucket) => count < (last[bucket] ?? 0));
      this.counted = this.counted.map(
        (sum, bucket) => sum + (cumulative[bucket] ?? 0) - (fell ? 0 : (last[bucket] ?? 0)),
      );
    }
    this.last = cumulative;
    this.keep({ at, counted: this.counted });
  }

  /** Between the readings nearest to `from` and to `to`; null where that is one and the same. */
  between(from: Micros, to: Micros): BucketCounts | null {
    const [first, last] = [this.nearest(from), this.nearest(to)];
    if (first === undefined || last === undefined || first.at >= last.at) return null;
    const cumulative = last.counted.map((count, bucket) => count - (first.counted[bucket] ?? 0));
    return {
      bounds: this.bounds,
      counts: Array.from(cumulative, (count, bucket) => count - (cumulative[bucket - 1] ?? 0)),
    };
  }

  private keep(reading: Reading): void {
    if (this.newest % this.every !== 0) this.readings.pop();
    this.readings.push(reading);
    this.newest += 1;
    if (this.readings.length <= MOST_READINGS) return;
    this.readings = this.readings.filter((_, i) => i % 2 === 0);
    this.every *= 2;
    this.newest = 0;
  }

  private nearest(at: Micros): Reading | undefined {
    return this.readings.reduce<Reading | undefined>(
      (best, one) => (best === undefined || Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best),
      undefined,
    );
  }
}
