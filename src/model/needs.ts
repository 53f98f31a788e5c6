import { completeOf, sustainedOf, together } from './demand.ts';
import { forecast } from './forecast.ts';
import type { Forecast, Refused } from './interval.ts';
import type { Point } from './line.ts';
import type { LoadPoint } from './load-point.ts';

/** What so many players need of the stack, each with its interval: cores, bytes at their peak, and bytes a second to all of them. */
export interface Needs {
  readonly players: number;
  readonly cpuCores: Forecast | Refused;
  readonly memoryBytes: Forecast | Refused;
  readonly bytesToPlayers: Forecast | Refused;
}

/** The needs of a load, from runs that sustained smaller ones, or larger ones. */
export function needsOf(points: readonly LoadPoint[], players: number): Needs {
  const usable = sustainedOf(points);
  const of = (from: readonly LoadPoint[], figure: (point: LoadPoint) => number | null): Forecast | Refused =>
    forecast(
      from.flatMap((point): Point[] => {
        const y = figure(point);
        return y === null ? [] : [[point.players, y]];
      }),
      players,
    );
  return {
    players,
    cpuCores: of(completeOf(usable), cpuCoresOf),
    memoryBytes: of(usable, memoryBytesOf),
    bytesToPlayers: of(usable, bytesToPlayersOf),
  };
}

export const cpuCoresOf = ({ cpuCores }: LoadPoint): number | null => together(cpuCores);
export const memoryBytesOf = ({ memoryBytes }: LoadPoint): number | null => together(memoryBytes);
/** A second, of all players together. */
export const bytesToPlayersOf = ({ bytesToPlayer, players }: LoadPoint): number | null =>
  bytesToPlayer === null ? null : bytesToPlayer * players;
