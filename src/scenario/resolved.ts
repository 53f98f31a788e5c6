import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { z } from 'zod';
import { writtenBudget } from './budget.ts';
import type { Scenario } from './scenario.ts';
import { type LoadEntry, loadSchema, worldSchema } from './schema.ts';
import { faultSchema } from './sections.ts';
import type { SystemScenario } from './system-scenario.ts';

/** Stands above a resolved scenario in a bundle. */
const HEADER = `# What ran, resolved: defaults filled in, overrides applied, claims looked up.
# \`capbench report\` judges by it, and \`capbench run\` takes it like any other scenario.
`;

/** The resolved scenario as a bundle holds it: \`readScenario\` makes the same scenario of it again. */
export function writeScenario(scenario: Scenario, system: SystemScenario): string {
  const { operations: _, traits: __, sections, ...rest } = scenario;
  const document = {
    resolved: 1,
    ...rest,
    ...sections,
    load: z.encode(loadSchema(system), scenario.load as LoadEntry),
    world: z.encode(worldSchema(system), scenario.world),
    faults: scenario.faults.map((fault) => z.encode(faultSchema, fault)),
    budgets: scenario.budgets.map(writtenBudget),
  };
  return HEADER + stringify(document, { schema: 'core', lineWidth: 110, aliasDuplicateObjects: false });
}

/** Object keys in one order, so that the same scenario always has the same text. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}

/** SHA-256 over the resolved scenario, in hex: two runs with the same hash were asked for the same. */
export const scenarioHash = ({ operations: _, traits: __, ...scenario }: Scenario): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical({ ...scenario, budgets: scenario.budgets.map(writtenBudget) })))
    .digest('hex');
