import { type Budget, metricReader } from './budget.ts';
import { WHOLE_STACK } from './component-limits.ts';
import type { ComponentLimits } from './limits.ts';
import type { KnownSystems } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';
import type { SystemScenario } from './system-scenario.ts';

/** A machine of this size: CPUs, and megabytes that its system leaves to a stack. */
export interface Box {
  readonly cpus: number;
  readonly memory: number;
}

/** The id of the budget that a box adds. */
export const BOX_MEMORY = 'box-memory';

/** No more than the stack has. */
const within = (own: ComponentLimits, box: Box): ComponentLimits => ({
  ...(own.cpus === undefined ? {} : { cpus: Math.min(own.cpus, box.cpus) }),
  ...(own.memory === undefined ? {} : { memory: Math.min(own.memory, box.memory) }),
});

/**
 * The scenario with its stack in a box of this size: limits of components are at most those of the box, and a budget says that
 * the memory has to suffice, since a host without control groups only compares it.
 */
export function withBox(
  scenario: Scenario,
  box: Box,
  system: SystemScenario,
  systems: Pick<KnownSystems, 'metricsOf'>,
): Scenario {
  const { world, postgres, redis, edge } = scenario;
  const limited = <T extends { readonly limits?: ComponentLimits | undefined }>(section: T): T =>
    section.limits === undefined ? section : { ...section, limits: within(section.limits, box) };
  const named = Object.fromEntries(
    Object.entries(scenario.limits ?? {}).map(([key, own = {}]) => [key, within(own, box)]),
  );
  return {
    ...scenario,
    world: limited(world),
    postgres: limited(postgres),
    ...(redis === undefined ? {} : { redis: limited(redis) }),
    ...(edge === undefined ? {} : { edge: limited(edge) }),
    limits: { ...named, [WHOLE_STACK]: box },
    budgets: [
      ...scenario.budgets.filter(({ id }) => id !== BOX_MEMORY),
      memoryBudget(metricReader(scenario.operations, systems.metricsOf(system))),
    ],
  };
}

function memoryBudget(readMetric: ReturnType<typeof metricReader>): Budget {
  return {
    ...{ id: BOX_MEMORY, claim: null, title: 'memory of the box' },
    ...{ op: '<=', limit: 100, unit: '%', condition: null, source: null },
    ...{ state: 'measured', stat: 'max', metricUnit: '%', fullLoad: false, contradicted: null },
    metric: readMetric(`limits.${WHOLE_STACK}.memoryPercent`, 'max'),
  };
}
