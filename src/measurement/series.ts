import type { Sample } from '../probe/probe.ts';
import type { Micros } from '../units.ts';
import type { Series } from './measurements.ts';

/** Bytes, operations and seconds of a run are far below; sums of such numbers are exact enough, and finite. */
const LARGEST = 1e18;

/** Collects samples while a run goes on; the times become seconds after GO when the book is closed. */
export interface SeriesBook {
  /** @param at on the host's monotonic clock. */
  add(at: Micros, samples: readonly Sample[]): void;
  /** @param go on the same clock; what was sampled before has negative times. */
  close(go: Micros): Record<string, Series>;
}

export function openSeriesBook(): SeriesBook {
  const kept = new Map<string, { kind: Sample['kind']; points: [at: number, value: number][] }>();
  return {
    add(at, samples) {
      for (const { series, kind, value } of samples) {
        // What is no number, or none that anything has, is no data: the second stays a gap.
        if (!(Math.abs(value) <= LARGEST)) continue;
        const entry = kept.get(series) ?? { kind, points: [] };
        entry.points.push([at, value]);
        kept.set(series, entry);
      }
    },
    close(go) {
      const series: Record<string, Series> = {};
      for (const [name, { kind, points }] of kept) {
        series[name] = {
          kind,
          points: points.map(([at, value]) => [Math.round((at - go) / 1e3) / 1e3, value] as const),
        };
      }
      return series;
    },
  };
}
