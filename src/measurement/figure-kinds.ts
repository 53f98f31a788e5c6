import { z } from 'zod';
import type { Metric } from '../scenario/budget.ts';

/** Properties of a figure that JSON Schema cannot express. */
const METRICS = z.registry<Omit<Metric, 'stages'>>();

type Within = Metric['within'];

function metric<S extends z.ZodType>(
  schema: S,
  unit: string,
  stats: Metric['stats'],
  description: string | undefined,
  within?: Within,
): S {
  const described = description === undefined ? schema : schema.describe(description);
  METRICS.add(described, within === undefined ? { unit, stats } : { unit, stats, within });
  return described;
}

const number = z.number().nullable();
export const text = z.string();

/** A number; null when it was not measured, never 0. */
export const figure = (unit: string, description?: string) =>
  metric(z.number().nullable(), unit, null, description);
/** A number that is never null. */
export const known = (unit: string, description?: string) => metric(z.number(), unit, null, description);
export const words = (description?: string) => metric(z.string(), 'text', null, description);

const SPREAD = { mean: number, min: number, max: number };
/** Over the seconds of the measure phase. */
export const spread = (unit: string, description?: string, within?: Within) =>
  metric(z.object(SPREAD), unit, Object.keys(SPREAD), description, within);

const SLOPE = { slope: number, low: number, high: number };
/** The slope of a line through `points` means, and the 95% interval of its error. */
export const slope = (unit: string, description?: string) =>
  metric(z.object({ ...SLOPE, points: z.number() }), unit, Object.keys(SLOPE), description);

const QUANTILES = { p50: number, p95: number, p99: number };
/** Figures of bucketed values. */
export const quantiles = (unit: string, description?: string) =>
  metric(z.object(QUANTILES), unit, Object.keys(QUANTILES), description);

const PERCENTILES = {
  ...{ p50: number, p90: number, p95: number, p99: number, p999: number },
  ...{ min: number, max: number, mean: number },
};
/** Figures of `count` values in milliseconds. */
export const percentiles = (description?: string) =>
  metric(z.object({ ...PERCENTILES, count: z.number() }), 'ms', Object.keys(PERCENTILES), description);
const withUnanswered = (unanswered: z.ZodNumber) =>
  z.object({ ...PERCENTILES, count: z.number(), unanswered });
/**
 * Of operations of which some have no answer: those count as slower than every other, and a percentile among them
 * is null. `min`, `max`, `mean` and `count` are of what was answered.
 */
export const openPercentiles = (description?: string, unanswered = z.number()) =>
  metric(withUnanswered(unanswered), 'ms', Object.keys(PERCENTILES), description);
/** The same, but not available to budgets. */
export const unnamedPercentiles = (description: string) => withUnanswered(z.number()).describe(description);

/** Figures for each operation, by its id. */
export const ofOperations = <S extends z.ZodType>(of: S) => z.record(text, of);

/** Deeply read-only, since measured facts never change. */
type Fixed<T> = { readonly [K in keyof T]: Fixed<T[K]> };
export type Read<S extends z.ZodType> = Fixed<z.infer<S>>;

/**
 * The metrics of a schema of figures by their paths below `path`: every figure with a unit. Figures by operation give one
 * metric for each operation; lists and other records give none.
 */
export function* metricsIn(
  schema: z.core.$ZodType,
  operations: readonly string[],
  path = '',
): Generator<[path: string, metric: Omit<Metric, 'stages'>]> {
  const own = METRICS.get(schema);
  if (own !== undefined) yield [path, own];
  const below = (key: string, of: z.core.$ZodType) =>
    metricsIn(of, operations, path === '' ? key : `${path}.${key}`);
  if (schema instanceof z.ZodObject) {
    for (const [key, of] of Object.entries<z.core.$ZodType>(schema.shape)) yield* below(key, of);
  } else if (schema instanceof z.ZodRecord) {
    for (const id of operations) yield* below(id, schema.valueType);
  } else if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) {
    yield* metricsIn(schema.unwrap(), operations, path);
  }
}
