import type { Workload } from '../../scenario/workload.ts';

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
