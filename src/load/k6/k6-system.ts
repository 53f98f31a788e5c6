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

/** Beyond players / connects a second: the virtual users start, the servers are asked, the last ones are welcomed. */
const CONNECT_SPARE_SECONDS = 5;
/** What k6 needs of a core to start a virtual user and to connect it. */
const CONNECT_SECONDS_PER_PLAYER = 0.004;

/**
 * A virtual user is a whole JavaScript engine, some 0.7 MB, which the garbage collector visits over and over: players
 * share one. There are enough of them for many processors, and for many processes to have equal shares.
 */
const USERS_AIMED_AT = 40;
const MOST_PLAYERS_PER_USER = 50;
export const playersPerUserOf = ({ players }: Workload): number =>
  Math.min(Math.max(1, Math.ceil(players / USERS_AIMED_AT)), MOST_PLAYERS_PER_USER);

/** Virtual users that play. */
export const playerUsersOf = (workload: Workload): number =>
  Math.ceil(workload.players / playersPerUserOf(workload));

/** From the first connection to GO. */
export const connectSecondsOf = ({ players, connectsPerSecond }: Workload): number =>
  Math.ceil(players / connectsPerSecond + CONNECT_SECONDS_PER_PLAYER * players) + CONNECT_SPARE_SECONDS;
