import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { z } from 'zod';
import { writtenBudget } from './budget.ts';
import { edgeSchema } from './edge.ts';
import { type ComponentLimits, limitsSchema, namedLimitsSchema } from './limits.ts';
import { mapOperations } from './operations.ts';
import { writtenPlan } from './plan.ts';
import type { Scenario } from './scenario.ts';
import { type LoadEntry, loadSchema, worldSchema } from './schema.ts';
import { faultSchema } from './sections.ts';
import type { SystemScenario } from './system-scenario.ts';

/** The first lines of a bundle's scenario.yaml. */
const HEADER = `# The resolved scenario of a run: with defaults, overrides and claims.
# \`capbench report\` judges by it, and \`capbench run\` accepts it like any other scenario.
`;

/** The text of a resolved scenario; `readScenario` reads it as the same scenario. */
export function writeScenario(scenario: Scenario, system: SystemScenario): string {
  const { operations: _, traits: __, sections, ...rest } = scenario;
  const document = {
    resolved: 1,
    ...rest,
    ...sections,
    load: z.encode(loadSchema(system), writtenLoad(scenario.load)),
    world: z.encode(worldSchema(system), scenario.world),
    postgres: writtenSettings(scenario.postgres),
    ...(scenario.redis === undefined ? {} : { redis: writtenSettings(scenario.redis) }),
    ...(scenario.edge === undefined ? {} : { edge: z.encode(edgeSchema, scenario.edge) }),
    ...(scenario.limits === undefined ? {} : { limits: z.encode(namedLimitsSchema, scenario.limits) }),
    ...(scenario.plan === undefined ? {} : { plan: writtenPlan(scenario.plan) }),
    faults: scenario.faults.map((fault) => z.encode(faultSchema, fault)),
    budgets: scenario.budgets.map(writtenBudget),
  };
  return HEADER + stringify(document, { schema: 'core', lineWidth: 110, aliasDuplicateObjects: false });
}

/** Settings of a configuration file are texts already. */
const writtenSettings = ({ limits, ...section }: { readonly limits?: ComponentLimits | undefined }) => ({
  ...section,
  ...(limits === undefined ? {} : { limits: z.encode(limitsSchema, limits) }),
});

/** An operation without a schedule is written without a rate, as the schema asks. */
const writtenLoad = (load: Scenario['load']): LoadEntry =>
  ({
    ...load,
    operations: mapOperations(load.operations, ({ perSecond, due }) =>
      due === undefined ? { perSecond } : { due },
    ),
  }) as LoadEntry;

/** Sorts object keys, so that equal scenarios have equal text. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}

/** SHA-256 of the resolved scenario, in hex: runs with the same hash had the same load and budgets. */
export const scenarioHash = ({ operations: _, traits: __, ...scenario }: Scenario): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical({ ...scenario, budgets: scenario.budgets.map(writtenBudget) })))
    .digest('hex');

/** What judges a run, or describes it, and is no part of its load or stack. */
const APART: readonly string[] = [
  ...['name', 'description', 'system', 'seed', 'scale', 'altered', 'deviations'],
  ...['budgets', 'rules', 'watch', 'plan', 'gate', 'calibration'],
];
const SHOWN_DIGITS = 12;

/**
 * A hash of each section of the scenario that shapes the load or the stack, by its key: runs of two versions of a server are
 * compared where these are equal. Without the sections that say which version runs.
 */
export function conditionsOf(scenario: Scenario): Readonly<Record<string, string>> {
  const { operations: _, traits, sections = {}, ...rest } = scenario;
  const all = Object.entries({ ...rest, ...sections }).filter(
    ([key, value]) => value !== undefined && !APART.includes(key) && !traits.versionSections.includes(key),
  );
  return Object.fromEntries(
    all.map(([key, value]) => [
      key,
      createHash('sha256')
        .update(JSON.stringify(canonical(value)))
        .digest('hex')
        .slice(0, SHOWN_DIGITS),
    ]),
  );
}
