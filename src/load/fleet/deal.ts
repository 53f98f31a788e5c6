import { accessOf, type Reachable } from '../../address/access.ts';
import { stackFailed } from '../../errors.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { Endpoints } from '../../stack/stack.ts';
import type { ConnectionPlan } from '../limits.ts';
import type { Route } from '../player/connection.ts';
import type { FleetWorld, WorkerSetup } from './messages.ts';

/**
 * Decides which server gets which players.
 * @throws CapbenchError (93) when the servers do not hold the workload, 105 when aborted
 */
export type Deal = (at: Endpoints, workload: Workload, signal: AbortSignal) => Promise<readonly FleetWorld[]>;

/** Deals the players evenly, in the order of the servers, and each group to one of them. */
export const dealEvenly: Deal = async ({ worlds }, { players, group = 1 }) => {
  const groups = Math.ceil(players / group);
  const upTo = (servers: number): number =>
    Math.min(players, group * Math.floor((servers * groups) / worlds.length));
  return worlds.map((world, index) => ({
    url: world.url,
    ...accessOf(world),
    players: { from: upTo(index), to: upTo(index + 1) },
  }));
};

/**
 * Deals all players to the edge proxy in front of the servers, each group from an address of its own, since the proxy may
 * choose a server by the address; without an edge, evenly to the servers.
 */
export const dealThroughEdge: Deal = async (at, workload, signal) => {
  const edge = edgeOf(at);
  if (edge === null) return dealEvenly(at, workload, signal);
  return [{ ...edge, players: { from: 0, to: workload.players }, sources: 'per-group' }];
};

/** The edge proxy as players reach it; null where the stack has none. */
export function edgeOf({ addresses, worlds }: Endpoints): Reachable | null {
  if (addresses?.edge === undefined) return null;
  const { edge: url, edgeCa: ca } = addresses;
  // The servers require the token, and the proxy hands it on.
  const [server] = worlds;
  return { url, ...(server === undefined ? {} : accessOf(server)), ...(ca === undefined ? {} : { ca }) };
}

/** @throws CapbenchError (93) when two servers share the players of a group */
export function requireWholeGroups(
  worlds: readonly FleetWorld[],
  { players, group = 1 }: Pick<Workload, 'players' | 'group'>,
): void {
  for (const { url, players: own } of worlds) {
    if (own.to === players || own.to % group === 0 || own.from === own.to) continue;
    const first = own.to - (own.to % group);
    throw stackFailed(
      `the players ${first} to ${Math.min(players, first + group) - 1} are one group, and ${url} has only those up to ${own.to - 1}`,
      'players.group has to divide the number of players of each server.',
    );
  }
}

/**
 * The source address of each player: 0 for the operating system's choice, else 1 + index in the plan's sources. The plan says
 * how many players of each server are not bound; the others fill the sources one after another. Where each group has a source
 * of its own, all are bound.
 */
export function dealSources(
  worlds: readonly FleetWorld[],
  plan: ConnectionPlan,
  { players, group = 1 }: Pick<Workload, 'players' | 'group'>,
): Uint16Array {
  const sourceOf = new Uint16Array(players);
  if (plan.perGroup) {
    for (let player = 0; player < players; player++)
      sourceOf[player] = 1 + (Math.floor(player / group) % plan.sources.length);
    return sourceOf;
  }
  let bound = 0;
  for (const [index, world] of worlds.entries()) {
    const first = world.players.from + (plan.unbound[index] ?? 0);
    for (let player = first; player < world.players.to; player++) {
      sourceOf[player] = 1 + Math.floor(bound / plan.portsPerSource);
      bound += 1;
    }
  }
  return sourceOf;
}

/** The route of each of a worker's players; `ids` are the entities, `player` the number within the worker. */
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
