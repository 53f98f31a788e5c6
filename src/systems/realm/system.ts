import { dealThroughEdge } from '../../load/fleet/deal.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { realmFigures } from './figures.ts';
import { openHealthProbe, openWorldProbe } from './probe.ts';
import { realmScenario } from './scenario.ts';
import { realmComponents, realmSettings } from './stack.ts';
import { openVerification } from './verify.ts';

/** The realm: worlds of agents who walk, talk and think, each in one process, and a relay that keeps what they become. */
export const realm: System = {
  name: 'realm',
  scenario: realmScenario,
  figures: realmFigures,
  workerModule: () => bundleFile('realm-worker'),
  components: realmComponents,
  settings: realmSettings,
  deal: dealThroughEdge,
  probes: ({ worlds }) => [
    ...worlds.map((world, index) => openWorldProbe(world, index + 1)),
    openHealthProbe(worlds),
  ],
  openVerification,
  nullServers: (_workload, servers, token) =>
    Array.from({ length: servers }, (_, i) => ({
      ...{ name: `null-realm-${i + 1}`, module: bundleFile('realm-null'), env: { TOKEN: token } },
    })),
};
