import { type HistogramData, mergeHistograms } from '../histogram.ts';

/** Collects one histogram a second while a run measures. */
export interface WindowBook {
  add(second: HistogramData): void;
  /** All windows, in order and of equal length; a last one that is shorter is left out. */
  close(): readonly HistogramData[];
}

/** R6 needs some 20 windows; a run of a day is not to keep 86,400. */
const MOST_WINDOWS = 120;

/** A histogram as long as it is kept: a pair of numbers takes 16 bytes here, and four times as much as an array. */
interface Packed {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

const pack = ({ counts, min, max, sum }: HistogramData): Packed => ({
  values: Float64Array.from(counts, ([value]) => value),
  counts: Float64Array.from(counts, ([, count]) => count),
  ...{ min, max, sum },
});

const unpack = ({ values, counts, min, max, sum }: Packed): HistogramData => ({
  counts: Array.from(values, (value, i) => [value, counts[i] ?? 0] as const),
  ...{ min, max, sum },
});

/** A window is a second long, and twice as long each time there are too many: neighbours are merged. */
export function openWindowBook(): WindowBook {
  let windows: Packed[] = [];
  let seconds = 1;
  /** The window that is being filled, and how long it is by now. */
  let pending: HistogramData[] = [];
  let filled = 0;
  return {
    add(second) {
      pending.push(second);
      filled += 1;
      if (filled < seconds) return;
      windows.push(pack(mergeHistograms(pending)));
      pending = [];
      filled = 0;
      if (windows.length <= MOST_WINDOWS) return;
      const last = windows.length % 2 === 1 ? windows.pop() : undefined;
      windows = windows.flatMap((window, i) =>
        i % 2 === 0 ? [pack(mergeHistograms([window, windows[i + 1] ?? window].map(unpack)))] : [],
      );
      pending = last === undefined ? [] : [unpack(last)];
      filled = last === undefined ? 0 : seconds;
      seconds *= 2;
    },
    close: () => windows.map(unpack),
  };
}
