import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { ownPlayersIn, ownScenario } from './scenario.ts';

const ownSide = {
  workerSide: () => bundleFile('own-side'),
};

/** A server of the user's own, that players of the user's own drive. */
export const own: System = {
  name: 'own',
  scenario: ownScenario,
  ...ownSide,
};

/** Players of the user's own in a world of ours, or in any server that is named as a target. */
export const ownOn = (world: System): System => ({
  ...world,
  scenario: ownPlayersIn(world.scenario),
  ...ownSide,
});
