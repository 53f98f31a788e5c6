import { type Finding, found } from './finding.ts';
import type { Players } from './players.ts';
import type { Load, WorldSettings } from './scenario.ts';

/** The world that the numbers of a scenario have to fit; undefined where only a target is asked, which is not ours. */
export const worldFor = (
  players: Players | undefined,
  world: WorldSettings | undefined,
): WorldSettings | undefined => (players === undefined || players.protocol === 'module' ? world : undefined);

/** What does not go together with players of one's own. */
export const playersCheck = (players: Players | undefined, load: Load): readonly Finding[] =>
  players === undefined || load.monsterCommandsPerSecond === 0
    ? []
    : [
        found(
          ['load', 'monsterCommandsPerSecond'],
          `${load.monsterCommandsPerSecond} is there, expected 0: monster commands are of the flux world, and its players, too`,
          'monsterCommandsPerSecond: 0, or no players: of its own',
        ),
      ];
