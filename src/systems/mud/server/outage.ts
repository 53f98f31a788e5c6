import { newRoom, play } from './game.ts';
import { counted, type PlayerState } from './player-state.ts';

/** The state with a command on top, as it is kept in PostgreSQL while Redis is away. */
export const playedAway = (state: PlayerState, number: number, command: string): PlayerState => ({
  ...counted(state, number),
  outage: [...state.outage, [number, command]],
});

/**
 * A player's state once Redis is back. Redis may have numbers that the row lacks (it was stopped, or keeps a log), and the row
 * those that were played meanwhile: these are played again on top. Without a state in Redis, the row is all there is.
 */
export function reunited(
  player: number,
  inRedis: PlayerState | null,
  row: PlayerState,
  rooms: number,
): PlayerState {
  if (inRedis === null) return { ...row, outage: [] };
  return row.outage
    .filter(([number]) => number > inRedis.lastSeq)
    .reduce((state, [number, command]) => {
      const scene = { room: newRoom(state.room), present: [], rooms };
      // Rooms have no copy, so what was taken then is taken from a room as it was at first.
      return counted(play(player, command, state, scene).state, number);
    }, inRedis);
}
