import type { Micros } from '../units.ts';
import type { BucketCounts } from './bucket-history.ts';

/**
 * One reading. A `counter` only grows (rates are taken from its differences), a `gauge` is the value now.
 * The names of the general series are listed in measurement/measurements.ts; a system's own begin with the name of its probe.
 */
export interface Sample {
  readonly series: string;
  readonly kind: 'counter' | 'gauge';
  readonly value: number;
}

/** Takes a reading once a second, and where the measure phase and its stages begin and end. */
export interface Probe {
  readonly name: string;
  /**
   * Rejects without data; that second is then counted as a gap.
   * @param isBoundary the measure phase or a stage begins or ends now: this reading is never dropped from a long run
   */
  sample(isBoundary?: boolean): Promise<readonly Sample[]>;
  /**
   * Its histograms by name: counts per bucket (not cumulative) between two instants; null for one with fewer than two
   * readings. Absent: it has none.
   */
  buckets?(from: Micros, to: Micros): Readonly<Record<string, BucketCounts | null>>;
  close(): Promise<void>;
}

/** The same probe, whose `sample` rejects once it is closed. */
export function untilClosed(probe: Probe): Probe {
  let closed: Promise<void> | undefined;
  return {
    ...probe,
    async sample(isBoundary) {
      if (closed !== undefined) throw new Error(`the probe ${probe.name} is closed`);
      return probe.sample(isBoundary);
    },
    close() {
      closed ??= probe.close();
      return closed;
    },
  };
}

/** Far above the bytes, operations and seconds of any run, and small enough that sums stay finite. */
const LARGEST = 1e18;

/** Whether a value is usable: not NaN, not infinite and not absurdly large. */
export const isFigure = (value: number): boolean => Math.abs(value) <= LARGEST;

/** Why a part of the report has no figures. */
export interface Absence {
  /** A path in report.json, including everything below it: `database`, `database.walBytesPerSecond`. */
  readonly of: string;
  readonly because: string;
  /** It was readable, but no event occurred that the figure would measure. */
  readonly event?: true | undefined;
}

/** A probe of a target's component, which may provide fewer figures than requested. */
export interface PartialProbe {
  /** The figures that no reading had, and why. */
  absences(): readonly Absence[];
}
