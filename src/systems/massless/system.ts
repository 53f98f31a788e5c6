import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { masslessFigures } from './figures.ts';
import { openZoneProbe } from './probe.ts';
import { masslessScenario } from './scenario.ts';
import { masslessComponents, masslessSettings } from './stack.ts';
import { openStoreProbe } from './store-probe.ts';
import { openVerification } from './verify.ts';
import { masslessWorkload } from './workload.ts';

/** Zones of a world, each a Colyseus room: places in memory and saved now and then, trades committed at once. */
export const massless: System = {
  name: 'massless',
  scenario: masslessScenario,
  figures: masslessFigures,
  workerModule: () => bundleFile('massless-worker'),
  components: masslessComponents,
  settings: masslessSettings,
  probes: ({ worlds, addresses, database }) => [
    ...worlds.map((world, index) => openZoneProbe(world, index + 1)),
    ...(addresses?.redis === undefined ? [] : [openStoreProbe(addresses.redis, database)]),
  ],
  openVerification,
  nullServers: (workload, servers, token) => {
    const { zoneSize, itemsPerCharacter, decodesOneOf, servers: ofZones } = masslessWorkload(workload);
    const env = {
      TOKEN: token,
      ZONE_SIZE: String(zoneSize),
      ITEMS_PER_CHARACTER: String(itemsPerCharacter),
      DECODES_ONE_OF: String(decodesOneOf),
      SERVERS: String(ofZones),
    };
    return Array.from({ length: servers }, (_, i) => ({
      ...{ name: `null-massless-${i + 1}`, module: bundleFile('massless-null'), env },
    }));
  },
};
