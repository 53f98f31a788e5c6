import { newRoom, play } from './game.ts';
import { counted, type PlayerState } from './player-state.ts';

/** The state with a command on top, as it is kept in PostgreSQL while Redis is away. */
export const playedAway = (state: PlayerState, number: number, command: string): PlayerState => ({
  ...counted(state, number),
  outage: [...state.outage, [number, command]],
});

/**
 * Redis has a state, and it is not older than what the row had before Redis went away: one that comes back with an old copy of
 * its data is.
 */
export const isCurrent = (inRedis: PlayerState | null, row: PlayerState): inRedis is PlayerState =>
  inRedis !== null && inRedis.appliedN >= row.appliedN - row.outage.length;

/**
 * A player's state once Redis is back. Redis may have numbers that the row lacks (it was stopped, or keeps a log), and the row
 * those that were played meanwhile: these are played again on top. Without a current state in Redis, the row is all there is.
 */
export function reunited(
  player: number,
  inRedis: PlayerState | null,
  row: PlayerState,
  rooms: number,
): PlayerState {
  if (!isCurrent(inRedis, row)) return { ...row, outage: [] };
  return row.outage
    .filter(([number]) => number > inRedis.lastSeq)
    .reduce((state, [number, command]) => {
      const scene = { room: newRoom(state.room), present: [], rooms };
      // Rooms have no copy, so what was taken then is taken from a room as it was at first.
      return counted(play(player, command, state, scene).state, number);
    }, inRedis);
}
