import { z } from 'zod';
import { CAUSES } from '../judge/gap.ts';
import { OPERATORS } from '../scenario/budget.ts';
import { faultSchema } from './fault-schema.ts';
import {
  count,
  counts,
  figure,
  latency,
  loadShares,
  operations,
  percentiles,
  quantiles,
  spread,
  text,
} from './figure-schemas.ts';
import { stageSchema } from './stage-schema.ts';

const metricFigures = z.object({
  ...{ mean: figure, min: figure, max: figure, last: figure },
  ...{ rate: figure, increase: figure },
  ...{ p50: figure, p90: figure, p95: figure, p99: figure, count: figure },
  largestBound: figure.describe('Of a histogram: a percentile that reached it may be anything above.'),
});
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
  samples: figure,
  reason: text.nullable(),
  cause: z
    .enum(CAUSES)
    .optional()
    .describe('Of `unmeasured` alone: what did not tell it. `run`: this run could have, and did not.'),
  optional: z.boolean().optional().describe('A budget of the user’s own that may go without a figure.'),
});

const rule = z.object({
  id: text,
  state: z.enum(['held', 'broken', 'not-applicable']),
  observed: z.union([z.number(), text]).nullable(),
  limit: z.union([z.number(), text]).nullable(),
  defaultLimit: z.union([z.number(), text]).nullable().describe('Where a scenario names none.'),
  relaxed: z.boolean().describe('The limit of the scenario is easier to keep than the default.'),
  decides: z.boolean().describe('False: it is told, and is no part of the verdict.'),
  advice: text,
});

/** report.json, schemaVersion 1. Fields may be added, never changed. A figure that was not measured is null. */
export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  capbench: text,
  scenario: text,
  description: text,
  outcome: z.enum(['pass', 'fail', 'invalid']),
  exitCode: z.number().int(),
  headline: text.describe('One sentence: what the run has shown, and what it has not.'),
  invalidBecause: z.array(text).describe('Why there is no conclusion, and what to do.'),
  breachedBecause: z.array(text).describe('What was not held, budgets aside.'),
  notes: z.array(text).describe('What decides nothing: relaxed rules, a clock that was set.'),
  rulings: z.array(ruling),
  altered: z
    .array(text)
    .describe('What --set changed of players, rates, world and PostgreSQL: load.players=400.'),
  load: z.object({
    requestedCcu: count,
    peakCcu: count.describe('The most at once: a peak, whatever became of them.'),
    scale: z.number(),
    colocated: z.boolean().describe('Generator and servers ran on one host.'),
    durationSeconds: figure,
    operations: operations(counts).describe('Due in the measure phase.'),
    wholeRun: operations(counts).describe('Due in the whole run.'),
    ...loadShares,
  }),
  latency: operations(latency),
  throughput: z.object({
    operationsPerSecond: figure,
    intentsPerSecond: figure,
    monsterCommandsPerSecond: figure,
    operationsPerServerPerSecond: spread,
    serverSharePercent: spread,
    rowWritesPerSecond: figure,
    batchesPerSecond: figure,
    rowsPerBatch: figure,
    operationsPerBatch: figure,
    largestBatch: figure,
    flushedOnTimePercent: figure,
    coalescing: figure.describe('Operations per row write.'),
  }),
  world: z.object({
    servers: count,
    cpuPercentOfCore: spread.describe('Of the busiest server; 100 is one core.'),
    cpuPercentTotal: spread.describe('All servers, of as many cores as there are servers.'),
    memoryBytes: spread.describe('Of the largest server.'),
    memoryTotalBytes: spread,
    entities: spread,
    connections: spread,
    loopDelayMs: spread,
    waitedPercent: figure.describe('Of the time, ready to run without a CPU.'),
    responseMs: quantiles.describe('Received to acknowledged, inside the servers.'),
  }),
  database: z.object({
    connections: spread,
    hitRatioPercent: figure,
    queryMs: quantiles.describe('Round trip of a flush, as the world servers see it.'),
    statementMeanMs: figure,
    statementsPerSecond: figure,
    commitsPerSecond: figure,
    rowsUpdatedPerSecond: figure,
    hotUpdatePercent: figure,
    walBytesPerSecond: figure,
    workingSetBytes: spread,
    cpuPercentOfHost: spread,
    waitedPercent: figure,
    writersBusyPercent: figure.describe(
      'Of the time with a flush in flight: flushes a second of a server times the median round trip.',
    ),
    memoryPercentOfHost: spread,
  }),
  redis: z
    .object({
      operationsPerSecond: figure,
      usedMemoryBytes: spread,
      connections: spread,
      cpuPercentOfCore: spread,
      evictedKeys: figure,
      expiredKeys: figure,
      hitRatioPercent: figure,
      rejectedConnections: figure,
      errorReplies: figure,
      networkBytesPerSecond: figure,
    })
    .describe('Of a target’s Redis, by its INFO.'),
  target: z.object({
    metrics: z
      .record(text, metricFigures)
      .describe('Of a target’s metrics pages: what budgets name, in units of its own.'),
  }),
  absences: z
    .array(z.object({ of: text, because: text }))
    .describe('Of a target: what nobody could read, by paths of this file.'),
  network: z.object({
    bytesPerPlayerSecondIn: figure,
    bytesPerPlayerSecondOut: figure,
    bytesPerSecond: figure,
    connectMs: percentiles,
    connectsPerSecond: figure,
    disconnects: count,
    reconnects: count,
    reconnectMs: percentiles.describe('From the end of a connection to the welcome of the next one.'),
  }),
  integrity: z.object({
    sent: figure,
    acked: figure,
    applied: figure,
    lost: figure,
    phantom: figure,
    duplicated: figure,
    holes: figure,
    rowWritesServers: figure,
    rowWritesPostgres: figure,
    rowWritesDisagreePercent: figure,
  }),
  ceilings: z.object({
    insertsPerSecond: figure,
    updatesPerSecondSingle: figure,
    updatesPerSecondBatched: figure,
    batchSpeedup: figure,
    statement: text.nullable(),
  }),
  rules: z.array(rule),
  bottleneck: z.object({
    resource: z.enum(['server', 'generator', 'database', 'host', 'none']),
    evidence: text,
    resources: z
      .array(
        z.object({
          resource: z.enum(['server', 'generator', 'database', 'host']),
          utilisationPercent: figure,
          of: text.describe('What `utilisationPercent` is a share of.'),
          cpuPercentOfHost: figure,
          waitedPercent: figure.describe('Of the time, ready to run without a CPU.'),
          state: z.enum(['saturated', 'not saturated', 'unknown']),
        }),
      )
      .describe('Each by its own account.'),
  }),
  stages: z.array(stageSchema).describe('Of the measure phase, in order; times in seconds after GO.'),
  faults: z
    .array(faultSchema)
    .describe('In the order in which they began; times in seconds, `from` after GO.'),
  generator: z.object({
    engine: text,
    workers: count,
    cpuCores: figure,
    cpuPercentOfHost: figure,
    maxLoopDelayMs: figure,
    maxUtilisationPercent: figure,
    lagP99Ms: figure,
    ownLagP99Ms: figure.describe('The part of the lag that the generator itself caused.'),
    pushbackMeanMs: figure.describe('The mean of the rest: the server had not answered what went before.'),
    stalledPercent: figure.describe(
      'Of the time in which the event loop was late by more than 10 ms a turn.',
    ),
    waitedPercent: figure.describe('Of the time, ready to run without a CPU.'),
    memoryBytesPerPlayer: figure,
    cpuMicrosPerOperation: figure.describe('CPU of the generator for each answered operation.'),
    clockMs: z.number().describe('What the clock of the engine can tell apart.'),
    calibration: z
      .object({
        seconds: figure,
        targetPerSecond: figure,
        ratePerSecond: figure,
        answeredPercent: figure,
        utilisationPercent: figure,
        ownLagP99Ms: figure,
        dueP99Ms: figure,
      })
      .describe('Against a world that does nothing, before the run.'),
  }),
  host: z.object({
    cpuModel: text,
    cpus: count,
    memoryBytes: count,
    kernel: text,
    platform: text,
    arch: text,
    node: text,
    nodeMajor: count,
    cpuPercent: spread,
    otherCpuPercent: figure,
    stealPercent: figure,
    stealMaxPercent: figure.describe('Of the worst second.'),
    foreignCpuPercent: figure.describe('Used by processes that are not of the run.'),
    throttledPeriods: figure,
    memoryPressurePercent: figure.describe('PSI memory, full.'),
    cpuPressurePercent: figure.describe('PSI cpu, some.'),
    canaryDriftPercent: figure,
    clockDriftMs: z.number(),
    memoryUsedPercent: spread,
    memoryAvailableBytes: spread,
    networkBytesPerSecond: figure,
  }),
  stack: z.object({
    kind: text,
    documented: z.record(text, text),
    applied: z.record(text, text),
    reasons: z.record(text, text).describe('Why the two differ.'),
  }),
  phases: z
    .object({ stackUp: figure, connect: figure, ready: figure, go: figure, end: z.number() })
    .describe('Seconds from the start of capbench.'),
  ending: z.enum(['completed', 'stoppedEarly', 'interrupted', 'stackFailed']),
  probes: z.array(
    z.object({
      ...{ name: text, samples: count, gaps: count, lastError: text.nullable() },
      measured: z.object({ samples: count, gaps: count }).optional().describe('Of the measure phase alone.'),
    }),
  ),
  errors: z.array(text),
  scenarioHash: text,
  scheduleHash: text.nullable(),
  seed: z.number(),
  commit: text.nullable(),
  startedAt: text.describe('ISO 8601, UTC.'),
});

/** The JSON Schema that is committed as fixtures/schema/report.schema.json. */
export const reportJsonSchema = () => ({
  title: 'capbench report.json, schemaVersion 1',
  ...z.toJSONSchema(reportSchema, { io: 'input' }),
});
