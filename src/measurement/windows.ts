import { type HistogramData, mergeHistograms } from '../histogram.ts';

/** Collects one histogram a second while a run measures. */
export interface WindowBook {
  add(second: HistogramData): void;
  /** All windows, in order and of equal length; a last one that is shorter is left out. */
  close(): readonly HistogramData[];
}

/** R6 needs some 20 windows; a run of a day is not to keep 86,400. */
const MOST_WINDOWS = 120;

/** A window is a second long, and twice as long each time there are too many: neighbours are merged. */
export function openWindowBook(): WindowBook {
  let windows: HistogramData[] = [];
  let seconds = 1;
  let pending: HistogramData[] = [];
  return {
    add(second) {
      pending.push(second);
      if (pending.length < seconds) return;
      windows.push(mergeHistograms(pending));
      pending = [];
      if (windows.length <= MOST_WINDOWS) return;
      const last = windows.length % 2 === 1 ? windows.pop() : undefined;
      windows = windows.flatMap((window, i) =>
        i % 2 === 0 ? [mergeHistograms([window, windows[i + 1] ?? window])] : [],
      );
      pending = last === undefined ? [] : [last];
      seconds *= 2;
    },
    close: () => windows,
  };
}
