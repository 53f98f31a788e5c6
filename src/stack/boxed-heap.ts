import { limitsOf, WHOLE_STACK } from '../scenario/component-limits.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { ComponentName } from '../scenario/system-scenario.ts';

/** V8's old space of one server, in MB, and why it is not the documented one. */
export interface BoxedHeap {
  readonly heap: number;
  readonly because: string;
}

/** Percent of the stack's memory that a component may need which is no server: PostgreSQL's buffers are 25%, the rest is its processes. */
const RESERVED: Readonly<Record<string, number>> = { postgres: 40, redis: 15 };
const RESERVED_ELSE = 5;
/** What Node takes beside the heap, in MB. */
const BESIDE_HEAP = 48;
/** With less a server does not start. */
const LEAST_HEAP = 32;

/**
 * The heap with which all components fit into what `limits.stack` allows them together: what others may need is left to them,
 * and each server gets its share of the rest. Null where the documented heap fits, or nothing is limited.
 */
export function boxedHeap(
  scenario: Pick<Scenario, 'world' | 'limits'>,
  components: readonly Pick<ComponentName, 'name'>[],
): BoxedHeap | null {
  const { memory } = limitsOf(scenario, WHOLE_STACK) ?? {};
  const servers = components.filter(({ name }) => name.startsWith('world-')).length;
  if (memory === undefined || servers === 0) return null;
  const others = components.filter(({ name }) => !name.startsWith('world-'));
  const reserved = others.reduce((sum, { name }) => sum + (RESERVED[name] ?? RESERVED_ELSE), 0);
  const share = (memory * (1 - reserved / 100)) / servers;
  const heap = Math.max(LEAST_HEAP, Math.floor(share - BESIDE_HEAP));
  if (heap >= scenario.world.heap) return null;
  const rest =
    others.length === 0
      ? ''
      : `, of which ${others.map(({ name }) => name).join(', ')} may need ${reserved}%`;
  return {
    heap,
    because: `the stack has ${memory}MB of memory${rest}; ${servers === 1 ? 'the server has' : `each of ${servers} servers has its share of`} the rest`,
  };
}
