import { accessOf, type Reachable } from '../../address/access.ts';
import { interrupted, stackFailed } from '../../errors.ts';
import { edgeOf } from '../../load/fleet/deal.ts';
import type { FleetWorld, Range } from '../../load/fleet/messages.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { Endpoints, WorldEndpoint } from '../../stack/stack.ts';
import { askHealth, type WorldHealth } from './health.ts';
import { fluxWorkload } from './workload.ts';

/** A world server as the workers reach it, with the monsters that it owns, by index. */
export interface FluxWorld extends FleetWorld {
  readonly monsters: Range;
  /** Where their commands are posted, since players connect to a proxy; absent: where players connect. */
  readonly commands?: Reachable;
}

/** A world server and its health. */
interface KnownWorld {
  readonly endpoint: WorldEndpoint;
  readonly health: WorldHealth;
}

/**
 * Asks the servers which entities they own; players connect through the edge proxy where there is one.
 * @throws CapbenchError: 93 when one does not answer or they do not hold the workload's world, 105 when aborted
 */
export async function dealWorlds(
  at: Endpoints,
  workload: Workload,
  signal: AbortSignal,
): Promise<readonly FluxWorld[]> {
  try {
    const known = at.worlds.map(async (endpoint) => ({
      endpoint,
      health: await askHealth(endpoint, signal),
    }));
    const worlds = fluxWorlds(await Promise.all(known), workload);
    const edge = edgeOf(at);
    return edge === null ? worlds : worlds.map((world) => behind(edge, world));
  } catch (thrown) {
    if (signal.aborted) throw interrupted('stopped before the players connected');
    throw thrown;
  }
}

/** Its players connect to the proxy, each from an address of its own; commands are posted to the server itself. */
const behind = (edge: Reachable, world: FluxWorld): FluxWorld => ({
  ...{ ...edge, players: world.players, monsters: world.monsters, sources: 'per-group' },
  commands: { url: world.url, ...accessOf(world) },
});

/**
 * Which server owns which entities, by their health.
 * @throws CapbenchError (93) when they do not hold the workload's world, each entity once
 */
export function fluxWorlds(known: readonly KnownWorld[], workload: Workload): FluxWorld[] {
  const { monsters } = fluxWorkload(workload);
  const entities = { players: workload.players, monsters };
  const worlds = known.map(({ endpoint, health }) => {
    if (health.playersTotal !== entities.players || health.monstersTotal !== entities.monsters) {
      throw stackFailed(
        `${endpoint.url} serves a world of ${health.playersTotal} players and ${health.monstersTotal} monsters, expected the scenario's ${entities.players} and ${entities.monsters}`,
        'Start the world for this scenario and scale (capbench serve <scenario> --scale F), or run with the scale it was started with.',
      );
    }
    const { from, to } = health.monsters;
    return {
      url: endpoint.url,
      ...accessOf(endpoint),
      players: health.players,
      monsters: { from: from - health.playersTotal, to: to - health.playersTotal },
    };
  });
  for (const kind of ['players', 'monsters'] as const) {
    const ranges = worlds.map((world) => world[kind]).sort((a, b) => a.from - b.from || a.to - b.to);
    let covered = 0;
    for (const { from, to } of ranges) covered = from === covered && to >= from ? to : Number.NaN;
    if (covered !== entities[kind]) {
      throw stackFailed(
        `the world servers own ${ranges.map(({ from, to }) => `${from}..${to}`).join(', ')} of ${entities[kind]} ${kind}, expected each exactly once`,
        'Name every server of one world, each once (--target).',
      );
    }
  }
  return worlds;
}
