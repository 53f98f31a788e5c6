import { isIP } from 'node:net';
import type { Access, Reachable } from '../address/access.ts';
import type { Target } from '../address/target-address.ts';
import { stackFailed } from '../errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { askHealth, isNobodyThere } from './health.ts';
import type { Stack, WorldHealth } from './stack.ts';
import { type AttachOptions, targetStack } from './target-stack.ts';

/** A stack that somebody else started. */
export interface TargetStack extends Stack {
  readonly kind: 'target';
  /** What each world server says of itself, in the order of the instances. */
  readonly health: readonly WorldHealth[];
}

interface Found extends Reachable {
  readonly health: WorldHealth;
}

/**
 * Attaches to these world servers, one for each instance of one whole world, in any order. Rejects with exit code
 * 93 when one cannot be reached or they form no whole world, 105 when aborted. Closing leaves them as they are.
 */
export async function attachTargets(
  targets: readonly Target[],
  options: AttachOptions,
): Promise<TargetStack> {
  const { access = {}, signal } = options;
  const finding = Promise.all(targets.map((target) => find(target, access, signal))).then(wholeWorld);
  const worlds = finding.then((found) => found.map(({ health, ...world }) => ({ ...world, pid: null })));
  const stack = await targetStack(
    worlds.then((all) => ({ worlds: all })),
    askHealth,
    options,
  );
  return { ...stack, kind: 'target', health: (await finding).map(({ health }) => health) };
}

/**
 * The world that a scenario is about, beside its entities: those are compared where they are dealt out.
 * @throws CapbenchError (93) where a server says that it is another one
 */
export function requireWorld(
  { health, endpoints }: TargetStack,
  { system, world }: Pick<Scenario, 'system' | 'world'>,
): void {
  for (const [index, said] of health.entries()) {
    const url = endpoints.worlds[index]?.url;
    if (said.world !== system) {
      throw stackFailed(
        `${url} is a server of the world ${said.world}, the scenario's is ${system}`,
        'name the servers of that world, or the scenario of this one',
      );
    }
    if (said.rowShape !== world.rowShape) {
      throw stackFailed(
        `${url} writes rows as ${said.rowShape}, the scenario says world.rowShape: ${world.rowShape}; what a row write costs differs many times over`,
        `start the world with the scenario's row shape${otherShape(said.rowShape)}`,
      );
    }
  }
}

const otherShape = (said: string): string =>
  said === 'columns' || said === 'jsonb' ? `, or run with the one it has: --set world.rowShape=${said}` : '';

/** A name may have several addresses (`localhost`: IPv6 and IPv4); the first that answers well is taken. */
async function find(
  { url, host, addresses }: Target,
  access: Omit<Access, 'address'>,
  signal: AbortSignal,
): Promise<Found> {
  const attempts = await Promise.allSettled(
    addresses.map(async (address): Promise<Found> => {
      const world = { url, ...access, ...(isIP(host) === 0 ? { address } : {}) };
      return { ...world, health: await askHealth(world, signal) };
    }),
  );
  const reasons: unknown[] = [];
  for (const attempt of attempts) {
    if (attempt.status === 'fulfilled') return attempt.value;
    reasons.push(attempt.reason);
  }
  // Somebody who answers badly says more than nobody at the other address.
  throw reasons.find((reason) => !isNobodyThere(reason)) ?? reasons[0];
}

/** The instances 1..n, each once, of one world. Throws exit code 93. */
function wholeWorld(found: readonly Found[]): readonly Found[] {
  const [first] = found;
  if (first === undefined) return [];
  const { instances } = first.health;
  const byInstance = new Map<number, Found>();
  for (const each of found) {
    const { health, url } = each;
    if (fingerprint(health) !== fingerprint(first.health)) {
      throw stackFailed(
        `${url} and ${first.url} belong to different worlds: ${fingerprint(health)}, and ${fingerprint(first.health)}`,
        'name the world servers of one world only',
      );
    }
    const other = byInstance.get(health.instance);
    if (other !== undefined) {
      throw stackFailed(
        `${other.url} and ${url} are both instance ${health.instance} of ${instances}`,
        'name each world server once, and not a proxy in front of several',
      );
    }
    byInstance.set(health.instance, each);
  }
  const missing = Array.from({ length: instances }, (_, index) => index + 1).filter(
    (it) => !byInstance.has(it),
  );
  if (missing.length > 0) {
    throw stackFailed(
      `the world at ${first.url} has ${instances} world servers, and instance ${named(missing)} is not among the targets`,
      'give one --target for each of them',
    );
  }
  const inOrder = [...byInstance.values()].sort((a, b) => a.health.instance - b.health.instance);
  const { playersTotal, monstersTotal } = first.health;
  for (const [entities, from, to] of [
    ['players', 0, playersTotal],
    ['monsters', playersTotal, playersTotal + monstersTotal],
  ] as const) {
    const end = inOrder.reduce(
      (at, { health }) => (health[entities].from === at ? health[entities].to : -1),
      from,
    );
    if (end !== to) {
      throw stackFailed(
        `the world servers of ${first.url} do not own all ${entities} ${from} to ${to - 1} once: ${inOrder
          .map(({ url, health }) => `${url} owns ${health[entities].from} to ${health[entities].to - 1}`)
          .join(', ')}`,
        'start the world servers with the same numbers of players and monsters',
      );
    }
  }
  return inOrder;
}

const fingerprint = ({ world, instances, playersTotal, monstersTotal, rowShape }: WorldHealth): string =>
  `${world}, ${instances} servers, ${playersTotal} players, ${monstersTotal} monsters, rows as ${rowShape}`;

const MOST_NAMED = 5;

/** `2, 3, 4, 5, 6 and 994 more`. */
const named = (instances: readonly number[]): string =>
  instances.length <= MOST_NAMED
    ? instances.join(', ')
    : `${instances.slice(0, MOST_NAMED).join(', ')} and ${instances.length - MOST_NAMED} more`;
