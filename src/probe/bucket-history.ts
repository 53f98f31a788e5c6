import type { Micros } from '../units.ts';
import { type BoundaryLimits, readingsAround, soonOf, valueAround } from './boundary-value.ts';

/** Cumulative buckets as in a Prometheus histogram. */
export interface Buckets {
  readonly bounds: readonly number[];
  readonly cumulative: readonly number[];
}

/** Counts per bucket, not cumulative. */
export interface BucketCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** The cumulative counts at an instant, since the first reading. */
interface Reading {
  readonly at: Micros;
  readonly counted: Float64Array;
  /** The number of the reading, from 0. */
  readonly index: number;
  readonly isBoundary: boolean;
}

/** Ten minutes with a reading every second; a longer run keeps every second reading, then every fourth, and so on. */
const MOST_READINGS = 600;

/**
 * A histogram over the time of a run. A restarted server begins at 0, and its first counts then are added whole, so that
 * the kept counts never fall and a reading can be dropped without losing counts between its neighbours. Readings at
 * boundaries of the measure phase and its stages are never dropped.
 */
export class BucketHistory {
  private bounds: readonly number[] = [];
  private last: readonly number[] | null = null;
  private counted = new Float64Array(0);
  private readings: Reading[] = [];
  /** Every n-th reading is kept, and always the newest. */
  private every = 1;
  private index = 0;
  private boundaries = 0;

  add(at: Micros, { bounds, cumulative }: Buckets, isBoundary = false): void {
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
    this.keep({ at, counted: this.counted, index: this.index, isBoundary });
    this.index += 1;
    if (isBoundary) this.boundaries += 1;
  }

  /**
   * The counts between two instants, rounded. Each instant is interpolated between its readings, or moved to the first or
   * last reading where it lies beyond these. Null where both become the same instant.
   */
  between(from: Micros, to: Micros): BucketCounts | null {
    const times = this.readings.map(({ at }) => at);
    const [earliest, latest] = [times[0], times.at(-1)];
    if (earliest === undefined || latest === undefined) return null;
    const [start, end] = [from, to].map((at) => Math.min(latest, Math.max(earliest, at)));
    if (start === undefined || end === undefined || start >= end) return null;
    const limits = { soon: soonOf(end - start, 1e6), hole: Number.POSITIVE_INFINITY };
    const [first, last] = [this.countsAt(times, start, limits), this.countsAt(times, end, limits)];
    // The cumulative counts are rounded, so that the buckets add up to the total.
    let grown = 0;
    const cumulative = last.map((count, bucket) => {
      grown += count - (first[bucket] ?? 0);
      return Math.round(grown);
    });
    return {
      bounds: this.bounds,
      counts: cumulative.map((count, bucket) => count - (cumulative[bucket - 1] ?? 0)),
    };
  }

  private keep(reading: Reading): void {
    const newest = this.readings.at(-1);
    if (newest !== undefined && !this.isKept(newest)) this.readings.pop();
    this.readings.push(reading);
    if (this.readings.length - this.boundaries <= MOST_READINGS) return;
    this.every *= 2;
    this.readings = this.readings.filter((one) => this.isKept(one) || one === reading);
  }

  private isKept({ index, isBoundary }: Reading): boolean {
    return isBoundary || index % this.every === 0;
  }

  /** The counts per bucket, not cumulative. */
  private countsAt(times: readonly number[], at: number, limits: BoundaryLimits): readonly number[] {
    const around = readingsAround(times, at, limits);
    const countOf = (index: number, bucket: number): number => {
      const counted = this.readings[index]?.counted;
      return (counted?.[bucket] ?? 0) - (counted?.[bucket - 1] ?? 0);
    };
    return Array.from(this.counted, (_, bucket) =>
      around === null ? 0 : valueAround(around, times, at, (index) => countOf(index, bucket)),
    );
  }
}
