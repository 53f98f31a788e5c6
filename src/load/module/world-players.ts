import type { Session } from '../../player.d.ts';
import { routesOf } from '../fleet/deal.ts';
import type { WorkerSetup } from '../fleet/messages.ts';
import type { Protocol } from '../player/connection.ts';
import { PlayerSockets } from '../player/player-sockets.ts';
import { watchDials } from '../player/watched-dials.ts';
import type { SourceTools } from '../source.ts';
import { ModuleProtocol } from './module-protocol.ts';
import { codeOfWorld, type WorldModule } from './player-code.ts';

/**
 * The protocol of a reference world's players, written like a player module: what its `worker.ts` returns from `openProtocol`.
 * They have no `prepare`, and no variables of the user's.
 */
export function worldPlayers<S extends Session>(
  setup: WorkerSetup,
  tools: SourceTools,
  ids: Int32Array,
  module: WorldModule<S>,
): Protocol {
  const { seed, players, group = 1, operations } = setup.workload;
  const sockets = new PlayerSockets();
  return new ModuleProtocol({
    ...{ ...tools, ids, seed, players, group, operations, sockets, client: {}, env: {}, prepared: null },
    ...{ code: codeOfWorld(module), dials: watchDials(setup.worlds, sockets) },
    ...{ route: routesOf(setup, ids), urls: setup.worlds.map(({ url }) => url) },
  });
}
