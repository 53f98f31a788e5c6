import { type ConnectionPlan, type Destination, type HostLimits, planConnections } from '../limits.ts';

/**
 * The connections of a run whose workers are at agents: as many workers on each, and so an equal part of the players. Only
 * groups that need an address of their own are bound to sources.
 * @throws CapbenchError (93) where one agent cannot hold its part
 */
export function planAgents(
  destinations: readonly Destination[],
  requested: number | null,
  agents: readonly HostLimits[],
): ConnectionPlan {
  const grouped = destinations.some(({ groups }) => groups !== undefined);
  const share = destinations.map((one) => ({ ...one, players: Math.ceil(one.players / agents.length) }));
  const plansFor = (workers: number | null): readonly ConnectionPlan[] =>
    agents.map((own) =>
      planConnections(share, workers, { ...own, loopbackAliases: grouped && own.loopbackAliases }),
    );
  const each = requested ?? Math.max(...plansFor(null).map(({ workers }) => workers));
  const [plan] = plansFor(each);
  if (plan === undefined) throw new Error('there is no agent');
  return { ...plan, workers: each * agents.length };
}
