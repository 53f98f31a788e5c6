import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { EMPTY_HISTOGRAM, type HistogramData } from '../histogram.ts';
import { valueAt } from '../scenario/finding.ts';
import type { Path } from '../scenario/problem.ts';
import { OPERATIONS } from '../scenario/workload.ts';
import { contradictionsOf } from './contradictions.ts';
import { findDoubleKey } from './json-text.ts';
import type { Measurements } from './measurements.ts';

/** Far more than any run has of anything; what is larger would only be a burden. */
const MOST_ENTRIES = 10_000;
const MOST_PAIRS = 1_000_000;
const LONGEST_TEXT = 100_000;
/** Sums and products of such numbers stay finite. */
const LARGEST = 1e18;
/** A run lasts a day at most, and may take a while to start and to end; in seconds. */
const LONGEST_SECONDS = 200_000;

/** How many, or how much: whole numbers and others, never negative. */
const amount = z.number().min(0).max(LARGEST);
const count = z.int().min(0);
const moment = z.number().min(-LONGEST_SECONDS).max(LONGEST_SECONDS);
const text = z.string().max(LONGEST_TEXT);
const list = <T extends z.ZodType>(element: T) =>
  z.array(z.unknown()).max(MOST_ENTRIES).pipe(z.array(element));

/** Pairs of numbers by the hundred thousand: one look at each, and one problem for all. */
function pairs(fits: (first: number, second: number) => boolean, what: string) {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    typeof pair[0] === 'number' &&
    typeof pair[1] === 'number' &&
    fits(pair[0], pair[1]);
  return z.custom<readonly (readonly [number, number])[]>(
    (value) => Array.isArray(value) && value.length <= MOST_PAIRS && value.every(isPair),
    { error: `expected ${what}` },
  );
}
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const counts = z
  .object({
    scheduled: count,
    ok: count,
    rejected: count,
    failed: count,
    failedUnsent: count.optional(),
    timedOut: count,
    skipped: count,
    unfinished: count,
  })
  // In bundles of before the two were told apart, nothing that failed counted as sent.
  .transform((all) => ({ ...all, failedUnsent: all.failedUnsent ?? all.failed }));
const histogram: z.ZodType<HistogramData> = z.object({
  counts: pairs((value, n) => isCount(value) && isCount(n), 'pairs of a value in microseconds and a count'),
  min: count,
  max: count,
  sum: amount,
});
const operation = z.object({
  whole: counts,
  measured: counts,
  due: histogram,
  rejected: histogram.nullable().default(null),
  net: histogram.nullable().default(null),
  service: histogram,
  lag: histogram,
  // Bundles of older runs do not have what came later.
  ownLag: histogram.default(EMPTY_HISTOGRAM),
  windows: list(histogram).default([]),
});
const stageOperation = z.object({
  measured: counts,
  due: histogram,
  rejected: histogram.nullable().default(null),
  service: histogram,
  lag: histogram,
  windows: list(histogram),
});
const stage = z.object({
  name: text,
  from: moment,
  levelFrom: moment,
  to: moment,
  rateBefore: amount,
  rate: amount,
  operations: z.object({ intent: stageOperation, monsterCommand: stageOperation }),
  disconnects: count,
  reconnects: count,
  left: count,
  joined: count,
  connect: histogram,
  reconnect: histogram,
  cut: count,
  fullStrength: count.nullable(),
});
const series = z.object({
  kind: z.enum(['counter', 'gauge']),
  points: pairs(
    (at, value) => Math.abs(at) <= LONGEST_SECONDS && Math.abs(value) <= LARGEST,
    'pairs of a time in seconds and a finite value',
  ),
  thinned: count.optional(),
});
const buckets = z.object({ bounds: list(amount), counts: list(count) });
const seconds = moment.nullable();

/** The shape of measurements.json, for reading it back. What is not named here is dropped. */
const measurementsSchema: z.ZodType<Measurements> = z.object({
  schemaVersion: z.literal(1),
  capbench: text,
  scenarioHash: text,
  scheduleHash: text.nullable(),
  startedAt: z.iso.datetime(),
  commit: text.nullable(),
  ending: z.discriminatedUnion('state', [
    z.object({ state: z.literal('completed') }),
    z.object({ state: z.literal('stoppedEarly'), because: text }),
    z.object({ state: z.literal('interrupted'), phase: text }),
    z.object({ state: z.literal('stackFailed'), because: text, hint: text }),
  ]),
  engine: text,
  workers: count,
  colocated: z.boolean(),
  stackKind: z.enum(['local', 'target']),
  phases: z.object({ stackUp: seconds, connect: seconds, ready: seconds, go: seconds, end: moment }),
  measured: z.object({ from: moment, to: moment }).nullable(),
  peakCcu: count,
  connect: z.object({ failed: count, histogram }),
  disconnects: count,
  reconnects: count.default(0),
  reconnect: histogram.default(EMPTY_HISTOGRAM),
  strayAnswers: count.default(0),
  operations: z.object({ intent: operation, monsterCommand: operation }),
  stages: list(stage).default([]),
  series: z.record(text, series).refine((all) => Object.keys(all).length <= MOST_ENTRIES),
  probes: list(
    z.object({
      ...{ name: text, samples: count, gaps: count, lastError: text.nullable() },
      measured: z.object({ samples: count, gaps: count }).optional(),
    }),
  ),
  worlds: z.object({ batchOperations: buckets, flushMs: buckets, responseMs: buckets }).nullable(),
  integrity: z
    .object({
      sent: count,
      acked: count,
      // What a database that lost its statistics or its rows tells may be less than it was before GO.
      applied: z.int(),
      lost: count,
      phantom: count,
      duplicated: count,
      holes: count,
      entities: count,
      open: count.optional(),
      hashed: z.boolean().optional(),
      examples: list(text),
      rowWritesServers: z.int(),
      rowWritesPostgres: z.int(),
    })
    .nullable(),
  welcomes: z.object({ forgotten: count, invented: count, examples: list(text) }).optional(),
  ceilings: z
    .object({
      insertsPerSecond: amount,
      updatesPerSecondSingle: amount,
      updatesPerSecondBatched: amount,
      batchRows: count,
      connections: count,
      statement: text,
    })
    .nullable(),
  calibration: z
    .object({
      of: z.string().optional(),
      seconds: amount,
      ratePerSecond: amount,
      targetPerSecond: amount,
      answeredPercent: amount,
      utilisationPercent: amount.nullable(),
      ownLagP99Ms: amount.nullable(),
      dueP99Ms: amount.nullable(),
    })
    .nullable()
    .default(null),
  canary: z.object({ beforeMs: amount, afterMs: amount.nullable() }).nullable().default(null),
  clockDriftMs: z.number().min(-LARGEST).max(LARGEST).default(0),
  faults: list(
    z.object({
      id: text,
      action: z.enum(['kill', 'stop', 'drop']),
      of: text,
      from: moment,
      to: seconds,
      dropped: count.nullable(),
      rows: z.object({ lost: count, phantom: count, duplicated: count, holes: count }).nullable(),
      error: text.nullable(),
    }),
  ).default([]),
  foreign: list(z.object({ name: text, pid: count, cpuSeconds: amount })).default([]),
  host: z.object({
    cpuModel: text,
    cpus: z.int().positive(),
    memoryBytes: z.int().positive(),
    kernel: text,
    platform: text,
    arch: text,
    node: text,
  }),
  settings: list(
    z.object({
      setting: text,
      documented: text,
      applied: text,
      reason: text.nullable(),
      hardware: z.boolean(),
    }),
  ),
  errors: list(text),
  absences: list(z.object({ of: text, because: text, event: z.literal(true).optional() })).optional(),
  unreadable: list(z.object({ of: text, because: text })).optional(),
  probesAsked: list(text).optional(),
  histograms: z.record(text, buckets).optional(),
});

/** What reading text as measurements led to. */
export type Parsed =
  | { readonly state: 'valid'; readonly measurements: Measurements }
  | { readonly state: 'invalid'; readonly problems: readonly string[] };

const SHOWN = 3;
const LONGEST_PROBLEM = 300;

/** What bundles of older runs have none of: it is there as a whole, or not at all. */
const NEWER = ['reconnects', 'reconnect', 'strayAnswers', 'calibration', 'canary', 'clockDriftMs', 'faults'];
const NEWER_OF_OPERATIONS = ['ownLag', 'windows'];
/** And of those that are less old. */
const NEWEST_OF_OPERATIONS = ['whole', 'measured'].map((scope) => [scope, 'failedUnsent']);

/** Reads the text of a measurements.json; says in words what is wrong with it, the first few problems. */
export function parseMeasurements(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return invalid([`it is not JSON: ${messageOf(error)}`]);
  }
  const double = findDoubleKey(text);
  if (double !== null) {
    return invalid([`line ${double.line}: the key ${JSON.stringify(double.key)} is there twice`]);
  }
  return readMeasurements(value);
}

/** The same, of what stands in the text. */
export function readMeasurements(value: unknown): Parsed {
  const result = measurementsSchema.safeParse(value, {
    error: ({ input, message }) => (input === undefined ? 'nothing is there' : message),
  });
  if (!result.success) {
    return invalid(
      result.error.issues.map(
        ({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`,
      ),
    );
  }
  const wrong = [...missingOf(value), ...contradictionsOf(result.data)];
  return wrong.length > 0 ? invalid(wrong) : { state: 'valid', measurements: result.data };
}

/** The newer facts that are not there, where others are. */
function missingOf(value: unknown): string[] {
  const newer: Path[] = [
    ...NEWER.map((key) => [key]),
    ...OPERATIONS.flatMap((op) => NEWER_OF_OPERATIONS.map((key) => ['operations', op, key])),
  ];
  const newest: Path[] = OPERATIONS.flatMap((op) =>
    NEWEST_OF_OPERATIONS.map((path) => ['operations', op, ...path]),
  );
  return [newer, newest].flatMap((paths) => {
    const missing = paths.filter((path) => valueAt(value, path) === undefined);
    return missing.length === paths.length
      ? []
      : missing.map((path) => `${path.join('.')}: nothing is there`);
  });
}

const shortened = (problem: string): string =>
  problem.length > LONGEST_PROBLEM ? `${problem.slice(0, LONGEST_PROBLEM)}...` : problem;

function invalid(problems: readonly string[]): Parsed {
  const rest = problems.length - SHOWN;
  const shown = problems.slice(0, SHOWN).map(shortened);
  return { state: 'invalid', problems: rest > 0 ? [...shown, `and ${rest} more`] : shown };
}
