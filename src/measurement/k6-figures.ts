import type { Counts } from '../load/engine.ts';
import { type TrendKind, withinRateOf } from '../load/k6/metrics.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import type { LatencyFigures, OpenPercentiles, Percentiles } from './figures.ts';
import { sharesOf } from './figures-of.ts';
import type { K6Operation, K6Rate, K6Summary, K6Trend } from './k6-summary.ts';
import { ratio, sumOf } from './readings.ts';
import { unansweredOf, unansweredSentOf } from './sent.ts';

/** What there is of report.json's figures in k6 summaries; null where they do not tell. */
export interface K6Figures {
  readonly load: {
    readonly requestedCcu: number;
    readonly peakCcu: number | null;
    readonly scale: number;
    readonly durationSeconds: number;
    readonly operations: Readonly<Record<Operation, Counts | null>>;
    readonly wholeRun: Readonly<Record<Operation, Counts | null>>;
    readonly sentPercent: Readonly<Record<Operation, number | null>>;
    readonly errorPercent: Readonly<Record<Operation, number | null>>;
    readonly unansweredPercent: Readonly<Record<Operation, number | null>>;
    readonly rejectedPercent: Readonly<Record<Operation, number | null>>;
  };
  readonly latency: Readonly<Record<Operation, LatencyFigures>>;
  readonly throughput: {
    readonly operationsPerSecond: number | null;
    readonly intentsPerSecond: number | null;
    readonly monsterCommandsPerSecond: number | null;
  };
  readonly network: { readonly connectMs: Percentiles; readonly disconnects: number | null };
  readonly generator: {
    readonly engine: string;
    readonly workers: number;
    readonly ownLagP99Ms: number | null;
  };
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
export function k6Within(summaries: readonly K6Summary[], budget: string, op: Operation): K6Rate | null {
  const told = summaries.map(({ rates, origin }) => {
    const rate = rates.get(withinRateOf(budget));
    // A post counts once, whatever it holds.
    const each = op === 'monsterCommand' ? origin.commandsPerPost : 1;
    return rate === undefined ? null : { passes: each * rate.passes, fails: each * rate.fails };
  });
  const passes = sumOf(told.map((rate) => rate?.passes ?? null));
  const fails = sumOf(told.map((rate) => rate?.fails ?? null));
  return passes === null || fails === null ? null : { passes, fails };
}

/** Answered operations that the trends tell of; those of monster commands have one value for a post. */
export const k6Timed = (summaries: readonly K6Summary[], op: Operation): number =>
  summaries.reduce((sum, { operations, origin }) => {
    const each = op === 'monsterCommand' ? origin.commandsPerPost : 1;
    return sum + each * (operations[op].trends.due?.count ?? 0);
  }, 0);

type End = keyof K6Bounds;

function figuresAt(end: End, summaries: readonly K6Summary[], s: Scenario): K6Figures {
  const operations = eachOperation((op) => countsOf(summaries, op, 'measured', s));
  const early = eachOperation((op) => countsOf(summaries, op, 'early', s));
  const durationSeconds = summaries[0]?.origin.durationSeconds ?? 0;
  const connected = sumOf(summaries.map((one) => one.connected));
  const disconnects = sumOf(summaries.map((one) => one.disconnects));
  const linesLost = summaries.reduce((sum, one) => sum + one.linesLost, 0);
  const answered = (op: Operation): number | null => {
    const counts = operations[op];
    return counts === null ? null : counts.ok + counts.rejected;
  };
  const perSecond = (operations: number | null): number | null => ratio(operations, durationSeconds);
  const ownLags = OPERATIONS.flatMap((op) => trendsOf(summaries, op, 'ownLag'));
  return {
    load: {
      requestedCcu: s.load.players,
      // Who had left already was not there with the last ones.
      peakCcu: end === 'high' ? connected : lessOf(connected, lessOf(disconnects, linesLost)),
      scale: s.scale,
      durationSeconds,
      operations,
      wholeRun: eachOperation((op) => addCounts([operations[op], early[op]])),
      ...sharesOf((op) => operations[op]),
    },
    latency: eachOperation((op) => latencyOf(end, summaries, op, operations[op])),
    throughput: {
      operationsPerSecond: perSecond(sumOf(OPERATIONS.map(answered))),
      intentsPerSecond: perSecond(answered('intent')),
      monsterCommandsPerSecond: perSecond(answered('monsterCommand')),
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

function eachOperation<T>(of: (op: Operation) => T): Record<Operation, T> {
  const [intent, monsterCommand] = OPERATIONS;
  return { [intent]: of(intent), [monsterCommand]: of(monsterCommand) };
}

const trendsOf = (summaries: readonly K6Summary[], op: Operation, kind: TrendKind): K6Trend[] =>
  summaries.flatMap(({ operations }) => operations[op].trends[kind] ?? []);

/** Of a load that nobody asked for k6 need not have counted anything. */
function countsOf(
  summaries: readonly K6Summary[],
  op: Operation,
  scope: keyof Pick<K6Operation, 'measured' | 'early'>,
  { load }: Scenario,
): Counts | null {
  const rate = { intent: load.intentsPerSecond, monsterCommand: load.monsterCommandsPerSecond }[op];
  const none = rate === 0 ? NOTHING : null;
  return addCounts(summaries.map(({ operations }) => operations[op][scope] ?? none));
}

const NOTHING: Counts = {
  ...{ scheduled: 0, ok: 0, rejected: 0, failed: 0, failedUnsent: 0 },
  ...{ timedOut: 0, skipped: 0, unfinished: 0 },
};

/** Null when one of them is not told: the rest is not all. */
function addCounts(all: readonly (Counts | null)[]): Counts | null {
  const sum = (kind: keyof Counts): number | null => sumOf(all.map((counts) => counts?.[kind] ?? null));
  const scheduled = sum('scheduled');
  if (scheduled === null) return null;
  return {
    scheduled,
    ...{ ok: sum('ok') ?? 0, rejected: sum('rejected') ?? 0 },
    ...{ failed: sum('failed') ?? 0, failedUnsent: sum('failedUnsent') ?? 0 },
    ...{ timedOut: sum('timedOut') ?? 0, skipped: sum('skipped') ?? 0, unfinished: sum('unfinished') ?? 0 },
  };
}

const lessOf = (value: number | null, by: number | null): number | null =>
  value === null || by === null ? null : Math.max(0, value - by);

function latencyOf(
  end: End,
  summaries: readonly K6Summary[],
  op: Operation,
  counts: Counts | null,
): LatencyFigures {
  const answered = counts === null ? 0 : counts.ok + counts.rejected;
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
