import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { formatDuration } from '../units.ts';
import type { Scenario } from './scenario.ts';
import type { Churn } from './stages.ts';

/** Stands above a resolved scenario in a bundle. */
const HEADER = `# What ran, resolved: defaults filled in, overrides applied, claims looked up.
# \`capbench report\` judges by it, and \`capbench run\` takes it like any other scenario.
`;

/** The resolved scenario as a bundle holds it: \`readScenario\` makes the same scenario of it again. */
export function writeScenario({ load, world, faults, ...scenario }: Scenario): string {
  const { batchOperations, batchInterval, heapMegabytes, ...settings } = world;
  const document = {
    resolved: 1,
    ...scenario,
    load: {
      ...load,
      skipAfter: formatDuration(load.skipAfter),
      timeout: formatDuration(load.timeout),
      ramp: formatDuration(load.ramp),
      warmUp: formatDuration(load.warmUp),
      duration: formatDuration(load.duration),
      drain: formatDuration(load.drain),
      ...(load.churn === undefined ? {} : { churn: churnText(load.churn) }),
      ...(load.stages === undefined ? {} : { stages: load.stages.map(stageText) }),
    },
    world: {
      ...settings,
      batch: { operations: batchOperations, interval: formatDuration(batchInterval) },
      heap: `${heapMegabytes}MB`,
    },
    faults: faults.map((fault) => ({
      ...fault,
      at: formatDuration(fault.at),
      lasting: formatDuration(fault.lasting),
      every: formatDuration(fault.every),
    })),
  };
  return HEADER + stringify(document, { schema: 'core', lineWidth: 110, aliasDuplicateObjects: false });
}

const churnText = (churn: Churn) => ({ ...churn, away: formatDuration(churn.away) });

const stageText = ({ lasting, over, churn, ...stage }: NonNullable<Scenario['load']['stages']>[number]) => ({
  ...stage,
  lasting: formatDuration(lasting),
  over: formatDuration(over),
  ...(churn === undefined ? {} : { churn: churnText(churn) }),
});

/** Object keys in one order, so that the same scenario always has the same text. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}

/** SHA-256 over the resolved scenario, in hex: two runs with the same hash were asked for the same. */
export const scenarioHash = (scenario: Scenario): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(scenario)))
    .digest('hex');
