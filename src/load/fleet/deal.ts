import { accessOf } from '../../address/access.ts';
import { stackFailed } from '../../errors.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { WorldEndpoint, WorldHealth } from '../../stack/stack.ts';
import type { ConnectionPlan } from '../limits.ts';
import type { FleetWorld } from './messages.ts';

/** A world server and what it says of itself. */
export interface KnownWorld {
  readonly endpoint: WorldEndpoint;
  readonly health: WorldHealth;
}

/**
 * Who owns what, from what the servers say.
 * @throws CapbenchError (93) when they do not hold the workload's world, each entity once
 */
export function fleetWorlds(known: readonly KnownWorld[], workload: Workload): FleetWorld[] {
  const worlds = known.map(({ endpoint, health }) => {
    if (health.playersTotal !== workload.players || health.monstersTotal !== workload.monsters) {
      throw stackFailed(
        `${endpoint.url} serves a world of ${health.playersTotal} players and ${health.monstersTotal} monsters, the scenario loads ${workload.players} and ${workload.monsters}`,
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
    if (covered !== workload[kind]) {
      throw stackFailed(
        `the world servers own ${ranges.map(({ from, to }) => `${from}..${to}`).join(', ')} of ${workload[kind]} ${kind}: not each once`,
        'Name every server of one world, each once (--target).',
      );
    }
  }
  return worlds;
}

/** Servers that nothing is known of share the players evenly, in the order of their numbers. */
export const dealPlayers = (worlds: readonly WorldEndpoint[], players: number): FleetWorld[] =>
  worlds.map((world, index) => ({
    url: world.url,
    ...accessOf(world),
    players: {
      from: Math.floor((index * players) / worlds.length),
      to: Math.floor(((index + 1) * players) / worlds.length),
    },
    monsters: { from: 0, to: 0 },
  }));

/**
 * The source address of each player: 0 for the system's choice, else 1 + index in the plan's sources. A server's
 * first players are not bound, as many as the plan says; the others take the sources, each filled in turn.
 */
export function dealSources(
  worlds: readonly FleetWorld[],
  plan: ConnectionPlan,
  players: number,
): Uint8Array {
  const sourceOf = new Uint8Array(players);
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
