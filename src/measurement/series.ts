import { isFigure, type Sample } from '../probe/probe.ts';
import type { Micros } from '../units.ts';
import type { Series } from './measurements.ts';

/**
 * Points of one series, at most: four hours of a point a second, 48 minutes of slices. A longer run keeps every
 * second one, every fourth, and so on, so that neither its memory nor its bundle grow for ever.
 */
export const MOST_POINTS = 14_400;
/** The worse of two gauge values is kept; for these gauges higher is better. */
const HIGHER_IS_BETTER = /(^load\.connected|\.connections|\.memoryAvailableBytes)$/;
/** The count of answers in each slice, which is averaged. */
const MEAN = /\.slice\.answered$/;

/** The earlier value stands for `weight` times as many points as the later one. */
type Merge = (earlier: number, later: number, weight: number) => number;
/** How two adjacent points are merged. A counter loses nothing, since its later value includes the earlier one. */
function mergeOf(series: string, kind: Sample['kind']): Merge {
  if (kind === 'counter') return (_earlier, later) => later;
  if (MEAN.test(series)) return (earlier, later, weight) => (earlier * weight + later) / (weight + 1);
  return HIGHER_IS_BETTER.test(series) ? Math.min : Math.max;
}

class ThinningSeries {
  readonly kind: Sample['kind'];
  /** How many added points one kept point stands for; a power of two. */
  thinned = 1;
  private readonly merge: Merge;
  private at: number[] = [];
  private values: number[] = [];
  /** How many added points the last kept point stands for so far. */
  private filled = 0;
  private readonly most: number;

  constructor(series: string, kind: Sample['kind'], most: number) {
    this.kind = kind;
    this.most = most;
    this.merge = mergeOf(series, kind);
  }

  add(at: number, value: number): void {
    if (this.filled > 0 && this.filled < this.thinned) {
      const last = this.at.length - 1;
      this.at[last] = at;
      this.values[last] = this.merge(this.values[last] ?? value, value, this.filled);
      this.filled += 1;
      return;
    }
    if (this.at.length >= this.most) this.halve();
    this.at.push(at);
    this.values.push(value);
    this.filled = 1;
  }

  /** Their number is even, and the last one is full. */
  private halve(): void {
    this.at = this.at.filter((_, i) => i % 2 === 1);
    this.values = this.at.map((_, i) =>
      this.merge(this.values[2 * i] ?? Number.NaN, this.values[2 * i + 1] ?? Number.NaN, 1),
    );
    this.thinned *= 2;
  }

  close(go: Micros): Series {
    const points = this.at.map(
      (at, i) => [Math.round((at - go) / 1e3) / 1e3, this.values[i] ?? Number.NaN] as const,
    );
    return { kind: this.kind, points, ...(this.thinned === 1 ? {} : { thinned: this.thinned }) };
  }
}

/**
 * Collects samples while a run goes on; `close` converts the times to seconds after GO.
 * @param most points of a series; an even number
 */
export function openSeriesRecorder(most = MOST_POINTS) {
  const kept = new Map<string, ThinningSeries>();
  return {
    /** @param at on the host's monotonic clock. */
    add(at: Micros, samples: readonly Sample[]): void {
      for (const { series, kind, value } of samples) {
        // An unusable value leaves a gap.
        if (!isFigure(value)) continue;
        const entry = kept.get(series) ?? new ThinningSeries(series, kind, most);
        entry.add(at, value);
        kept.set(series, entry);
      }
    },
    /** @param go on the same clock; what was sampled before has negative times. */
    close: (go: Micros): Record<string, Series> =>
      Object.fromEntries([...kept].map(([name, series]) => [name, series.close(go)])),
  };
}

/** The host's probe also provides the servers' waits and PostgreSQL's CPU and memory. */
const PROBES: readonly (readonly [series: RegExp, probe: (of: string) => string])[] = [
  [/^world\.(\d+)\.(?!waitedSeconds$)/, (number) => `world-${number}`],
  [/^metrics\.(\d+)\./, (number) => `metrics-${number}`],
  [/^postgres\.(?!(?:cpuSeconds|waitedSeconds|memoryBytes)$)/, () => 'postgres'],
  [/^redis\./, () => 'redis'],
  [/^limits\./, () => 'limits'],
  [/^process\.([^.]+)\./, (name) => `process-${name}`],
  [/^(?:host|runner|world\.\d+|postgres)\./, () => 'host'],
];

/** The name of the probe that provides a series; null for the load's own series. */
export function probeOf(series: string): string | null {
  for (const [names, probe] of PROBES) {
    const match = names.exec(series);
    if (match !== null) return probe(match[1] ?? '');
  }
  return null;
}
