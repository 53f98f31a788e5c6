import { z } from 'zod';
import { bottleneckSchema } from '../judge/bottleneck.ts';
import { boxesSchema } from '../judge/boxes.ts';
import { CAUSES } from '../judge/unmeasured.ts';
import { earlierAttemptSchema } from '../measurement/earlier-attempts.ts';
import { emulatedTierSchema } from '../measurement/emulated-tier.ts';
import { figuresSchemaOf, type Measured } from '../measurement/figures.ts';
import { gateSchema } from '../scenario/gate.ts';
import { OPERATORS } from '../scenario/sections.ts';

const text = z.string();
const count = z.number();
const figure = z.number().nullable();

const ruling = z.object({
  id: text,
  claim: text.nullable().describe('The id of a documented claim; null for a budget of the user’s own.'),
  title: text,
  condition: text.nullable(),
  source: z.object({ document: text, heading: text, line: count }).nullable(),
  metric: text.nullable().describe('A path in this file; null when no figure stands for the claim.'),
  stat: text.nullable(),
  op: z.enum(OPERATORS),
  limit: z.union([z.number(), z.tuple([z.number(), z.number()]), text]),
  unit: text.describe('As the document spells it.'),
  metricUnit: text.nullable().describe('The unit of `limit` and `observed`.'),
  stage: text.optional().describe('Whose figure it is; not there: of the whole measure phase.'),
  state: z.enum(['met', 'breached', 'unmeasured', 'contradicted', 'untestable']),
  observed: z.union([z.number(), text]).nullable(),
  observedAbove: z
    .number()
    .optional()
    .describe('Of a percentile that falls among unanswered operations: what it is above, in `metricUnit`.'),
  samples: figure,
  reason: text.nullable(),
  cause: z
    .enum(CAUSES)
    .optional()
    .describe(
      'Only of `unmeasured`: why there is no figure. `run`: this run could have measured it, and did not.',
    ),
  optional: z.boolean().optional().describe('A budget of the user’s own that may go without a figure.'),
});

const rule = z.object({
  id: text,
  title: text.describe('What the rule checks, in words.'),
  unit: text.describe('Of `limit` and `observed` where they are numbers; empty where they are texts.'),
  bound: z
    .enum(['at most', 'at least'])
    .nullable()
    .describe('On which side of a limit that is a number `observed` has to be.'),
  state: z.enum(['held', 'broken', 'not-applicable']),
  observed: z.union([z.number(), text]).nullable(),
  limit: z.union([z.number(), text]).nullable(),
  defaultLimit: z.union([z.number(), text]).nullable().describe('Where a scenario names none.'),
  relaxed: z.boolean().describe('The limit of the scenario is easier to keep than the default.'),
  decides: z.boolean().describe('False: the rule is reported and has no part in the verdict.'),
  advice: text,
});

/** What report.json holds beside the figures. */
export const envelopeSchema = z.object({
  schemaVersion: z.literal(1),
  capbench: text,
  scenario: text,
  system: text.optional().describe('What was under test; absent from reports of earlier versions.'),
  description: text,
  outcome: z.enum(['pass', 'fail', 'invalid']),
  exitCode: z.number().int(),
  headline: text.describe('One sentence: what the run has shown, and what it has not.'),
  invalidBecause: z.array(text).describe('Why there is no conclusion, and what to do.'),
  breachedBecause: z.array(text).describe('Rules of the load that were breached.'),
  notes: z.array(text).describe('What does not decide: relaxed rules, a clock that was set.'),
  rulings: z.array(ruling),
  altered: z
    .array(text)
    .describe('What --set changed of players, rates, world and PostgreSQL: load.players=400.'),
  tier: emulatedTierSchema
    .optional()
    .describe('The machine as which the stack was run, with --tier; absent: as this host.'),
  earlierAttempts: z
    .array(earlierAttemptSchema)
    .optional()
    .describe(
      'Attempts before this one that had no conclusion (--retry-invalid); absent of a first attempt.',
    ),
  operations: z
    .array(
      z.object({
        ...{ id: text, plural: text, label: text, short: text.optional() },
        due: z.literal('answer').optional().describe('It has no schedule: players begin it after answers.'),
      }),
    )
    .describe('What the load is made of, by the ids that the figures have, and in words.'),
  absences: z
    .array(z.object({ of: text, because: text }))
    .describe('Of a target: figures that could not be read, by their paths in this file.'),
  watch: z
    .array(text)
    .optional()
    .describe('What `watch:` names, as in `target.metrics`; absent where it names nothing.'),
  systemFigures: z
    .array(z.object({ path: text, unit: text, stats: z.array(text).nullable(), about: text }))
    .optional()
    .describe('The figures of sections that only this system has; absent where it has none.'),
  rules: z.array(rule),
  bottleneck: bottleneckSchema,
  boxes: boxesSchema
    .optional()
    .describe('Which limits hold the players, and by how much; absent without limits.'),
  phases: z
    .object({ stackUp: figure, connect: figure, ready: figure, go: figure, end: z.number() })
    .describe('Seconds from the start of capbench.'),
  ending: z.enum(['completed', 'stoppedEarly', 'interrupted', 'stackFailed']),
  probes: z.array(
    z.object({
      ...{ name: text, samples: count, gaps: count, lastError: text.nullable() },
      measured: z.object({ samples: count, gaps: count }).optional().describe('Only of the measure phase.'),
    }),
  ),
  errors: z.array(text),
  scenarioHash: text,
  conditions: z
    .record(text, text)
    .optional()
    .describe(
      'A hash of each section of the scenario that shapes load or stack, by its key; absent from earlier versions.',
    ),
  gate: gateSchema.optional().describe('When a version is worse than another one; absent: the defaults.'),
  scheduleHash: text.nullable(),
  seed: z.number(),
  commit: text.nullable(),
  startedAt: text.describe('ISO 8601, UTC.'),
});

/** The parts of a report.json from which claims of documents are ruled. */
export const ruledReportSchema = z.object({
  ...envelopeSchema.pick({
    ...{ schemaVersion: true, scenario: true, system: true, outcome: true, exitCode: true, headline: true },
    ...{ rulings: true, altered: true, tier: true },
  }).shape,
  // What has no time cannot be the newest.
  startedAt: z.iso.datetime(),
  load: z.object({ scale: z.number() }),
  host: z.object({ cpuModel: text, cpus: count }),
});

/**
 * report.json, schemaVersion 1, of a run of any system: figures that only some systems report are optional. Fields may be
 * added, never changed. A figure that was not measured is null.
 */
export const reportSchemaOf = (systems: readonly Measured[]): z.ZodObject =>
  z.object({ ...envelopeSchema.shape, ...figuresSchemaOf(systems).shape });

/** The JSON Schema that is committed as fixtures/schema/report.schema.json. */
export const reportJsonSchema = (systems: readonly Measured[]) => ({
  title: 'capbench report.json, schemaVersion 1',
  ...z.toJSONSchema(reportSchemaOf(systems), { io: 'input' }),
});
