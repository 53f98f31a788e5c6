import type { Session } from '../../player.d.ts';
import { routesOf } from '../fleet/deal.ts';
import type { WorkerSetup } from '../fleet/messages.ts';
import type { Protocol } from '../player/connection.ts';
import { PlayerSockets } from '../player/player-sockets.ts';
import { watchDials } from '../player/watched-dials.ts';
import type { SourceTools } from '../source.ts';
import { ModuleProtocol } from './module-protocol.ts';
import { codeOfWorld, type WorldModule } from './player-code.ts';
import { startOfLoad } from './start-of-load.ts';

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
  const { seed, players, group = 1, operations, pace = 1 } = setup.workload;
  const sockets = new PlayerSockets();
  // Asked once for all players of the worker.
  let started: Promise<void> | undefined;
  const loadStarted = (): Promise<void> => {
    started ??= startOfLoad(tools.now);
    return started;
  };
  return new ModuleProtocol({
    ...{ ...tools, ids, seed, players, group, operations, sockets, client: {}, env: {}, prepared: null },
    ...{ code: codeOfWorld(module), world: { pace, loadStarted } },
    ...{ dials: watchDials(setup.worlds, sockets), route: routesOf(setup, ids) },
    urls: setup.worlds.map(({ url }) => url),
  });
}
