import type { K6System } from '../../../load/k6/k6-system.ts';
import { lanesOf } from '../monsters/lanes.ts';
import { fluxWorkload, INTENT, operationOf } from '../workload.ts';
import { LANE_SOURCE } from './lane.ts';
import { plannedUntil } from './planned.ts';
import { PLAYER_SOURCE } from './player.ts';
import { FLUX_SCHEDULE_SOURCE } from './schedule.ts';
import { WORLDS_SOURCE } from './worlds.ts';

/** The flux world under k6: a virtual user for each block of players, and one for each lane of monsters. */
export const fluxK6: K6System = {
  source: `${FLUX_SCHEDULE_SOURCE}${PLAYER_SOURCE}${LANE_SOURCE}${WORLDS_SOURCE}`,
  config: (workload) => {
    const { monsters, postRate } = fluxWorkload(workload);
    return {
      intentsPerSecondOfAPlayer: operationOf(workload, INTENT).perSecond / workload.players,
      lanes: lanesOf(monsters),
      postsPerSecond: postRate,
    };
  },
  origin: (workload) => {
    const { monsters, commandsPerPost } = fluxWorkload(workload);
    return { monsters, commandsPerPost };
  },
  others: (workload) => {
    const { monsters, postRate } = fluxWorkload(workload);
    if (postRate === 0 || monsters === 0) return null;
    return {
      ...{ scenario: 'monsters', exec: 'lane', key: 'lanes' },
      ...{ count: lanesOf(monsters), label: 'lanes of monsters' },
    };
  },
  perSample: (workload) => ({ intent: 1, monsterCommand: fluxWorkload(workload).commandsPerPost }),
  plannedUntil,
};
