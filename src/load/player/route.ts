import { accessOf } from '../../address/access.ts';
import type { WorkerSetup } from '../fleet/messages.ts';
import type { Route } from './connection.ts';

/** Where each of a worker's players connects to: `ids` are the entities, `player` counts within the worker. */
export const routesOf =
  ({ worlds, sources, sourceOf }: WorkerSetup, ids: Int32Array) =>
  (player: number): Route => {
    const id = ids[player]!;
    const world = worlds.find(({ players }) => id >= players.from && id < players.to);
    if (world === undefined) throw new Error(`player ${id} belongs to no server`);
    const source = sourceOf[player]!;
    return {
      url: world.url,
      ...accessOf(world),
      source: source === 0 ? null : (sources[source - 1] ?? null),
    };
  };
