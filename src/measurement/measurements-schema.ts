import { z } from 'zod';
import { EMPTY_HISTOGRAM, type HistogramData } from '../histogram.ts';
import type { Measurements } from './measurements.ts';

const count = z.number().min(0);
const counts = z.object({
  scheduled: count,
  ok: count,
  rejected: count,
  failed: count,
  timedOut: count,
  skipped: count,
  unfinished: count,
});
const histogram: z.ZodType<HistogramData> = z.object({
  counts: z.array(z.tuple([count, count])),
  min: count,
  max: count,
  sum: count,
});
const operation = z.object({
  whole: counts,
  measured: counts,
  due: histogram,
  service: histogram,
  lag: histogram,
  // Bundles of older runs do not have what came later.
  ownLag: histogram.default(EMPTY_HISTOGRAM),
  windows: z.array(histogram).default([]),
});
const series = z.object({
  kind: z.enum(['counter', 'gauge']),
  points: z.array(z.tuple([z.number(), z.number()])),
});
const buckets = z.object({ bounds: z.array(count), counts: z.array(count) });
const seconds = z.number().nullable();

/** The shape of measurements.json, for reading it back. What is not named here is dropped. */
const measurementsSchema: z.ZodType<Measurements> = z.object({
  schemaVersion: z.literal(1),
  capbench: z.string(),
  scenarioHash: z.string(),
  scheduleHash: z.string().nullable(),
  startedAt: z.iso.datetime(),
  commit: z.string().nullable(),
  ending: z.discriminatedUnion('state', [
    z.object({ state: z.literal('completed') }),
    z.object({ state: z.literal('stoppedEarly'), because: z.string() }),
    z.object({ state: z.literal('interrupted'), phase: z.string() }),
    z.object({ state: z.literal('stackFailed'), because: z.string(), hint: z.string() }),
  ]),
  engine: z.string(),
  workers: count,
  colocated: z.boolean(),
  stackKind: z.enum(['local', 'target']),
  phases: z.object({ stackUp: seconds, connect: seconds, ready: seconds, go: seconds, end: z.number() }),
  measured: z.object({ from: z.number(), to: z.number() }).nullable(),
  peakCcu: count,
  connect: z.object({ failed: count, histogram }),
  disconnects: count,
  reconnects: count.default(0),
  reconnect: histogram.default(EMPTY_HISTOGRAM),
  strayAnswers: count.default(0),
  operations: z.object({ intent: operation, monsterCommand: operation }),
  series: z.record(z.string(), series),
  probes: z.array(
    z.object({ name: z.string(), samples: count, gaps: count, lastError: z.string().nullable() }),
  ),
  worlds: z.object({ batchOperations: buckets, flushMs: buckets, responseMs: buckets }).nullable(),
  integrity: z
    .object({
      sent: count,
      acked: count,
      applied: count,
      lost: count,
      phantom: count,
      duplicated: count,
      holes: count,
      entities: count,
      examples: z.array(z.string()),
      rowWritesServers: count,
      rowWritesPostgres: count,
    })
    .nullable(),
  ceilings: z
    .object({
      insertsPerSecond: count,
      updatesPerSecondSingle: count,
      updatesPerSecondBatched: count,
      batchRows: count,
      connections: count,
      statement: z.string(),
    })
    .nullable(),
  calibration: z
    .object({
      seconds: count,
      ratePerSecond: count,
      targetPerSecond: count,
      answeredPercent: count,
      utilisationPercent: count,
      ownLagP99Ms: count.nullable(),
      dueP99Ms: count.nullable(),
    })
    .nullable()
    .default(null),
  canary: z.object({ beforeMs: count, afterMs: count.nullable() }).nullable().default(null),
  clockDriftMs: z.number().default(0),
  faults: z
    .array(
      z.object({
        id: z.string(),
        action: z.enum(['kill', 'stop', 'drop']),
        of: z.string(),
        from: z.number(),
        to: seconds,
        dropped: count.nullable(),
        rows: z.object({ lost: count, phantom: count, duplicated: count, holes: count }).nullable(),
        error: z.string().nullable(),
      }),
    )
    .default([]),
  foreign: z.array(z.object({ name: z.string(), pid: count, cpuSeconds: count })).default([]),
  host: z.object({
    cpuModel: z.string(),
    cpus: z.number().positive(),
    memoryBytes: z.number().positive(),
    kernel: z.string(),
    platform: z.string(),
    arch: z.string(),
    node: z.string(),
  }),
  settings: z.array(
    z.object({
      setting: z.string(),
      documented: z.string(),
      applied: z.string(),
      reason: z.string().nullable(),
      hardware: z.boolean(),
    }),
  ),
  errors: z.array(z.string()),
});

/** What reading text as measurements led to. */
export type Parsed =
  | { readonly state: 'valid'; readonly measurements: Measurements }
  | { readonly state: 'invalid'; readonly problems: readonly string[] };

const SHOWN = 3;

/** Reads the text of a measurements.json; says in words what is wrong with it, the first few problems. */
export function parseMeasurements(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      state: 'invalid',
      problems: [`it is not JSON: ${error instanceof Error ? error.message : error}`],
    };
  }
  const result = measurementsSchema.safeParse(value);
  if (result.success) return { state: 'valid', measurements: result.data };
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`,
  );
  const rest = problems.length - SHOWN;
  return {
    state: 'invalid',
    problems: rest > 0 ? [...problems.slice(0, SHOWN), `and ${rest} more`] : problems,
  };
}
