import { z } from 'zod';
import { badInput, messageOf } from '../errors.ts';
import type { Counts } from '../load/engine.ts';
import {
  allCounters,
  COUNT_KINDS,
  counterOf,
  METRICS,
  SUMMARY_ORIGIN,
  type SummaryOrigin,
  TREND_KINDS,
  type TrendKind,
  trendOf,
  withinRateOf,
} from '../load/k6/metrics.ts';
import { mapOperations, type PerOperation } from '../scenario/operations.ts';
import { findDoubleKey } from './json-text.ts';

/** Of a trend k6 tells no histogram, but these, by its own names. Milliseconds. */
const STATISTICS = {
  ...({ count: 'count', mean: 'avg', min: 'min', p50: 'p(50)', p90: 'p(90)' } as const),
  ...({ p95: 'p(95)', p99: 'p(99)', p999: 'p(99.9)', max: 'max' } as const),
};
export type K6Trend = Readonly<Record<keyof typeof STATISTICS, number>>;
const RISING = ['min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;

export interface K6Rate {
  readonly passes: number;
  readonly fails: number;
}

/** What is null was not told. */
export interface K6Operation {
  /** Due in the measure phase. */
  readonly measured: Counts | null;
  /** Due before it. */
  readonly early: Counts | null;
  /** Operations that one sample of its trends, and one of its rates, stands for. */
  readonly perSample: number;
  readonly trends: Readonly<Record<TrendKind, K6Trend | null>>;
}

/** What one k6 process says at its end of a script that capbench exported. */
export interface K6Summary {
  readonly origin: SummaryOrigin;
  readonly operations: PerOperation<K6Operation>;
  readonly connect: K6Trend | null;
  readonly connected: number | null;
  readonly connectFailed: number | null;
  readonly disconnects: number | null;
  /** Those of them that were no player's. */
  readonly linesLost: number;
  readonly strayAnswers: number | null;
  /** GO by the wall clock, in milliseconds. */
  readonly go: number;
  /** Of latency budgets, by name: the share of all that was due. */
  readonly rates: ReadonlyMap<string, K6Rate>;
}

const LARGEST = 1e15;
const amount = z.number().min(0).max(LARGEST);
const count = z.int().min(0);
const text = z.string().max(1000);
/** As k6 writes an execution segment: `0:1/3`. */
export const SEGMENT = /^(\d{1,9})(?:\/([1-9]\d{0,8}))?:(\d{1,9})(?:\/([1-9]\d{0,8}))?$/;

const originSchema = z.looseObject({
  schemaVersion: z.literal(1),
  scenario: text,
  scenarioHash: z.string().regex(/^[0-9a-f]{64}$/),
  durationSeconds: z.number().positive().max(LARGEST),
  run: text.nullable(),
  process: z.string().regex(/^[\w-]{1,100}$/),
  segment: z.string().regex(SEGMENT),
  failed: text.optional(),
});
const counterSchema = z.object({ type: z.literal('counter'), values: z.object({ count: amount }) });
/** The last year of four digits. */
const LAST = Date.UTC(9999, 0);
const gaugeSchema = z.object({
  type: z.literal('gauge'),
  values: z.object({ value: z.number().min(0).max(LAST) }),
});
const rateSchema = z.object({
  type: z.literal('rate'),
  values: z.object({ passes: count, fails: count, rate: z.number().nullable() }),
});
const trendSchema = z.object({
  type: z.literal('trend'),
  values: z.object({
    ...Object.fromEntries(Object.values(STATISTICS).map((name) => [name, z.number()])),
    ...{ count, max: z.number().max(LARGEST) },
  }),
});

/** Metrics of k6's own are not looked at. */
const OURS = /^capbench_/;
/** A script has some fifty. */
const MOST_METRICS = 10_000;

/**
 * Reads a summary file; of each operation, `perSample` says how many one sample stands for.
 * @throws CapbenchError (104) when it is none, not of a script that capbench exported, or denies itself
 */
export function readK6Summary(shown: string, content: string, perSample: PerOperation<number>): K6Summary {
  const refuse = (what: string) =>
    badInput(
      `${shown} ${what}`,
      'expected the summary that a script of `capbench export k6` writes at its end (capbench-summary.json)',
    );
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw refuse(`is not JSON: ${messageOf(error).slice(0, 200)}`);
  }
  const double = findDoubleKey(content);
  if (double !== null) {
    throw refuse(`line ${double.line}: the key ${JSON.stringify(double.key).slice(0, 100)} is there twice`);
  }
  const check = <T extends z.ZodType>(schema: T, part: unknown, where: string): z.infer<T> => {
    const result = schema.safeParse(part, {
      error: ({ input, message }) => (input === undefined ? 'nothing is there' : message),
    });
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [where, ...(issue?.path ?? [])].join('.');
    throw refuse(`is no such summary: ${path}: ${issue?.message}`);
  };
  const whole = check(z.record(z.string(), z.unknown()), value, 'the whole');
  const origin = check(originSchema, whole[SUMMARY_ORIGIN], SUMMARY_ORIGIN);
  if (origin.failed !== undefined) throw refuse(`holds no figures: ${origin.failed}`);
  const all = Object.entries(check(z.record(z.string(), z.unknown()), whole.metrics, 'metrics'));
  if (all.length > MOST_METRICS) throw refuse(`holds ${all.length} metrics`);
  const metrics = new Map(all.filter(([name]) => OURS.test(name)));
  if (!metrics.has(METRICS.go)) {
    throw refuse('tells of no GO: the script ended before its load began, see what k6 said');
  }

  const counter = (name: string): number | null => {
    const found = metrics.get(name);
    return found === undefined ? null : check(counterSchema, found, `metrics.${name}`).values.count;
  };
  const trend = (name: string): K6Trend | null => {
    const found = metrics.get(name);
    if (found === undefined) return null;
    const values: Readonly<Record<string, number>> = check(trendSchema, found, `metrics.${name}`).values;
    // One that was never added to is there for its thresholds, and all zeros.
    if (values.count === 0) return null;
    const trend = Object.fromEntries(
      Object.entries(STATISTICS).map(([key, name]) => [key, values[name]]),
    ) as K6Trend;
    const falls = RISING.some((stat, i) => trend[stat] < trend[RISING[i - 1] ?? stat] || trend[stat] < 0);
    if (falls || trend.mean < trend.min || trend.mean > trend.max) {
      throw refuse(`denies itself: the statistics of metrics.${name} are out of order`);
    }
    return trend;
  };
  const counts = (operation: string, early: boolean): Counts | null => {
    const told = COUNT_KINDS.map((kind) => [kind, counter(counterOf(operation, kind, early))] as const);
    if (told.some(([, value]) => value === null)) return null;
    if (told.some(([, value]) => !Number.isSafeInteger(value))) {
      throw refuse(`is no such summary: the counts of ${operation} are not whole`);
    }
    const all = Object.fromEntries(told) as unknown as Counts;
    if (all.failedUnsent > all.failed) {
      throw refuse(
        `denies itself: ${all.failedUnsent} ${operation} operations failed unsent, of ${all.failed} that failed`,
      );
    }
    return all;
  };
  const rates = [...metrics].flatMap(([name, metric]) =>
    name.startsWith(withinRateOf(''))
      ? [[name, check(rateSchema, metric, `metrics.${name}`).values] as const]
      : [],
  );
  // Whatever the script counts has to be a count, also where nothing is made of it.
  for (const name of allCounters(Object.keys(perSample))) counter(name);
  return {
    origin,
    operations: mapOperations(perSample, (each, id) => ({
      measured: counts(id, false),
      early: counts(id, true),
      perSample: each,
      trends: Object.fromEntries(TREND_KINDS.map((kind) => [kind, trend(trendOf(id, kind))])) as Record<
        TrendKind,
        K6Trend | null
      >,
    })),
    connect: trend(METRICS.connect),
    connected: counter(METRICS.connected),
    connectFailed: counter(METRICS.connectFailed),
    disconnects: counter(METRICS.disconnects),
    linesLost: counter(METRICS.linesLost) ?? 0,
    strayAnswers: counter(METRICS.stray),
    go: check(gaugeSchema, metrics.get(METRICS.go), `metrics.${METRICS.go}`).values.value,
    rates: new Map(rates),
  };
}
