import { z } from 'zod';
import { badInput, messageOf } from '../errors.ts';
import { countOf, EMPTY_HISTOGRAM, type HistogramData } from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import { bucketEnds } from '../load/k6/buckets.ts';
import {
  CONNECT,
  COUNT_KINDS,
  counterOf,
  GO,
  SUMMARY_ORIGIN,
  type SummaryOrigin,
  TIMED_KINDS,
  type TimedKind,
  TOTAL_KINDS,
  type TotalKind,
  totalOf,
  trendOf,
} from '../load/k6/metrics.ts';
import { mapOperations, type PerOperation } from '../scenario/operations.ts';
import { findDoubleKey } from './json-text.ts';
import { addCounts, answeredOf, NO_COUNTS } from './sent.ts';

/** Histograms are in microseconds. */
export interface K6Operation extends Readonly<Record<TimedKind, HistogramData>> {
  /** Due in the measure phase. */
  readonly measured: Counts;
  /** Due in the whole run. */
  readonly whole: Counts;
}

/** What one k6 process recorded of a script that capbench exported. */
export interface K6Summary {
  readonly origin: SummaryOrigin;
  readonly operations: PerOperation<K6Operation>;
  readonly connect: HistogramData;
  readonly totals: Readonly<Record<TotalKind, number>>;
  /** GO by the wall clock, in milliseconds. */
  readonly go: number;
}

const LARGEST = 1e15;
const amount = z.number().min(0).max(LARGEST);
const count = z.int().min(0);
const text = z.string().max(1000);
/** As k6 writes an execution segment: `0:1/3`. */
export const SEGMENT = /^(\d{1,9})(?:\/([1-9]\d{0,8}))?:(\d{1,9})(?:\/([1-9]\d{0,8}))?$/;

const BUCKET_ENDS = bucketEnds();

const originSchema = z.looseObject({
  schemaVersion: z.literal(2),
  scenario: text,
  scenarioHash: z.string().regex(/^[0-9a-f]{64}$/),
  durationSeconds: z.number().positive().max(LARGEST),
  run: text.nullable(),
  process: z.string().regex(/^[\w-]{1,100}$/),
  segment: z.string().regex(SEGMENT),
  failed: text.optional(),
  buckets: z.record(text, z.array(z.tuple([count, count])).max(BUCKET_ENDS.length)).optional(),
});
const counterSchema = z.object({ type: z.literal('counter'), values: z.object({ count: amount }) });
/** The last year of four digits. */
const LAST = Date.UTC(9999, 0);
const gaugeSchema = z.object({
  type: z.literal('gauge'),
  values: z.object({ value: z.number().min(0).max(LAST) }),
});
/** In milliseconds. */
const trendSchema = z.object({
  type: z.literal('trend'),
  values: z.object({ count, min: amount, avg: amount, max: amount }),
});

/** A script has some fifty. */
const MOST_METRICS = 10_000;
const ENDS: ReadonlySet<number> = new Set(BUCKET_ENDS);

/**
 * Reads a summary file; of each operation, `perRequest` says how many go in one request, which is one value of a trend.
 * @throws CapbenchError (104) when it is none, not of a script that capbench exported, or contradicts itself
 */
export function readK6Summary(shown: string, content: string, perRequest: PerOperation<number>): K6Summary {
  const refuse = (what: string, hint = EXPECTED) => badInput(`${shown} ${what}`, hint);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw refuse(`is not JSON: ${messageOf(error).slice(0, 200)}`);
  }
  const double = findDoubleKey(content);
  if (double !== null) {
    throw refuse(`line ${double.line}: the key ${JSON.stringify(double.key).slice(0, 100)} appears twice`);
  }
  const check = <T extends z.ZodType>(schema: T, part: unknown, where: string): z.infer<T> => {
    const result = schema.safeParse(part, {
      error: ({ input, message }) => (input === undefined ? 'missing' : message),
    });
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [where, ...(issue?.path ?? [])].join('.');
    throw refuse(`is no such summary: ${path}: ${issue?.message}`);
  };
  const whole = check(z.record(z.string(), z.unknown()), value, 'the whole');
  if (isEarlier(whole[SUMMARY_ORIGIN])) {
    throw refuse(
      'was written by a script that an earlier capbench exported: it holds no histograms',
      'export the script again (capbench export), and run k6 with the new one',
    );
  }
  const origin = check(originSchema, whole[SUMMARY_ORIGIN], SUMMARY_ORIGIN);
  if (origin.failed !== undefined) throw refuse(`holds no figures: ${origin.failed}`);
  const metrics = check(z.record(z.string(), z.unknown()), whole.metrics, 'metrics');
  if (Object.keys(metrics).length > MOST_METRICS) {
    throw refuse(`holds ${Object.keys(metrics).length} metrics`);
  }
  if (metrics[GO] === undefined) {
    throw refuse('has no GO: the script ended before its load began, see what k6 reported');
  }

  /** k6 counts in floating point. */
  const counter = (name: string): number => {
    const { count } = check(counterSchema, metrics[name], `metrics.${name}`).values;
    if (!Number.isSafeInteger(count)) throw refuse(`is no such summary: metrics.${name} is not whole`);
    return count;
  };
  const histogram = (trend: string): HistogramData => {
    const buckets = origin.buckets?.[trend] ?? [];
    const isAscending = buckets.every(([end], i) => ENDS.has(end) && end > (buckets[i - 1]?.[0] ?? -1));
    if (!isAscending) throw refuse(`is no such summary: capbench.buckets.${trend} are not its buckets`);
    const [first, last] = [buckets[0], buckets.at(-1)];
    if (first === undefined || last === undefined) return EMPTY_HISTOGRAM;
    return {
      counts: buckets.map(([end, n]) => [end * 1e3, n]),
      ...{ min: first[0] * 1e3, max: last[0] * 1e3 },
      sum: buckets.reduce((sum, [end, n]) => sum + end * 1e3 * n, 0),
    };
  };
  /** The buckets, with what k6 itself knows exactly of the trend, each of whose values stands for `each`. */
  const timed = (name: string, each: number): HistogramData => {
    const data = histogram(name);
    const total = countOf(data);
    if (total === 0 && metrics[name] === undefined) return data;
    const { count, min, avg, max } = check(trendSchema, metrics[name], `metrics.${name}`).values;
    if (count * each !== total)
      throw refuse(`${STOPPED}: ${name} has ${count * each} values, its buckets ${total}`, LET_END);
    if (total === 0) return data;
    const [lowest, highest] = [data.counts[0]?.[0] ?? 0, data.counts.at(-1)?.[0] ?? 0];
    const fits =
      min <= avg && avg <= max && min * 1e3 <= lowest && (max * 1e3 <= highest || highest === HIGHEST);
    if (!fits) throw refuse(`contradicts itself: the values of metrics.${name} are not those of its buckets`);
    return {
      counts: data.counts,
      min: Math.round(min * 1e3),
      max: Math.round(max * 1e3),
      sum: avg * 1e3 * total,
    };
  };
  const counts = (operation: string, early: boolean): Counts => {
    const all = {
      ...NO_COUNTS,
      ...Object.fromEntries(COUNT_KINDS.map((kind) => [kind, counter(counterOf(operation, kind, early))])),
    };
    if (all.failedUnsent > all.failed) {
      throw refuse(
        `contradicts itself: ${all.failedUnsent} ${operation} operations failed unsent, of ${all.failed} that failed`,
      );
    }
    const settled = all.ok + all.rejected + all.failed + all.timedOut + all.skipped + all.unfinished;
    if (settled !== all.scheduled) {
      throw refuse(
        `${STOPPED}: ${all.scheduled} ${operation} operations were due and ${settled} have an outcome`,
        LET_END,
      );
    }
    return all;
  };
  return {
    origin,
    operations: mapOperations(perRequest, (each, id) => {
      const measured = counts(id, false);
      const times = Object.fromEntries(
        TIMED_KINDS.map((kind) => [
          kind,
          kind === 'rejected' ? histogram(trendOf(id, kind)) : timed(trendOf(id, kind), each),
        ]),
      ) as Record<TimedKind, HistogramData>;
      for (const [kind, expected] of [
        ...(['due', 'service', 'lag'] as const).map((kind) => [kind, answeredOf(measured)] as const),
        ['rejected', measured.rejected] as const,
      ]) {
        const found = countOf(times[kind]);
        if (found === expected) continue;
        throw refuse(
          `${STOPPED}: ${expected} ${id} operations were counted, and ${found} are in the buckets of ${kind}`,
          LET_END,
        );
      }
      return { measured, whole: addCounts([measured, counts(id, true)]), ...times };
    }),
    connect: timed(CONNECT, 1),
    totals: Object.fromEntries(TOTAL_KINDS.map((kind) => [kind, counter(totalOf(kind))])) as Record<
      TotalKind,
      number
    >,
    go: check(gaugeSchema, metrics[GO], `metrics.${GO}`).values.value,
  };
}

const EXPECTED =
  'expected the summary that a script of `capbench export k6` writes at its end (capbench-summary.json)';
const STOPPED = 'does not hold the whole run';
const LET_END =
  'a virtual user adds its histograms when it ends: let k6 run to its end, and export the script again if it was changed';
/** The end of the last bucket, in microseconds: what is slower is in it. */
const HIGHEST = (BUCKET_ENDS.at(-1) ?? 0) * 1e3;

const isEarlier = (origin: unknown): boolean =>
  typeof origin === 'object' && origin !== null && 'schemaVersion' in origin && origin.schemaVersion === 1;
