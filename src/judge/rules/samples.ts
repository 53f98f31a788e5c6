import {
  countAbove,
  countOf,
  EMPTY_HISTOGRAM,
  type HistogramData,
  percentileOf,
  withoutPart,
} from '../../histogram.ts';
import type { Measurements, OperationFacts } from '../../measurement/measurements.ts';
import { valuesAt } from '../../measurement/readings.ts';
import { unansweredOf, unansweredSentOf } from '../../measurement/sent.ts';
import type { Budget } from '../../scenario/budget.ts';
import { ofOperation, type PerOperation } from '../../scenario/operations.ts';
import { allowedRejections } from '../../scenario/rejections.ts';
import { grouped } from '../../units.ts';
import { binomialAtMost } from '../binomial.ts';
import { type LatencyBudget, latencyBudgetOf } from '../latency-budget.ts';
import { type Evidence, type JudgedRule, limitOf, stateOf } from './rule.ts';

/** The design effect needs so many windows; with fewer, their variance is taken to be larger by the possible error. */
const ENOUGH_WINDOWS = 20;
/** No advice to run for longer than this is given. */
const LONGEST_SECONDS = 86_400;
const NO_WINDOWS =
  'no latencies were recorded over time: see the errors of the run, and give a stage at least one second';
const NOWHERE = { stage: null, from: 0, to: 0 } as const;

/** Whether there were enough operations for a percentile that was met to be met in the next run as well. */
export function sampleRules({ m, s, rulings }: Evidence): readonly JudgedRule[] {
  const limit = limitOf(s.rules, 'confidencePercent');
  return rulings.flatMap(({ budget, state }): JudgedRule[] => {
    const latency = state === 'met' ? latencyBudgetOf(budget) : null;
    if (latency === null || m.measured === null) return [];
    const rule = { id: `samples.${budget.id}`, ...limit, advice: '', consequence: 'no-pass' } as const;
    if (limit.limit === 0) return [{ ...rule, state: 'not-applicable', observed: 'left unjudged' }];
    const scope = scopeOf(budget, m, s);
    const sample = scope === null ? null : sampleOf(latency, scope, m);
    if (sample === null) {
      return [{ ...rule, state: 'broken', observed: 'no windows', advice: NO_WINDOWS }];
    }
    const confidence = confidenceOf(sample, latency.percent);
    const best = confidenceOf({ ...sample, over: 0, effect: 1 }, latency.percent);
    return [
      {
        ...rule,
        state: stateOf(true, confidence >= limit.limit / 100),
        observed: Number((100 * confidence).toFixed(4)),
        advice: adviceOf(sample, latency, limit.limit / 100, scope ?? NOWHERE),
        ...(best < limit.limit / 100 ? { tooFew: true } : {}),
      },
    ];
  });
}

type OwnFacts = Pick<OperationFacts, 'measured' | 'due' | 'rejected' | 'service' | 'lag' | 'windows'>;

/** The measure phase, or the stage of it, that a budget is about. Seconds after GO. */
interface Scope {
  readonly stage: string | null;
  readonly from: number;
  readonly to: number;
  readonly operations: PerOperation<OwnFacts>;
  /** Whether rejections count as answers. */
  readonly declared: (op: string) => boolean;
}

function scopeOf(budget: Budget, m: Measurements, s: Evidence['s']): Scope | null {
  const declared = (op: string): boolean => allowedRejections(op, s).declared;
  const stage = budget.state === 'measured' ? budget.stage : undefined;
  if (m.measured === null) return null;
  if (stage === undefined) return { stage: null, ...m.measured, operations: m.operations, declared };
  const own = m.stages.find(({ name }) => name === stage);
  return own === undefined
    ? null
    : { stage, from: own.from, to: own.to, operations: own.operations, declared };
}

interface Sample {
  readonly over: number;
  readonly operations: number;
  /** The design effect: so many operations say as much as one that is independent of all others. */
  readonly effect: number;
}

/** P[Bin(n, 1-p) > t] of the independent operations: 1 - c is the risk that the true share over the limit is 1-p. */
function confidenceOf({ over, operations, effect }: Sample, percent: number): number {
  // Rounded against the budget.
  const [t, n] = [Math.ceil(over / effect), Math.floor(operations / effect)];
  return 1 - binomialAtMost(t, n, 1 - percent / 100);
}

/** Null where there are no windows, from which the correlation of the latencies would follow. */
function sampleOf(
  { operation, kind, limitMs, strict }: LatencyBudget,
  scope: Scope,
  m: Measurements,
): Sample | null {
  const facts = ofOperation(scope.operations, operation);
  if (facts.windows.length === 0) return null;
  const { timed, slower } = populationOf(kind, facts, scope.declared(operation));
  const limit = 1e3 * limitMs - (strict ? 1e-6 : 0);
  const operations = countOf(timed) + slower;
  const over = countAbove(timed, limit) + slower;
  // Windows hold latencies from the scheduled time; other latencies are taken to be as correlated where as few are over the limit.
  const same =
    percentileOf(facts.due, 100 * (1 - over / Math.max(1, operations))) ?? Number.POSITIVE_INFINITY;
  const near = kind === 'due' || kind === 'ok';
  return { over, operations, effect: designEffect(near ? limit : same, operation, scope, m) };
}

/** The latencies of a percentile, and the number of operations that count as slower than all of them. */
function populationOf(
  kind: LatencyBudget['kind'],
  { measured, rejected, ...facts }: OwnFacts,
  declared: boolean,
): { readonly timed: HistogramData; readonly slower: number } {
  if (kind === 'lag') return { timed: facts.lag, slower: 0 };
  if (kind === 'service') return { timed: facts.service, slower: unansweredSentOf(measured) };
  const unanswered = unansweredOf(measured) + measured.skipped;
  if (kind === 'due' && declared) return { timed: facts.due, slower: unanswered };
  return {
    timed: withoutPart(facts.due, rejected ?? EMPTY_HISTOGRAM),
    slower: unanswered + (kind === 'due' ? measured.rejected : 0),
  };
}

/**
 * deff = max(1, s_f^2 (n/B) / (p (1-p))), with s_f^2 the variance of the share over the limit among B windows:
 * operations that are slow in bursts say less than as many that are slow independently.
 */
function designEffect(limit: number, operation: string, scope: Scope, m: Measurements): number {
  const { windows } = ofOperation(scope.operations, operation);
  const lost = countedIn(['failed', 'timedOut', 'skipped'], operation, scope, m, windows.length);
  // Rejections are among the answers of a window, and none of them counts as in time.
  const refused = scope.declared(operation)
    ? []
    : countedIn(['rejected'], operation, scope, m, windows.length);
  const shares = windows.flatMap((window: HistogramData, i) => {
    const [unanswered, answers] = [lost[i] ?? 0, countOf(window)];
    const over = Math.min(answers, countAbove(window, limit) + (refused[i] ?? 0));
    const count = answers + unanswered;
    return count === 0 ? [] : [{ count, over: over + unanswered }];
  });
  const n = shares.reduce((sum, { count }) => sum + count, 0);
  const p = shares.reduce((sum, { over }) => sum + over, 0) / Math.max(1, n);
  if (p === 0 || p === 1 || shares.length === 0) return 1;
  // One window has no variance: everything in it may be one burst.
  if (shares.length === 1) return n;
  const variance =
    shares.reduce((sum, { count, over }) => sum + (over / count - p) ** 2, 0) / (shares.length - 1);
  const few = Math.max(1, (ENOUGH_WINDOWS - 1) / (shares.length - 1));
  return Math.max(1, (few * variance * (n / shares.length)) / (p * (1 - p)));
}

/** The number of operations with such an outcome in each window, from the counts of each second. */
function countedIn(
  outcomes: readonly string[],
  operation: string,
  { from, to }: Scope,
  { series }: Measurements,
  windows: number,
): number[] {
  const length = (to - from) / windows;
  const ends = Array.from({ length: windows + 1 }, (_, i) => from + i * length);
  const counters = outcomes.map((outcome) => valuesAt(series[`load.${operation}.${outcome}`], ends));
  return Array.from({ length: windows }, (_, i) =>
    counters.reduce((sum, values) => sum + Math.max(0, (values[i + 1] ?? 0) - (values[i] ?? 0)), 0),
  );
}

function adviceOf(
  sample: Sample,
  { percent }: LatencyBudget,
  confidence: number,
  { stage, from, to }: Pick<Scope, 'stage' | 'from' | 'to'>,
): string {
  const seconds = to - from;
  const { over, operations, effect } = sample;
  const independent = grouped(Math.floor(operations / effect));
  const facts = `${grouped(over)} of ${grouped(operations)} operations were over the limit${
    effect > 1.05 ? `, in bursts, so that all together count as ${independent} independent ones` : ''
  }`;
  const times = timesLonger(sample, percent, confidence);
  const more = times === null ? null : Math.ceil((times - 1) * seconds);
  return more === null || more > LONGEST_SECONDS
    ? `lower --scale, since no longer run can prove this: ${facts}`
    : `measure ${stage === null ? '' : `the stage ${stage} `}about ${grouped(more)} s longer${stage === null ? ` (--duration ${Math.ceil(seconds) + more}s)` : ''}: ${facts}`;
}

/** How much longer a run like this has to be; null where no length helps. */
function timesLonger(
  { over, operations, effect }: Sample,
  percent: number,
  confidence: number,
): number | null {
  if (operations === 0 || over / operations >= 1 - percent / 100) return null;
  const enough = (times: number): boolean =>
    confidenceOf({ over: times * over, operations: times * operations, effect }, percent) >= confidence;
  let [low, high] = [1, 2];
  while (!enough(high)) {
    low = high;
    high *= 2;
    if (high > 2 ** 20) return null;
  }
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
