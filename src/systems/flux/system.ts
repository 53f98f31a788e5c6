import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { fluxK6 } from './k6/system.ts';
import { fluxScenario } from './scenario.ts';

/** 20,000 players and 75,000 monsters in one world, each batch of whose changes is one durable UPDATE. */
export const flux: System = {
  name: 'flux',
  scenario: fluxScenario,
  workerSide: () => bundleFile('flux-side'),
  engines: { k6: fluxK6 },
};
