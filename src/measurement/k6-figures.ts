import { type Counts, OUTCOMES } from '../load/engine.ts';
import { type TrendKind, withinRateOf } from '../load/k6/metrics.ts';
import { mapOperations, ofOperation, type PerOperation, perOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import {
  type Figures,
  type LatencyFigures,
  type OpenPercentiles,
  type Percentiles,
  rateKey,
} from './figures.ts';
import type { K6Operation, K6Rate, K6Summary, K6Trend } from './k6-summary.ts';
import { sharesOf } from './latency-figures.ts';
import { ratio, sumOf } from './readings.ts';
import { answeredOf, NO_COUNTS, unansweredOf, unansweredSentOf } from './sent.ts';

/** What there is of report.json's figures in k6 summaries; null where they do not tell. */
export interface K6Figures {
  readonly load: Pick<Figures['load'], 'requestedCcu' | 'scale'> &
    ReturnType<typeof sharesOf> & {
      readonly peakCcu: number | null;
      readonly durationSeconds: number;
      readonly operations: PerOperation<Counts | null>;
      readonly wholeRun: PerOperation<Counts | null>;
    };
  readonly latency: PerOperation<LatencyFigures>;
  readonly throughput: {
    readonly operationsPerSecond: number | null;
    /** `<plural>PerSecond` of each operation. */
    readonly [own: string]: number | null;
  };
  readonly network: { readonly connectMs: Percentiles; readonly disconnects: number | null };
  readonly generator: Pick<Figures['generator'], 'engine' | 'workers' | 'ownLagP99Ms'>;
  readonly stack: { readonly applied: Readonly<Record<string, string>> };
}

/**
 * The figures of all summaries together, at the least and at the most that they can be. Counts add up. A percentile
 * of several processes lies between the lowest and the highest of theirs, and one over operations of which some
 * were not answered between two that k6 did tell; both are the same where it is known.
 */
export interface K6Bounds {
  readonly low: K6Figures;
  readonly high: K6Figures;
}

export const k6Bounds = (summaries: readonly K6Summary[], s: Scenario): K6Bounds => ({
  low: figuresAt('low', summaries, s),
  high: figuresAt('high', summaries, s),
});

/**
 * How many of all the operations that were due were answered within a latency budget's limit, and how many were not:
 * exact, and adding up. Null where a summary does not tell.
 */
export function k6Within(summaries: readonly K6Summary[], budget: string, op: string): K6Rate | null {
  const told = summaries.map(({ rates, operations }) => {
    const rate = rates.get(withinRateOf(budget));
    const { perSample } = ofOperation(operations, op);
    return rate === undefined ? null : { passes: perSample * rate.passes, fails: perSample * rate.fails };
  });
  const passes = sumOf(told.map((rate) => rate?.passes ?? null));
  const fails = sumOf(told.map((rate) => rate?.fails ?? null));
  return passes === null || fails === null ? null : { passes, fails };
}

/** Answered operations that the trends tell of. */
export const k6Timed = (summaries: readonly K6Summary[], op: string): number =>
  summaries.reduce((sum, { operations }) => {
    const { perSample, trends } = ofOperation(operations, op);
    return sum + perSample * (trends.due?.count ?? 0);
  }, 0);

type End = keyof K6Bounds;

function figuresAt(end: End, summaries: readonly K6Summary[], s: Scenario): K6Figures {
  const operations = perOperation(s.operations, (op) => countsOf(summaries, op, 'measured', s));
  const durationSeconds = summaries[0]?.origin.durationSeconds ?? 0;
  const connected = sumOf(summaries.map((one) => one.connected));
  const disconnects = sumOf(summaries.map((one) => one.disconnects));
  const linesLost = summaries.reduce((sum, one) => sum + one.linesLost, 0);
  const answered = (op: string): number | null => {
    const counts = ofOperation(operations, op);
    return counts === null ? null : answeredOf(counts);
  };
  const perSecond = (operations: number | null): number | null => ratio(operations, durationSeconds);
  const ownLags = s.operations.flatMap(({ id }) => trendsOf(summaries, id, 'ownLag'));
  return {
    load: {
      requestedCcu: s.load.players,
      // Who had left already was not there with the last ones.
      peakCcu: end === 'high' ? connected : lessOf(connected, lessOf(disconnects, linesLost)),
      scale: s.scale,
      durationSeconds,
      operations,
      wholeRun: mapOperations(operations, (counts, op) =>
        addCounts([counts, countsOf(summaries, op, 'early', s)]),
      ),
      ...sharesOf(operations),
    },
    latency: mapOperations(operations, (counts, op) => latencyOf(end, summaries, op, counts)),
    throughput: {
      operationsPerSecond: perSecond(sumOf(s.operations.map(({ id }) => answered(id)))),
      ...Object.fromEntries(s.operations.map(({ id, plural }) => [rateKey(plural), perSecond(answered(id))])),
    },
    network: { connectMs: connectOf(end, summaries), disconnects },
    generator: {
      engine: 'k6',
      workers: summaries.length,
      // The worst operation's, and the worst process's: it is held against the generator.
      ownLagP99Ms: ownLags.length === 0 ? null : Math.max(...ownLags.map(({ p99 }) => p99)),
    },
    stack: { applied: {} },
  };
}

const trendsOf = (summaries: readonly K6Summary[], op: string, kind: TrendKind): K6Trend[] =>
  summaries.flatMap(({ operations }) => ofOperation(operations, op).trends[kind] ?? []);

/** Of a load that nobody asked for k6 need not have counted anything. */
function countsOf(
  summaries: readonly K6Summary[],
  op: string,
  scope: keyof Pick<K6Operation, 'measured' | 'early'>,
  { load }: Scenario,
): Counts | null {
  const none = ofOperation(load.operations, op).perSecond === 0 ? NO_COUNTS : null;
  return addCounts(summaries.map(({ operations }) => ofOperation(operations, op)[scope] ?? none));
}

/** Null when one of them is not told: the rest is not all. */
function addCounts(all: readonly (Counts | null)[]): Counts | null {
  const known = all.filter((counts) => counts !== null);
  if (known.length === 0 || known.length < all.length) return null;
  const sums = OUTCOMES.map((kind) => [kind, known.reduce((sum, counts) => sum + counts[kind], 0)]);
  return Object.fromEntries(sums) as Counts;
}

const lessOf = (value: number | null, by: number | null): number | null =>
  value === null || by === null ? null : Math.max(0, value - by);

function latencyOf(
  end: End,
  summaries: readonly K6Summary[],
  op: string,
  counts: Counts | null,
): LatencyFigures {
  const answered = counts === null ? 0 : answeredOf(counts);
  const of = (kind: TrendKind, unanswered: number): OpenPercentiles => ({
    // Without the counts nobody knows how many were not answered, and so no percentile of all of them.
    ...percentilesOf(end, counts === null ? [] : trendsOf(summaries, op, kind), answered, unanswered),
    unanswered,
  });
  const due = of('due', counts === null ? 0 : unansweredOf(counts) + counts.skipped);
  const nothing = percentilesOf(end, [], 0, 0);
  return {
    ...{ unit: 'ms', due, judged: due },
    // Not told: one trend holds what was rejected, too.
    ...{ ok: { ...nothing, unanswered: 0 }, rejected: nothing },
    service: of('service', counts === null ? 0 : unansweredSentOf(counts)),
    lag: percentilesOf(end, trendsOf(summaries, op, 'lag'), answered, 0),
  };
}

const connectOf = (end: End, summaries: readonly K6Summary[]): Percentiles => {
  const connected = sumOf(summaries.map((one) => one.connected));
  const failed = sumOf(summaries.map((one) => one.connectFailed));
  const trends =
    connected === null || failed === null ? [] : summaries.flatMap(({ connect }) => connect ?? []);
  return percentilesOf(end, trends, connected ?? 0, failed ?? 0);
};

/** What k6 tells of a trend, by percent. */
const KNOWN = [
  [0, 'min'],
  [50, 'p50'],
  [90, 'p90'],
  [95, 'p95'],
  [99, 'p99'],
  [99.9, 'p999'],
  [100, 'max'],
] as const satisfies readonly (readonly [number, keyof K6Trend])[];

/** `unanswered` operations are slower than the `answered` ones, of which the trends are. */
function percentilesOf(
  end: End,
  trends: readonly K6Trend[],
  answered: number,
  unanswered: number,
): Percentiles {
  const extreme = end === 'low' ? Math.min : Math.max;
  const one = (stat: keyof K6Trend): number | null =>
    trends.length === 0 ? null : extreme(...trends.map((trend) => trend[stat]));
  const at = (percent: number): number | null => {
    if (answered === 0) return null;
    const among = (percent * (answered + unanswered)) / answered;
    if (among > 100 + 1e-9) return null;
    const below = KNOWN.findLast(([known]) => known <= among + 1e-9);
    const above = KNOWN.find(([known]) => known >= among - 1e-9);
    const found = end === 'low' ? below : above;
    return found === undefined ? null : one(found[1]);
  };
  const total = trends.reduce((sum, { count }) => sum + count, 0);
  return {
    ...{ p50: at(50), p90: at(90), p95: at(95), p99: at(99), p999: at(99.9) },
    min: trends.length === 0 ? null : Math.min(...trends.map(({ min }) => min)),
    max: trends.length === 0 ? null : Math.max(...trends.map(({ max }) => max)),
    mean: total === 0 ? null : trends.reduce((sum, { mean, count }) => sum + mean * count, 0) / total,
    count: trends.length === 0 ? 0 : answered,
  };
}
