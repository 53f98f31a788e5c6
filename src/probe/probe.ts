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

/** Something that is watched meanwhile: once a second, and where the measure phase and its stages begin and end. */
export interface Probe {
  readonly name: string;
  /**
   * Rejects when it got no data; that second is then a gap, and is counted.
   * @param isBoundary the measure phase or a stage begins or ends now: what is kept of a long run keeps this reading
   */
  sample(isBoundary?: boolean): Promise<readonly Sample[]>;
  /**
   * Histograms that it keeps, by name: counts per bucket (not cumulative) from one moment to another, null where it has
   * not two readings of one. Absent: it keeps none.
   */
  buckets?(from: Micros, to: Micros): Readonly<Record<string, BucketCounts | null>>;
  close(): Promise<void>;
}

/** The same probe, that is not asked any more once it is closed: whoever asks then gets no data. */
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

/** Bytes, operations and seconds of a run are far below; sums of such numbers are exact enough, and finite. */
const LARGEST = 1e18;

/** Neither NaN nor infinite, nor beyond all that anything counts: what else was read is no data. */
export const isFigure = (value: number): boolean => Math.abs(value) <= LARGEST;

/** Why a part of the report has no figures. */
export interface Absence {
  /** A path in report.json; what is below it is meant too: `database`, `database.walBytesPerSecond`. */
  readonly of: string;
  readonly because: string;
  /** It could have been read; nothing happened that it would be a figure of. */
  readonly event?: true | undefined;
}

/** A probe of something that somebody else runs, which may tell less than is asked. */
export interface PartialProbe {
  /** What it never told, and why. */
  absences(): readonly Absence[];
}
