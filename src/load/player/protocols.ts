import { accessOf } from '../../address/access.ts';
import { FluxVoice } from '../../systems/flux/player.ts';
import { JsonVoice } from '../../systems/own/json.ts';
import type { Complaints } from '../complaints.ts';
import type { WorkerSetup } from '../fleet/messages.ts';
import { watchOtherDials } from '../own-dial.ts';
import type { Protocol, Route } from './connection.ts';
import { SocketProtocol } from './socket-protocol.ts';

/** What every protocol is opened with. */
export interface ProtocolTools {
  /** Ids of the worker's players. */
  readonly ids: Int32Array;
  readonly complaints: Complaints;
  /** Microseconds after GO. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/**
 * How the players of this worker talk. What only some of them need is loaded for those alone.
 * @throws an Error that names the user's module, where there is one and it cannot be loaded
 */
export async function openProtocol(setup: WorkerSetup, tools: ProtocolTools): Promise<Protocol> {
  const { seed, players, outstanding, timeout, playing } = setup.workload;
  const { ids, complaints } = tools;
  const route = (player: number): Route => routeOf(setup, ids, player);
  switch (playing?.protocol) {
    case undefined:
      return new SocketProtocol({ ids, voice: new FluxVoice(seed, ids), route, complaints });
    case 'json':
      return new SocketProtocol({ ids, voice: new JsonVoice(playing, seed, ids), route, complaints });
    case 'http': {
      const { HttpProtocol } = await import('../../systems/own/http.ts');
      return new HttpProtocol({ players: playing, seed, ids, outstanding, timeout, route, complaints });
    }
    case 'module': {
      if (setup.module === null) throw new Error(`nobody says where the player module ${playing.module} is`);
      const [{ ModuleProtocol }, { loadModule }] = await Promise.all([
        import('../../systems/own/module.ts'),
        import('../../systems/own/module-file.ts'),
      ]);
      // Before the module runs: it may connect while it is loaded.
      let others = false;
      let seen = (): void => {
        others = true;
      };
      watchOtherDials(() => seen());
      const module = await loadModule(setup.module);
      const urls = setup.worlds.map(({ url }) => url);
      return new ModuleProtocol({ ...tools, module, seed, players, urls, route }, (listener) => {
        seen = listener;
        if (others) listener();
      });
    }
  }
}

function routeOf({ worlds, sources, sourceOf }: WorkerSetup, ids: Int32Array, player: number): Route {
  const id = ids[player]!;
  const world = worlds.find(({ players }) => id >= players.from && id < players.to);
  if (world === undefined) throw new Error(`player ${id} belongs to no world server`);
  const source = sourceOf[player]!;
  return {
    url: world.url,
    ...accessOf(world),
    source: source === 0 ? null : (sources[source - 1] ?? null),
  };
}
