import { Float64Histogram } from 'hdr-histogram-js';
import { EMPTY_HISTOGRAM, type HistogramData } from './histogram.ts';

/** What is slower is counted in the last bucket; its exact value is kept as the maximum and in the sum. */
const HIGHEST_MICROS = 120_000_000;
const SIGNIFICANT_DIGITS = 3;

const emptyHdr = () => new Float64Histogram(1, HIGHEST_MICROS, SIGNIFICANT_DIGITS);

/** HOT. An HdrHistogram of 1 us .. 120 s at three digits, with the exact minimum, maximum and sum beside it. */
export class MicrosHistogram {
  private readonly hdr = emptyHdr();
  private count = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private sum = 0;

  /** `count` values at once; a negative value (two clocks read in the wrong order) is 0. */
  record(value: number, count: number): void {
    const at = Math.max(value, 0);
    const counted = Math.min(at, HIGHEST_MICROS);
    if (count === 1) this.hdr.recordValue(counted);
    else this.hdr.recordValueWithCount(counted, count);
    this.count += count;
    this.sum += at * count;
    if (at < this.min) this.min = at;
    if (at > this.max) this.max = at;
  }

  toData(): HistogramData {
    if (this.count === 0) return EMPTY_HISTOGRAM;
    return { counts: countsOf(this.hdr), min: this.min, max: this.max, sum: this.sum };
  }

  /** As data, and empty again. */
  take(): HistogramData {
    const data = this.toData();
    if (this.count > 0) {
      this.hdr.reset();
      this.count = 0;
      this.min = Number.POSITIVE_INFINITY;
      this.max = 0;
      this.sum = 0;
    }
    return data;
  }
}

/** For whoever needs the library's own formats (.hlog): the same buckets with the same counts. */
export function toHdr(data: HistogramData): Float64Histogram {
  const hdr = emptyHdr();
  for (const [value, count] of data.counts) hdr.recordValueWithCount(Math.min(value, HIGHEST_MICROS), count);
  return hdr;
}

/** From the library's histogram; minimum, maximum and sum are then only as exact as the buckets. */
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
