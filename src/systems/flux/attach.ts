import type { Reachable } from '../../address/access.ts';
import type { Target } from '../../address/target-address.ts';
import { stackFailed } from '../../errors.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Stack } from '../../stack/stack.ts';
import { type AttachOptions, endpointsOf, firstThatAnswers, targetStack } from '../../stack/target-stack.ts';
import { askHealth, type WorldHealth } from './health.ts';
import { fluxWorld } from './scenario.ts';

interface Found extends Reachable {
  readonly health: WorldHealth;
}

/**
 * Attaches to world servers, which must be all instances of one world of the scenario's kind, in any order; deal.ts compares
 * the entities. Rejects with exit code 93 when one cannot be reached, an instance is missing, or the world is another one; 105
 * when aborted. Closing does not change them.
 */
export async function attachWorld(
  targets: readonly Target[],
  scenario: Pick<Scenario, 'system' | 'world'>,
  options: AttachOptions,
): Promise<Stack> {
  const { access = {}, signal } = options;
  const find = async (target: Target): Promise<Found> =>
    firstThatAnswers(target, access, async (world) => ({ ...world, health: await askHealth(world, signal) }));
  const finding = async () => {
    const found = wholeWorld(await Promise.all(targets.map(find)));
    for (const one of found) requireWorld(one, scenario);
    return { worlds: found.map(({ health, ...world }) => ({ ...world, pid: null })) };
  };
  return targetStack(finding(), askHealth, options);
}

/** Whether any of the targets identifies itself as a server of this world. */
export async function isAnyWorld(
  targets: readonly Target[],
  { access, signal }: AttachOptions,
): Promise<boolean> {
  const worlds = targets.flatMap((target) => endpointsOf(target, access));
  const asked = await Promise.allSettled(worlds.map((world) => askHealth(world, signal)));
  return asked.some(({ status }) => status === 'fulfilled');
}

/** @throws CapbenchError (93) when a server belongs to another world than the scenario's */
function requireWorld({ url, health }: Found, { system, world }: Pick<Scenario, 'system' | 'world'>): void {
  if (health.world !== system) {
    throw stackFailed(
      `${url} is a server of the world ${health.world}, expected the scenario's ${system}`,
      'name the servers of the scenario, or a scenario for these servers',
    );
  }
  const { rowShape } = fluxWorld({ world });
  if (health.rowShape !== rowShape) {
    throw stackFailed(
      `${url} writes rows as ${health.rowShape}, expected the scenario's world.rowShape: ${rowShape}; the cost of a row write differs many times over`,
      `start the world with the scenario's row shape${otherShape(health.rowShape)}`,
    );
  }
}

const otherShape = (given: string): string =>
  given === 'columns' || given === 'jsonb' ? `, or run with --set world.rowShape=${given}` : '';

/** The instances 1 to n of one world, each once. Throws exit code 93. */
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
        'name only servers of one world',
      );
    }
    const other = byInstance.get(health.instance);
    if (other !== undefined) {
      throw stackFailed(
        `${other.url} and ${url} are both instance ${health.instance} of ${instances}`,
        'name each world server once, and no proxy in front of several servers',
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
      'name each of them with --target',
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
