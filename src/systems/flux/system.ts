import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { attachWorld, isAnyWorld } from './attach.ts';
import { whyNotAutocannon } from './autocannon/refusal.ts';
import { measureCeilings } from './ceilings.ts';
import { dealWorlds } from './deal.ts';
import { fluxFigures } from './figures.ts';
import { fluxK6 } from './k6/system.ts';
import { openWorldProbe } from './probe.ts';
import { fluxScenario } from './scenario.ts';
import { fluxComponents, fluxSettings } from './stack.ts';
import { openVerification } from './verify.ts';
import { fluxWorkload } from './workload.ts';

/** The flux world: players and monsters in places, whose changes are written in durable batches. */
export const flux: System = {
  name: 'flux',
  scenario: fluxScenario,
  figures: fluxFigures,
  workerModule: () => bundleFile('flux-worker'),
  components: fluxComponents,
  settings: fluxSettings,
  recognises: isAnyWorld,
  attach: attachWorld,
  deal: dealWorlds,
  probes: ({ worlds }) => worlds.map((world, index) => openWorldProbe(world, index + 1)),
  openVerification,
  measureCeilings,
  nullServers: (workload, servers, token) =>
    Array.from({ length: servers }, (_, i) => ({
      name: `null-world-${i + 1}`,
      module: bundleFile('flux-null'),
      env: {
        ...{ INSTANCE_ID: String(i + 1), INSTANCES: String(servers), TOKEN: token },
        ...{ PLAYERS: String(workload.players), MONSTERS: String(fluxWorkload(workload).monsters) },
      },
    })),
  engines: { k6: fluxK6, autocannon: whyNotAutocannon },
};
