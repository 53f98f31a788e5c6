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
  /** The function, which the system's part of the script exports. */
  readonly exec: string;
  /** How many there are, and the key of CONFIG that holds it. */
  readonly count: number;
  readonly key: string;
  /** In sentences, of several. */
  readonly label: string;
}

/**
 * A system as k6 drives it: what is known outside of the script about the system's part of it, systems/<system>/k6/script/.
 * That exports `players` for the virtual users that play, and the function of the others.
 */
export interface K6System {
  /** Keys of CONFIG beside those of every script. */
  config(workload: Workload): Readonly<Record<string, number>>;
  /** Further keys of CONFIG, which a summary repeats. */
  origin(workload: Workload): Readonly<Record<string, number>>;
  /** Null where only players act. */
  others(workload: Workload): K6Others | null;
  /** Operations of each kind that go in one request, which is one value of a trend. */
  perRequest(workload: Workload): PerOperation<number>;
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
