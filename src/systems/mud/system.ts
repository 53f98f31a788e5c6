import { dealThroughEdge } from '../../load/fleet/deal.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { mudFigures } from './figures.ts';
import { openInstanceProbe } from './probe.ts';
import { mudScenario } from './scenario.ts';
import { mudComponents, mudSettings } from './stack.ts';
import { openStoreProbe } from './store-probe.ts';
import { openVerification } from './verify.ts';

/** The text game: stateless instances over one Redis, whose states are saved to PostgreSQL every few seconds. */
export const mud: System = {
  name: 'mud',
  scenario: mudScenario,
  figures: mudFigures,
  workerModule: () => bundleFile('mud-worker'),
  components: mudComponents,
  settings: mudSettings,
  deal: dealThroughEdge,
  probes: ({ worlds, addresses }) => [
    ...worlds.map((world, index) => openInstanceProbe(world, index + 1)),
    ...(addresses?.redis === undefined ? [] : [openStoreProbe(addresses.redis)]),
  ],
  openVerification,
  nullServers: (_workload, servers, token) =>
    Array.from({ length: servers }, (_, i) => ({
      ...{ name: `null-mud-${i + 1}`, module: bundleFile('mud-null'), env: { TOKEN: token } },
    })),
};
