import { z } from 'zod';
import { duration, line, list, map, megabytes, oneOf, prose, quantity, whole, word } from './leaf.ts';
import {
  budgetSchema,
  calibrationSchema,
  ceilingsSchema,
  churnSchema,
  contradictedSchema,
  deviationSchema,
  faultSchema,
  MOST_BUDGETS,
  postgresSchema,
  resolvedBudgetSchema,
  rulesSchema,
  stagesSchema,
  untestableSchema,
} from './sections.ts';
import type { SystemScenario } from './system-scenario.ts';

/** The most of anything that multiplies: beyond these a scenario is a mistake, or an attack. */
export const MOST_PLAYERS = 1_000_000;
export const MOST_PER_SECOND = 10_000_000;

const rate = () => quantity(0, MOST_PER_SECOND, 'a rate per second');

/** What every load has. */
const PLAYERS = whole(1, MOST_PLAYERS).describe('Players connected at once');
const LOAD = {
  connectsPerSecond: quantity(1, 100_000, 'a rate per second')
    .default(1000)
    .describe('New connections a second before GO'),
  outstanding: whole(1, 1000).default(4).describe('Operations one player keeps unanswered before it waits'),
  skipAfter: duration('1ms', '1h').prefault('1s').describe('An operation this late is skipped'),
  timeout: duration('1ms', '1h').prefault('10s').describe('An operation unanswered for so long is timed out'),
  ramp: duration('0s', '24h').prefault('5s').describe('From no load to the full rate'),
  warmUp: duration('0s', '24h').prefault('5s').describe('At the full rate, not yet measured'),
  duration: duration('1s', '24h')
    .optional()
    .describe('Only the measure phase. Default: 60s, or what the stages make'),
  stages: stagesSchema.optional().describe('The measure phase in parts'),
  churn: churnSchema.optional().describe('Players who leave and join, from GO on'),
  drain: duration('0s', '1h')
    .prefault('10s')
    .describe('How long answers are waited for after the last due time'),
};

const perSecond = rate().optional().describe('Of all who do it together');
const weighted = map({
  perSecond,
  weight: quantity(0.001, 1e6, 'a weight')
    .optional()
    .describe('Instead of perSecond: its share of load.operationsPerSecond, among all that have a weight'),
})
  .refine((one) => one.perSecond === undefined || one.weight === undefined, {
    path: ['weight'],
    error: 'no weight beside perSecond: an operation has one of the two',
  })
  .meta({
    not: { type: 'object', properties: { perSecond: {}, weight: {} }, required: ['perSecond', 'weight'] },
  });

/** Who else acts has no share in what the players do. */
const unweighted: z.ZodType<z.output<typeof weighted>> = map({ perSecond });

/** How often each operation of a system is due. */
const operationsOf = ({ operations }: SystemScenario) =>
  map(
    Object.fromEntries(
      operations.map(({ id, label, actor }) => [
        id,
        (actor === 'player' ? weighted : unweighted).optional().describe(`How many ${label} are due`),
      ]),
    ),
  )
    .prefault({})
    .describe('How often each operation is due');

/** `load:` of a system's scenario. */
export const loadSchema = (system: SystemScenario) =>
  map(
    {
      players: PLAYERS,
      operations: operationsOf(system),
      operationsPerSecond: rate()
        .optional()
        .describe('Shared by the operations with a weight. Default: one for each player'),
      ...LOAD,
      ...system.load,
    },
    Object.keys(system.aliases ?? {}).flatMap((alias) => /^load\.(\w+)$/.exec(alias)?.[1] ?? []),
  ).refine(
    ({ operationsPerSecond, operations }) =>
      operationsPerSecond === undefined || Object.values(operations).some((one) => one?.weight !== undefined),
    {
      path: ['operationsPerSecond'],
      error: `an operation with a weight that shares it: load.operations: { ${system.operations[0]?.id}: { weight: 1 } }`,
    },
  );

/** `world:` of a system's scenario. */
export const worldSchema = (system: SystemScenario) =>
  map({
    servers: whole(1, 64).default(4).describe('World server processes'),
    heap: megabytes('64MB', '64GB').prefault('3072MB').describe("V8's old space of one world server"),
    node: whole(18, 99)
      .optional()
      .describe('The documented major version of Node; what runs is the Node of capbench'),
    ...system.world,
  });

/** The keys that a user's scenario and a resolved one share, of a system. */
export const headSchemas = (system: SystemScenario, names: readonly [string, ...string[]]) => ({
  version: z
    .literal(1, { error: '1, the form of scenarios that this capbench reads' })
    .optional()
    .describe('Of the form of this file'),
  name: word(/^[a-z0-9][a-z0-9-]{0,63}$/, "a name of lower-case letters, digits and '-'").describe(
    'Of the scenario, and of the folders of its runs',
  ),
  description: prose(2000).default('').describe('What it is, in a sentence'),
  system: oneOf(names).describe('What is under test; own: a server of your own, with players of your own'),
  seed: whole(0, 2 ** 32 - 1)
    .default(1)
    .describe('Random seed'),
  load: loadSchema(system).describe('Who plays, how often, and for how long'),
  world: worldSchema(system).prefault({}).describe('The servers that capbench starts'),
  postgres: postgresSchema.prefault({}).describe('The PostgreSQL that capbench starts'),
  deviations: list(deviationSchema, 100, 'deviations')
    .default([])
    .describe('Settings of the document that are not applied, and why'),
  ceilings: ceilingsSchema.prefault({}).describe('What the database does when nothing else is asked of it'),
  calibration: calibrationSchema.prefault({}).describe('What the load generator does at its best'),
  faults: list(faultSchema, 100, 'faults').default([]).describe('Disturbances on purpose'),
  rules: rulesSchema(system.operations).prefault({}).describe('Limits within which a run says something'),
});

const anything = (of: string) => list(z.unknown(), MOST_BUDGETS, of).default([]);

/** The other keys of a user's scenario. The elements of each are read one by one, so that all that is wrong is found. */
export const scenarioSchemas = {
  budgets: anything('budgets'),
  contradicted: anything('groups of claims'),
  untestable: anything('groups of claims'),
} as const;

/** All keys of a user's scenario of a system. */
export const documentSchemas = (system: SystemScenario, names: readonly [string, ...string[]]) => ({
  ...headSchemas(system, names),
  ...system.sections,
  budgets: list(budgetSchema, MOST_BUDGETS, 'budgets').default([]).describe('What is promised, and judged'),
  contradicted: list(contradictedSchema, MOST_BUDGETS, 'groups of claims')
    .default([])
    .describe('Claims about which the document disagrees with itself'),
  untestable: list(untestableSchema, MOST_BUDGETS, 'groups of claims')
    .default([])
    .describe('Claims that are out of reach here'),
});

/** The other keys of a resolved scenario, as a bundle holds it. */
export const resolvedSchemas = {
  resolved: z.literal(1, { error: '1, the form of resolved scenarios that this capbench reads' }),
  scale: quantity(0.000_001, 1_000_000),
  altered: list(line(1000), 1000, 'changes'),
  budgets: list(resolvedBudgetSchema, MOST_BUDGETS, 'budgets'),
} as const;

export type LoadEntry = z.output<ReturnType<typeof loadSchema>>;
