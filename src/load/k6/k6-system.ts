import type { PerOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';

/** Operations due before an instant: in the whole run, and of those in the measure phase. */
export interface PlannedCounts {
  readonly whole: number;
  readonly measured: number;
}

/** Virtual users beside those that play: each runs one function, once. */
interface K6Others {
  /** k6's scenario of theirs. */
  readonly scenario: string;
  /** The function, which the system's source exports. */
  readonly exec: string;
  /** How many there are, and the key of CONFIG that holds it. */
  readonly count: number;
  readonly key: string;
  /** In sentences, of several. */
  readonly label: string;
}

/** A system as k6 drives it: its part of the script (export/k6/), and what is known of that part outside. */
export interface K6System {
  /**
   * JavaScript after that of every script (export/k6/source/), and with its names. It exports `players(data)` for the
   * users that play and the function of the others, and defines `worldsOf(urls)`: who owns what, for `data.worlds`.
   */
  readonly source: string;
  /** Keys of CONFIG beside those of every script. */
  config(workload: Workload): Readonly<Record<string, number>>;
  /** Further keys of CONFIG, which a summary says again. */
  origin(workload: Workload): Readonly<Record<string, number>>;
  /** Null where nobody acts beside the players. */
  others(workload: Workload): K6Others | null;
  /** Operations of each kind that one sample of a trend, and one of a rate, stands for. */
  perSample(workload: Workload): PerOperation<number>;
  /** What was due before an instant, in microseconds after GO. */
  plannedUntil(workload: Workload, instant: number): PerOperation<PlannedCounts>;
}
