import { Float64Histogram } from 'hdr-histogram-js';
import { EMPTY_HISTOGRAM, type HistogramData } from './histogram.ts';

/** Slower values are counted in the last bucket; the maximum and the sum stay exact. */
const HIGHEST_MICROS = 120_000_000;
const SIGNIFICANT_DIGITS = 3;

const emptyHdr = () => new Float64Histogram(1, HIGHEST_MICROS, SIGNIFICANT_DIGITS);

/** The library's layout at three digits: 2,048 buckets of one value, then 1,024 buckets for each power of two. */
const HALF = 1024;
const HALF_MAGNITUDE = 10;
const BUCKETS = 18 * HALF;
const NONE = new Float64Array(0);

/** `value` is an integer of 0 .. HIGHEST_MICROS. */
function bucketOf(value: number): number {
  const magnitude = Math.max(0, 31 - HALF_MAGNITUDE - Math.clz32(value));
  return magnitude * HALF + (value >>> magnitude);
}

/** The highest value of a bucket. */
function endOf(bucket: number): number {
  const magnitude = Math.max(0, (bucket >> HALF_MAGNITUDE) - 1);
  return (bucket - magnitude * HALF + 1) * 2 ** magnitude - 1;
}

/**
 * HOT. An HdrHistogram of 1 us .. 120 s at three digits, with the exact minimum, maximum and sum beside it.
 * Buckets are the library's; they are found with integer arithmetic only, in a fraction of the library's time.
 */
export class MicrosHistogram {
  /** Allocated with the first value, since the buckets take 150 kB. */
  private counts = NONE;
  private count = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private sum = 0;

  /** Records a value `count` times; a negative value (two clocks read in the wrong order) counts as 0. */
  record(value: number, count: number): void {
    const at = Math.max(value, 0);
    if (this.counts === NONE) this.counts = new Float64Array(BUCKETS);
    this.counts[bucketOf(Math.min(at, HIGHEST_MICROS))]! += count;
    this.count += count;
    this.sum += at * count;
    if (at < this.min) this.min = at;
    if (at > this.max) this.max = at;
  }

  toData(): HistogramData {
    if (this.count === 0) return EMPTY_HISTOGRAM;
    const counts: [number, number][] = [];
    const last = bucketOf(Math.min(this.max, HIGHEST_MICROS));
    for (let bucket = bucketOf(Math.min(this.min, HIGHEST_MICROS)); bucket <= last; bucket++) {
      const count = this.counts[bucket]!;
      if (count > 0) counts.push([endOf(bucket), count]);
    }
    return { counts, min: this.min, max: this.max, sum: this.sum };
  }

  /** Returns the data and resets the histogram. */
  take(): HistogramData {
    const data = this.toData();
    if (this.count > 0) {
      this.counts.fill(0);
      this.count = 0;
      this.min = Number.POSITIVE_INFINITY;
      this.max = 0;
      this.sum = 0;
    }
    return data;
  }
}

/** For the library's own formats (.hlog): the same buckets with the same counts. */
export function toHdr(data: HistogramData): Float64Histogram {
  const hdr = emptyHdr();
  for (const [value, count] of data.counts) hdr.recordValueWithCount(Math.min(value, HIGHEST_MICROS), count);
  return hdr;
}

/** From the library's histogram; minimum, maximum and sum are then only as precise as the buckets. */
export function fromHdr(hdr: Float64Histogram): HistogramData {
  const counts = countsOf(hdr);
  const first = counts[0];
  const last = counts[counts.length - 1];
  if (first === undefined || last === undefined) return EMPTY_HISTOGRAM;
  let sum = 0;
  for (const [value, count] of counts) sum += value * count;
  return { counts, min: first[0], max: last[0], sum };
}

function countsOf(hdr: Float64Histogram): [number, number][] {
  const counts: [number, number][] = [];
  let left = hdr.totalCount;
  for (let index = 0; left > 0 && index < hdr.countsArrayLength; index++) {
    const count = hdr.getCountAtIndex(index);
    if (count === 0) continue;
    left -= count;
    counts.push([hdr.highestEquivalentValue(hdr.valueFromIndex(index)), count]);
  }
  return counts;
}
