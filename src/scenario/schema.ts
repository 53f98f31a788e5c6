import { z } from 'zod';
import { edgeSchema } from './edge.ts';
import { gateSchema } from './gate.ts';
import { duration, line, list, map, megabytes, oneOf, prose, quantity, whole, word } from './leaf.ts';
import { limitsSchema, namedLimitsSchema } from './limits.ts';
import { planSchema } from './plan-schema.ts';
import { redisSchema } from './redis-settings.ts';
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
  probeSchema,
  resolvedBudgetSchema,
  rulesSchema,
  stagesSchema,
  untestableSchema,
  watchSchema,
} from './sections.ts';
import type { SystemScenario } from './system-scenario.ts';

/** Limits against mistakes and attacks by huge numbers. */
export const MOST_PLAYERS = 1_000_000;
export const MOST_PER_SECOND = 10_000_000;
export const MOST_SERVERS = 64;

const rate = () => quantity(0, MOST_PER_SECOND, 'a rate per second');

const PLAYERS = whole(1, MOST_PLAYERS).describe('Players connected at once');
const LOAD = {
  connectsPerSecond: quantity(1, 100_000, 'a rate per second')
    .default(1000)
    .describe('New connections a second before GO'),
  outstanding: whole(1, 1000)
    .default(4)
    .describe('Unanswered operations of one player, above which it waits'),
  skipAfter: duration('1ms', '1h').prefault('1s').describe('An operation that is later than this is skipped'),
  timeout: duration('1ms', '1h')
    .prefault('10s')
    .describe('An operation that is unanswered for this long has timed out'),
  ramp: duration('0s', '24h').prefault('5s').describe('Linear increase from no load to the full rate'),
  warmUp: duration('0s', '24h').prefault('5s').describe('At the full rate, before the measure phase'),
  duration: duration('1s', '24h')
    .optional()
    .describe('Length of the measure phase. Default: 60s, or the sum of the stages'),
  stages: stagesSchema.optional().describe('Parts of the measure phase'),
  churn: churnSchema.optional().describe('Players who leave and rejoin, from GO on'),
  drain: duration('0s', '1h')
    .prefault('10s')
    .describe('How long answers are awaited after the last due time'),
};

const perSecond = rate().optional().describe('Operations a second, over all actors');
const weight = quantity(0.001, 1e6, 'a weight')
  .optional()
  .describe('Instead of perSecond: its share of load.operationsPerSecond, relative to the other weights');
const both = (...keys: readonly string[]) => ({
  ...{ type: 'object', properties: Object.fromEntries(keys.map((key) => [key, {}])), required: keys },
});
const weighted = map({ perSecond, weight })
  .refine((one) => one.perSecond === undefined || one.weight === undefined, {
    path: ['weight'],
    error: 'no weight beside perSecond',
  })
  .meta({ not: both('perSecond', 'weight') });

/** A kind of operation that the scenario names itself. */
const kind = map({
  perSecond,
  weight,
  due: z
    .literal('answer', { error: 'answer, or no due: with perSecond or weight' })
    .optional()
    .describe('Instead of a rate: answer, for what only the player module begins, by context.start'),
})
  .refine(({ perSecond, weight }) => perSecond === undefined || weight === undefined, {
    path: ['weight'],
    error: 'no weight beside perSecond',
  })
  .refine((one) => one.due === undefined || (one.perSecond === undefined && one.weight === undefined), {
    path: ['due'],
    error: 'no due beside perSecond or weight: what follows from an answer has no rate of its own',
  })
  .meta({
    not: { anyOf: [both('perSecond', 'weight'), both('due', 'perSecond'), both('due', 'weight')] },
  });

/** Of a system whose players begin it: it has no rate. */
const begun: z.ZodType<z.output<typeof kind>> = map({
  due: z.literal('answer', { error: 'answer: players begin it, and it has no rate' }).optional(),
});

/** Operations of other actors have no share in the players' total. */
const unweighted: z.ZodType<z.output<typeof weighted>> = map({ perSecond });

const operationsOf = ({ operations, kinds }: SystemScenario) => {
  const ofPlayers = kinds === undefined ? weighted : kind;
  const shape = Object.fromEntries(
    operations.map(({ id, label, actor, due }) => [
      id,
      kinds === undefined && due === 'answer'
        ? begun.optional().describe(`Without a rate: players begin ${label}`)
        : (actor === 'player' ? ofPlayers : unweighted).optional().describe(`Rate of ${label}`),
    ]),
  );
  // Names are checked by kinds.ts.
  const all: z.ZodType<Record<string, z.output<typeof kind> | undefined>> =
    kinds === undefined
      ? map(shape)
      : z.object(shape, { error: 'a map with a key for each kind of operation' }).catchall(kind);
  return all.prefault({}).describe('Rate of each operation');
};

/** `load:` of a system's scenario. */
export const loadSchema = (system: SystemScenario) =>
  map(
    {
      players: PLAYERS,
      operations: operationsOf(system),
      operationsPerSecond: rate()
        .optional()
        .describe('Total of the operations with a weight. Default: one for each player'),
      ...LOAD,
      ...system.load,
    },
    Object.keys(system.aliases ?? {}).flatMap((alias) => /^load\.(\w+)$/.exec(alias)?.[1] ?? []),
  ).refine(
    ({ operationsPerSecond, operations }) =>
      operationsPerSecond === undefined || Object.values(operations).some((one) => one?.weight !== undefined),
    {
      path: ['operationsPerSecond'],
      error: `an operation with a weight: load.operations: { ${system.operations[0]?.id}: { weight: 1 } }`,
    },
  );

/** `world:` of a system's scenario. */
export const worldSchema = (system: SystemScenario) =>
  map({
    servers: whole(1, MOST_SERVERS)
      .default(4)
      .describe('World server processes. Default: 4, or the number of targets'),
    heap: megabytes('64MB', '64GB').prefault('3072MB').describe("V8's old-space limit of one world server"),
    node: whole(18, 99)
      .optional()
      .describe('The documented major version of Node; the servers run on the Node of capbench'),
    limits: limitsSchema.optional(),
    ...system.world,
  });

const PARTS = {
  redis: redisSchema.optional().describe('The Redis that capbench starts'),
  edge: edgeSchema
    .optional()
    .describe('The proxy that capbench starts in front of the servers. Default: none'),
};

/**
 * The sections of parts that only some systems have. Without defaults, so that the hash of a scenario that does not name one
 * stays the same.
 */
const partSchemas = ({ redis, edge }: SystemScenario): Partial<typeof PARTS> => ({
  ...(redis === undefined ? {} : { redis: PARTS.redis }),
  ...(edge === undefined ? {} : { edge: PARTS.edge }),
});

/** The keys that users' scenarios and resolved ones have in common. */
export const headSchemas = (system: SystemScenario, names: readonly [string, ...string[]]) => ({
  version: z
    .literal(1, { error: '1, the version of scenarios that this capbench reads' })
    .optional()
    .describe('Version of the scenario format'),
  name: word(/^[a-z0-9][a-z0-9-]{0,63}$/, "a name of lower-case letters, digits and '-'").describe(
    'Name of the scenario, and of the folders of its runs',
  ),
  description: prose(2000).default('').describe('What it is for, in a sentence'),
  system: oneOf(names).describe('The system under test; own: your own server, with your own players'),
  seed: whole(0, 2 ** 32 - 1)
    .default(1)
    .describe('Random seed'),
  load: loadSchema(system).describe('Players, rates and phases'),
  world: worldSchema(system).prefault({}).describe('The servers that capbench starts'),
  postgres: postgresSchema.prefault({}).describe('The PostgreSQL that capbench starts'),
  ...partSchemas(system),
  limits: namedLimitsSchema
    .optional()
    .describe('The most that all components together may use, and those without a section of their own'),
  deviations: list(deviationSchema, 100, 'deviations')
    .default([])
    .describe('Documented settings that are not applied, and why'),
  ceilings: ceilingsSchema.prefault({}).describe('Measurements of the database without load'),
  calibration: calibrationSchema
    .prefault({})
    .describe('Measurement of the load generator without a system under test'),
  // Without a default, so that the hash of a scenario that does not name it stays the same.
  probe: probeSchema.optional().describe('What is read of the database'),
  faults: list(faultSchema, 100, 'faults').default([]).describe('Planned faults'),
  rules: rulesSchema(system.operations).prefault({}).describe('Limits that a valid run has to keep'),
  watch: watchSchema.optional().describe('Metrics of a target that are shown and charted, without a limit'),
  gate: gateSchema.optional().describe('When a version is worse than another: for compare and --baseline'),
  plan: planSchema
    .optional()
    .describe('The figures of a document, which capbench check holds against each other'),
});

const anything = (of: string) => list(z.unknown(), MOST_BUDGETS, of).default([]);

/** The other keys of a user's scenario. Their elements are read one by one, so that all errors are found. */
export const scenarioSchemas = {
  budgets: anything('budgets'),
  contradicted: anything('groups of claims'),
  untestable: anything('groups of claims'),
} as const;

/** All keys of a user's scenario. */
export const documentSchemas = (system: SystemScenario, names: readonly [string, ...string[]]) => ({
  ...headSchemas(system, names),
  ...system.sections,
  budgets: list(budgetSchema, MOST_BUDGETS, 'budgets')
    .default([])
    .describe('What is promised, and checked by every run'),
  contradicted: list(contradictedSchema, MOST_BUDGETS, 'groups of claims')
    .default([])
    .describe('Claims about which the document contradicts itself'),
  untestable: list(untestableSchema, MOST_BUDGETS, 'groups of claims')
    .default([])
    .describe('Claims that cannot be tested here'),
});

/** The other keys of a resolved scenario. */
export const resolvedSchemas = {
  resolved: z.literal(1, { error: '1, the version of resolved scenarios that this capbench reads' }),
  scale: quantity(0.000_001, 1_000_000),
  altered: list(line(1000), 1000, 'changes'),
  budgets: list(resolvedBudgetSchema, MOST_BUDGETS, 'budgets'),
} as const;

export type LoadEntry = z.output<ReturnType<typeof loadSchema>>;
