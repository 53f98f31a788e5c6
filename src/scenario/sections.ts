import { z } from 'zod';
import { duration, line, list, map, oneOf, prose, quantity, whole, word } from './leaf.ts';
import { limitsSchema } from './limits.ts';
import { watchedSelector } from './metric-selector.ts';
import type { OperationSpec } from './operations.ts';
import { DEFAULT_CALIBRATION, DEFAULT_RULES } from './rules.ts';
import { type SettingValue, settingsMap } from './settings-map.ts';

export const calibrationSchema = map({
  seconds: quantity(0, 60)
    .default(DEFAULT_CALIBRATION.seconds)
    .describe('Calibration against servers that do nothing, before the run; 0 skips it'),
  factor: quantity(1, 10).default(DEFAULT_CALIBRATION.factor).describe('Multiple of the target rate'),
  // Without a default, so that the hash of a scenario that does not name it stays the same.
  canary: z
    .boolean({ error: 'true or false' })
    .optional()
    .describe('A fixed piece of work on one core, before and after the run; false skips it'),
});

/** One percentage for all operations, or one for each. */
const rejectedPercent = (operations: readonly OperationSpec[]) =>
  z
    .union(
      [
        quantity(0, 100),
        map(Object.fromEntries(operations.map(({ id }) => [id, quantity(0, 100).optional()]))),
      ],
      {
        error: `a percentage of 0 to 100, or one for each operation: { ${operations.map(({ id }) => `${id}: 5`).join(', ')} }`,
      },
    )
    .optional()
    .describe('Percentage of operations that the game itself rejects; more is a breach. Default: 1');

const percentage = (most: number) => quantity(0, most, 'a percentage');
const milliseconds = (least: number, most: number) => quantity(least, most, 'milliseconds');

/** Limits with their defaults; a percentage of 0 to 100 unless a schema is given. */
const limits = <Name extends Exclude<keyof typeof DEFAULT_RULES, 'generatorLagMs'>>(
  rows: Record<Name, readonly [why: string, schema?: z.ZodNumber]>,
) =>
  Object.fromEntries(
    (Object.entries(rows) as [Name, (typeof rows)[Name]][]).map(([name, [why, schema = percentage(100)]]) => [
      name,
      schema.default(DEFAULT_RULES[name]).describe(why),
    ]),
  ) as Record<Name, z.ZodDefault<z.ZodNumber>>;

export const rulesSchema = (operations: readonly OperationSpec[]) =>
  map({
    ...limits({
      sentPercent: ['Below this share of the scheduled operations sent, the load was not sustained'],
    }),
    rejectedPercent: rejectedPercent(operations),
    lostDeliveriesPercent: percentage(100)
      .optional()
      .describe('Percentage of deliveries that may be lost; more is a breach. Default: 0'),
    ...limits({
      steadyThroughputPercent: [
        'Throughput may have another level at the end than at the beginning, by so much of the lower one',
        percentage(1000),
      ],
      steadyP95Percent: ['And so may p95', percentage(1000)],
      confidencePercent: [
        'Confidence with which a percentile must be met; 0 disables the check of the sample size',
        percentage(99.99),
      ],
      generatorLoopDelayMs: ['A load generator blocked for longer is not healthy', milliseconds(1, 60_000)],
      generatorStalledPercent: ['Nor is one late for more of the time'],
      generatorUtilisationPercent: ['Nor is one that is busier', quantity(1, 100, 'a percentage')],
    }),
    generatorLagMs: milliseconds(0, 60_000)
      .nullable()
      .default(DEFAULT_RULES.generatorLagMs)
      .describe(
        'Nor one whose own lag has a higher p99. Default: a tenth of the tightest p95 budget, 5 at least',
      ),
    ...limits({
      calibrationPercent: ['Percentage of the schedule that calibration must keep'],
      stealMeanPercent: ['CPU that the hypervisor took, on average'],
      stealMaxPercent: ['and in any second'],
      throttledPeriods: ["Of the generator's control group", whole(0, 1_000_000)],
      memoryPressurePercent: ['Percentage of time in which everything waited for memory (PSI full)'],
      cpuPressurePercent: ["Percentage of time in which something waited for the generator's CPU (PSI some)"],
      foreignCpuPercent: ['Percentage of the host used by processes outside the run'],
      canaryDriftPercent: ['Difference of the canary before and after the run', percentage(100_000)],
      clockDriftMs: ['Wall clock against monotonic clock', milliseconds(0, 3_600_000)],
    }),
  });

const MOST_STAGES = 20;
const MOST_RATE = 100;
const MOST_CHURN = 100_000;

const stageName = () =>
  word(/^[a-z][a-z0-9-]{0,31}$/, "a stage's name of lower-case letters, digits and '-'");

export const churnSchema = map({
  perSecond: quantity(0, MOST_CHURN, 'a rate per second').describe(
    'Players who leave and rejoin, per second',
  ),
  away: duration('10ms', '1h').prefault('1s').describe('Time from leaving to rejoining'),
});

const stage = map({
  name: stageName(),
  lasting: duration('100ms', '24h').describe(
    'Length of the stage; all stages together are the measure phase',
  ),
  rate: quantity(0, MOST_RATE, 'a multiple of the rates')
    .default(1)
    .describe('Multiple of the rates of the load'),
  over: duration('0s', '24h')
    .prefault('0s')
    .describe('Time in which the rate changes linearly to that of the stage'),
  // Without a default, so that the hash of a scenario that does not name it stays the same.
  players: whole(1, 1_000_000)
    .optional()
    .describe(
      'Players connected in the stage; default: load.players. They join and leave at connectsPerSecond',
    ),
  churn: churnSchema.optional(),
  reconnect: map({
    sharePercent: quantity(0.001, 100, 'a percentage').default(100).describe('Of the players'),
  })
    .optional()
    .describe('Reconnect storm: players cut off at the start of the stage'),
  sentPercent: quantity(0, 100, 'a percentage')
    .optional()
    .describe('Replaces sentPercent of the rules for this stage'),
});

export const stagesSchema = list(stage, MOST_STAGES, 'stages', 1);

export const OPERATORS = ['<', '<=', '>', '>=', '=', 'between', '~', 'is'] as const;

/**
 * A scenario is data from others: it may not set what makes PostgreSQL run a command, load a library, write elsewhere or
 * listen on other addresses.
 */
const UNSAFE_SETTING =
  /(_command$|_librar(y|ies)$|_library_path$|_file$|_director(y|ies)$|^include|^log_filename$|^jit_provider$|^primary_conninfo$|^port$|^local_preload)/;
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  shared_preload_libraries: ['', 'pg_stat_statements'],
  listen_addresses: ['', 'localhost', '127.0.0.1'],
};

/** What was expected instead of a setting; null when it is allowed. */
function settingProblem(name: string, value: SettingValue): string | null {
  const allowed = Object.hasOwn(HARMLESS, name) ? HARMLESS[name] : undefined;
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(name)) return "a setting's name as in postgresql.conf";
  if (allowed !== undefined && !allowed.includes(settingText(value))) {
    return `one of ${allowed.map((word) => `'${word}'`).join(', ')} (a scenario loads no code and opens no port)`;
  }
  if (allowed === undefined && UNSAFE_SETTING.test(name)) {
    return 'another setting: this one is not allowed in a scenario (it could run code, or write or listen elsewhere)';
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would start another setting
  return /[\0-\x1f\x7f]/.test(settingText(value)) ? 'a value on one line' : null;
}

const settingText = (value: SettingValue): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

const settings = settingsMap({
  ...{ program: 'PostgreSQL', file: 'postgresql.conf', longest: 500 },
  ...{ problemOf: settingProblem, textOf: settingText },
});

export const postgresSchema = map({
  version: whole(10, 99).default(16).describe('Major version'),
  settings: settings.prefault({}).describe('As in postgresql.conf'),
  limits: limitsSchema.optional(),
});

export const deviationSchema = map({
  setting: line(100),
  documented: line(500),
  applied: line(500),
  reason: prose(1000),
});

export const ceilingsSchema = map({
  secondsEach: quantity(0, 600)
    .default(2)
    .describe('Seconds for each of the three measurements; 0 skips them'),
  rows: whole(1000, 10_000_000).default(100_000).describe('Rows of the scratch table'),
});

/** One fault a second for an hour; more is a mistake. */
const MOST_FAULTS = 3600;

export const probeSchema = map({
  tables: list(
    word(
      /^(?:[A-Za-z_]\w{0,62}\.)?[A-Za-z_]\w{0,62}$/,
      'the name of a table such as characters, or world.characters with its schema',
    ),
    100,
    'tables',
  )
    .min(1, { error: 'at least one table' })
    .optional()
    .describe('The tables whose row writes are counted. Default: all tables of users'),
});

export const FAULT_ACTIONS = ['kill', 'stop', 'restart', 'drop'] as const;

export const faultSchema = map({
  action: oneOf(FAULT_ACTIONS).describe(
    'kill: SIGKILL and a new start; restart: SIGTERM and a new start; stop: SIGSTOP and SIGCONT; drop: cut connections',
  ),
  of: word(
    /^[a-z][a-z0-9-]{0,63}$/,
    'a component of the stack such as postgres or world-1, or players (for drop)',
  ),
  at: duration('0s', '24h').describe('Time after the start of the phase'),
  phase: oneOf(['ramp', 'warm-up', 'measure']).default('measure'),
  lasting: duration('0s', '1h')
    .prefault('1s')
    .describe('Time until the new start (kill; at least that of restart) or SIGCONT (stop)'),
  sharePercent: quantity(0.001, 100, 'a percentage')
    .default(100)
    .describe('Percentage of the players, for drop'),
  times: whole(1, MOST_FAULTS).default(1),
  every: duration('100ms', '24h').prefault('10s').describe('Interval between repetitions'),
});

const claimId = word(/^[A-Z]{2,5}-\d{1,4}$/, 'a claim id such as FLX-151');
const metric = word(
  /^(?:[A-Za-z]\w{0,60}(?:\.\w[\w-]{0,63}){0,6}|target\.metrics\.[\x20-\x7e]{1,280})$/,
  'a path in report.json; capbench metrics lists them',
);
const limit = z.union([z.number(), z.tuple([z.number(), z.number()]), line(200, 0)], {
  error: 'a number, [low, high] or text',
});
const source = map({ document: line(200), heading: line(200), line: whole(1, 1_000_000) });
const title = line(300);
const why = prose(1000).min(1, { error: 'the reason, in a sentence' });

/** A budget of a scenario: for a claim, or (with an `id`) the user's own. */
export const budgetSchema = map({
  claim: claimId.optional().describe('A documented claim: title, op, limit, unit and source come from it'),
  id: word(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of letters, digits, '.', '_' or '-'").optional(),
  title: title.optional(),
  metric: metric.optional(),
  stat: word(/^[a-z]\w{0,20}$/i, 'a statistic such as p95, max or mean').optional(),
  op: oneOf(OPERATORS).optional(),
  limit: limit.optional(),
  unit: line(40)
    .optional()
    .describe("The limit's unit; for a claim only if the claim's unit is unknown to the metrics"),
  condition: line(200).optional(),
  stage: stageName().optional().describe('Name of a stage: the figure is then that of the stage'),
  fullLoad: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe('Judged only at scale 1; unmeasured at another scale'),
  optional: z
    .boolean({ error: 'true or false' })
    .optional()
    .describe('For a budget of your own: without a figure, the run is still valid'),
  contradicted: why.optional().describe('Why the document contradicts itself here'),
  reading: why
    .optional()
    .describe('How the claim is interpreted; required if op or limit differ from the claim'),
});

/** A budget of a bundle's scenario.yaml, with its claim resolved. */
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
export const resolvedBudgetSchema = z.discriminatedUnion(
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

const MOST_WATCHED = 50;
/** Metrics of a target's Prometheus pages, as they are written. */
export const watchSchema = list(
  line(300).refine((text) => watchedSelector(text) !== null, {
    error: 'a metric of a Prometheus page, such as http_requests_total{code="500"}',
  }),
  MOST_WATCHED,
  'metrics',
).refine((all) => new Set(all.map((text) => watchedSelector(text)?.text)).size === all.length, {
  error: 'each metric once',
});

export const MOST_BUDGETS = 1000;
const claimIds = list(claimId, MOST_BUDGETS, 'claim ids', 1);
export const contradictedSchema = map({ why, claims: claimIds });

/** What a claim that no run can test lacks, by kind: the first word of the reason. */
const UNTESTABLE_KINDS: readonly string[] = [
  ...['hardware', 'price', 'vendor', 'duration', 'procedure', 'no-number', 'component', 'arithmetic'],
];
const missing = prose(1000).regex(new RegExp(`^(?:${UNTESTABLE_KINDS.join('|')}): \\S`), {
  error: `a reason that begins with one of ${UNTESTABLE_KINDS.map((kind) => `${kind}:`).join(', ')}`,
});
export const untestableSchema = map({ missing, claims: claimIds });
