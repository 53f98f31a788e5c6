import { z } from 'zod';
import { OPERATORS } from './budget.ts';
import { duration, line, list, map, megabytes, oneOf, prose, quantity, whole, word } from './leaf.ts';
import { calibrationSchema, rulesSchema } from './rules-schema.ts';
import { churnSchema, stageName, stagesSchema } from './stages-schema.ts';
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

/**
 * A scenario is data: settings that make PostgreSQL run a command, load a library, write elsewhere or listen
 * to others are not read from one.
 */
const UNSAFE_SETTING =
  /(_command$|_librar(y|ies)$|_library_path$|_file$|_director(y|ies)$|^include|^log_filename$|^jit_provider$|^primary_conninfo$|^port$|^local_preload)/;
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  shared_preload_libraries: ['', 'pg_stat_statements'],
  listen_addresses: ['', 'localhost', '127.0.0.1'],
};

const settingValue = z.union([z.string().max(500), z.number(), z.boolean()]);

/** What is wrong with one setting, as what was expected instead; null when nothing is. */
function settingProblem(name: string, value: unknown): string | null {
  const given = settingValue.safeParse(value);
  if (!given.success) return "a setting's value as in postgresql.conf";
  const allowed = Object.hasOwn(HARMLESS, name) ? HARMLESS[name] : undefined;
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(name)) return "a setting's name as in postgresql.conf";
  if (allowed !== undefined && !allowed.includes(settingText(given.data))) {
    return `one of ${allowed.map((word) => `'${word}'`).join(', ')} (a scenario loads no code and opens no port)`;
  }
  if (allowed === undefined && UNSAFE_SETTING.test(name)) {
    return 'no such setting in a scenario (it could run code, or write or listen elsewhere)';
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin another setting
  return /[\0-\x1f\x7f]/.test(settingText(given.data)) ? 'a value on one line' : null;
}

const settingText = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

const settings = z
  .record(z.string(), z.unknown(), { error: 'a map of PostgreSQL settings' })
  .meta({ additionalProperties: { type: ['string', 'number', 'boolean'] } })
  .transform((given, context): Record<string, string> => {
    const kept: Record<string, string> = {};
    for (const [name, value] of Object.entries(given)) {
      const message = settingProblem(name, value);
      const read = settingValue.safeParse(value);
      if (message !== null || !read.success) {
        context.addIssue({ code: 'custom', message: message ?? 'a value', path: [name], input: value });
      } else {
        kept[name] = settingText(read.data);
      }
    }
    return kept;
  });

const postgres = map({
  version: whole(10, 99).default(16).describe('Major version'),
  settings: settings.prefault({}).describe('As in postgresql.conf'),
});

const deviation = map({
  setting: line(100),
  documented: line(500),
  applied: line(500),
  reason: prose(1000),
});

const ceilings = map({
  secondsEach: quantity(0, 600).default(2).describe('For each of the three measurements; 0 leaves them out'),
  rows: whole(1000, 10_000_000).default(100_000).describe('Of the scratch table'),
});

/** More than one fault a second for an hour is a mistake. */
const MOST_FAULTS = 3600;

export const faultSchema = map({
  action: oneOf(['kill', 'stop', 'drop']).describe(
    'SIGKILL and start again; SIGSTOP and SIGCONT; cut sockets',
  ),
  of: word(
    /^[a-z][a-z0-9-]{0,63}$/,
    'a component of the stack such as postgres or world-1, or players (for drop)',
  ),
  at: duration('0s', '24h').describe('After the start of the phase'),
  phase: oneOf(['ramp', 'warm-up', 'measure']).default('measure'),
  lasting: duration('0s', '1h')
    .prefault('1s')
    .describe('How long it is gone (kill) or stopped (stop) before it is brought back'),
  sharePercent: quantity(0.001, 100, 'a percentage').default(100).describe('Of the players, for drop'),
  times: whole(1, MOST_FAULTS).default(1),
  every: duration('100ms', '24h').prefault('10s').describe('From one time to the next'),
});

const claimId = word(/^[A-Z]{2,5}-\d{1,4}$/, 'a claim id such as FLX-151');
const metric = word(
  /^(?:[A-Za-z]\w{0,60}(?:\.\w{1,60}){0,6}|target\.metrics\.[\x20-\x7e]{1,280})$/,
  'a path in report.json such as latency.intent.due',
);
const limit = z.union([z.number(), z.tuple([z.number(), z.number()]), line(200, 0)], {
  error: 'a number, [low, high] or text',
});
const source = map({ document: line(200), heading: line(200), line: whole(1, 1_000_000) });
const title = line(300);
const why = prose(1000).min(1, { error: 'the reason, in a sentence' });

/** A budget as a scenario writes it: of a claim, or (with an `id`) of the user's own. */
const budget = map({
  claim: claimId.optional().describe('A documented claim: title, op, limit, unit and source come from it'),
  id: word(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of letters, digits, '.', '_' or '-'").optional(),
  title: title.optional(),
  metric: metric.optional(),
  stat: word(/^[a-z]\w{0,20}$/i, 'a statistic such as p95, max or mean').optional(),
  op: oneOf(OPERATORS).optional(),
  limit: limit.optional(),
  unit: line(40).optional().describe("The limit's unit; for a claim only where its own has no counterpart"),
  condition: line(200).optional(),
  stage: stageName().optional().describe('Of load.stages: the figure is then that of this stage'),
  fullLoad: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe('Ruled only at the full load: unmeasured at another scale'),
  optional: z
    .boolean({ error: 'true or false' })
    .optional()
    .describe('Of a budget of your own: without a figure it is passed over, and the run is not invalid'),
  contradicted: why.optional().describe('Why the document disagrees with itself here'),
  reading: why.optional().describe('How the claim is read; needed where op or limit are not its own'),
});

/** A budget as the bundle's scenario.yaml writes it: nothing to look up any more. */
const common = {
  id: line(64),
  claim: claimId.nullable(),
  title: prose(2000),
  op: oneOf(OPERATORS),
  limit,
  unit: prose(40),
  condition: prose(200).nullable(),
  source: source.nullable(),
};
const resolvedBudget = z.discriminatedUnion(
  'state',
  [
    map({
      ...common,
      state: z.literal('measured'),
      metric,
      stat: line(40).nullable(),
      metricUnit: prose(40),
      fullLoad: z.boolean({ error: 'true or false' }),
      contradicted: why.nullable(),
      stage: stageName().optional(),
      optional: z.literal(true, { error: 'true, or nothing' }).optional(),
    }),
    map({ ...common, state: z.literal('untestable'), missing: why }),
    map({ ...common, state: z.literal('contradicted'), contradicted: why }),
  ],
  { error: 'a resolved budget, with state measured, untestable or contradicted' },
);

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
  postgres: postgres.prefault({}).describe('The PostgreSQL that capbench starts'),
  deviations: list(deviation, 100, 'deviations')
    .default([])
    .describe('Settings of the document that are not applied, and why'),
  ceilings: ceilings.prefault({}).describe('What the database does when nothing else is asked of it'),
  calibration: calibrationSchema.prefault({}).describe('What the load generator does at its best'),
  faults: list(faultSchema, 100, 'faults').default([]).describe('Disturbances on purpose'),
  rules: rulesSchema(system.operations).prefault({}).describe('Limits within which a run says something'),
});

const MOST_BUDGETS = 1000;
const claimIds = list(claimId, MOST_BUDGETS, 'claim ids', 1);

/** The elements of the three lists that make the budgets. */
export const budgetSchema = budget;
export const contradictedSchema = map({ why, claims: claimIds });
export const untestableSchema = map({ missing: why, claims: claimIds });

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
  budgets: list(budget, MOST_BUDGETS, 'budgets').default([]).describe('What is promised, and judged'),
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
  budgets: list(resolvedBudget, MOST_BUDGETS, 'budgets'),
} as const;

export type LoadEntry = z.output<ReturnType<typeof loadSchema>>;
export type BudgetEntry = z.output<typeof budget>;
