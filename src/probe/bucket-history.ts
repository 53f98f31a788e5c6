import type { Micros } from '../units.ts';
import { type BoundaryLimits, readingsAround, soonOf, valueAround } from './boundary-value.ts';

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

/** What was counted until an instant, since the first reading: cumulative, as the buckets are. */
interface Reading {
  readonly at: Micros;
  readonly counted: Float64Array;
  /** Its number, from 0. */
  readonly turn: number;
  readonly isBoundary: boolean;
}

/** Ten minutes of a reading a second; a longer run keeps every second one, every fourth, and so on. */
const MOST_READINGS = 600;

/**
 * A histogram over the time of a run. A server that was restarted begins again at 0, and what it then says counts
 * whole: what is kept only ever grows, so that readings can be left out without losing anything between two others.
 * Those at the boundaries of what is measured are never left out.
 */
export class BucketHistory {
  private bounds: readonly number[] = [];
  private last: readonly number[] | null = null;
  private counted = new Float64Array(0);
  private readings: Reading[] = [];
  /** One reading in so many is kept; the newest stands at the end whatever its turn is. */
  private every = 1;
  private turn = 0;
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
    this.keep({ at, counted: this.counted, turn: this.turn, isBoundary });
    this.turn += 1;
    if (isBoundary) this.boundaries += 1;
  }

  /**
   * What was counted between two instants, each read from the readings around it, or at the first or the last one where it
   * lies beyond; whole counts. Null where that is one and the same reading.
   */
  between(from: Micros, to: Micros): BucketCounts | null {
    const times = this.readings.map(({ at }) => at);
    const [earliest, latest] = [times[0], times.at(-1)];
    if (earliest === undefined || latest === undefined) return null;
    const [start, end] = [from, to].map((at) => Math.min(latest, Math.max(earliest, at)));
    if (start === undefined || end === undefined || start >= end) return null;
    const limits = { soon: soonOf(end - start, 1e6), hole: Number.POSITIVE_INFINITY };
    const [first, last] = [this.countsAt(times, start, limits), this.countsAt(times, end, limits)];
    // Rounded where they are added up, so that no part is lost of the whole.
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

  private isKept({ turn, isBoundary }: Reading): boolean {
    return isBoundary || turn % this.every === 0;
  }

  /** Of each bucket by itself, not cumulative. */
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
