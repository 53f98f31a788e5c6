import { type K6Bounds, type K6Figures, k6Bounds, k6Timed, k6Within } from '../measurement/k6-figures.ts';
import type { K6Rate, K6Summary } from '../measurement/k6-summary.ts';
import { NO_COUNTS } from '../measurement/sent.ts';
import type { Budget } from '../scenario/budget.ts';
import { mapOperations, ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf } from '../scenario/workload.ts';
import { keeps } from './comparison.ts';
import type { GapFacts } from './gap.ts';
import { type LatencyBudget, latencyBudgetOf } from './latency-budget.ts';
import { UNKNOWN_DISTURBANCE } from './proof.ts';
import { ownLagRule } from './rules/generator.ts';
import { protocolRule } from './rules/integrity.ts';
import {
  answers,
  ccuReached,
  conservation,
  type LoadFacts,
  loadSustained,
  scheduleKept,
} from './rules/load.ts';
import { wholeOutcomeRules } from './rules/outcomes.ts';
import { fixed, type JudgedRule, relaxations, stateOf } from './rules/rule.ts';
import { budgetsMeasured } from './rules/rules.ts';
import { type Ruling, rule } from './ruling.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** A verdict on what k6 alone could see. */
export interface K6Verdict extends Omit<Verdict, 'bottleneck'> {
  readonly bounds: K6Bounds;
}

/** Rules of a run that need more than a summary. */
const UNSEEN = [
  ...['steady-throughput', 'steady-p95', 'samples', 'generator-loop-delay', 'generator-stalled'],
  ...['generator-utilisation', 'generator-calibration', 'steal-mean', 'steal-max', 'throttled'],
  ...['memory-pressure', 'cpu-pressure', 'foreign-cpu', 'canary', 'clock', 'presence'],
  ...['probes-gave-data', 'metrics-readable', 'counters-go-on', 'scenario-agrees', 'server-counts-agree'],
  ...['integrity', 'integrity-proof', 'row-writes-agree'],
];

const UNNAMED =
  'not checked, whether an earlier run left the summary: k6 and capbench report with the same CAPBENCH_RUN refuse it';

/** Summaries of one run, one of each k6 process, and the scenario that was exported. */
export function judgeK6(summaries: readonly K6Summary[], s: Scenario): K6Verdict {
  const bounds = k6Bounds(summaries, s);
  const facts = {
    ...{ bounds, measured: { from: 0, to: bounds.high.load.durationSeconds } },
    ...({ settings: [], stackKind: 'target', probes: [] } as const),
    within: (budget: string, op: string) => k6Within(summaries, budget, op),
  };
  const rulings = s.budgets.map((budget) => ruleK6(budget, facts, s.altered));
  const rules = [budgetsMeasured(rulings, true), ...k6Rules(summaries, bounds, s)];
  const beside = { stopped: null, invalidBecause: [], ranOn: true };
  return verdictOf('completed', rules, rulings, UNKNOWN_DISTURBANCE, beside, (concluded) => ({
    notes: [
      `not checked, since ${NOT_IN_A_SUMMARY}: ${UNSEEN.join(', ')}`,
      ...(summaries.some(({ origin }) => origin.run === null) ? [UNNAMED] : []),
      ...relaxations(rules),
      ...concluded.notes,
      ...(summaries.length === 1
        ? []
        : [`latencies of ${summaries.length} k6 processes: the highest of each percentile is shown`]),
    ],
    bounds,
  }));
}

/** Those that can be checked; then the others, by name. */
function k6Rules(summaries: readonly K6Summary[], { low, high }: K6Bounds, s: Scenario): JudgedRule[] {
  const { operations, wholeRun } = high.load;
  const measured = { from: 0, to: high.load.durationSeconds };
  const facts: LoadFacts = {
    ...{ measured, ending: { state: 'completed' } },
    operations: mapOperations(operations, (counts) => ({ measured: counts ?? NO_COUNTS })),
  };
  const load = { ...low.load, peakCcu: low.load.peakCcu ?? 0 };
  return [
    ...s.operations.map(({ id }) => {
      const [measured, whole] = [ofOperation(operations, id), ofOperation(wholeRun, id)];
      return conservation(id, { measured, whole, timed: k6Timed(summaries, id) }, MISCOUNTED);
    }),
    ...s.operations.map((op) => ({ ...scheduleKept(op, facts, s), advice: NOT_ALL })),
    reached(load, high.load.peakCcu ?? 0),
    ...s.operations.map((op) => loadSustained(op, facts, s, { load })),
    ...wholeOutcomeRules((op) => ofOperation(facts.operations, op).measured, s),
    ...s.operations.map(({ id }) => answers(id, facts)),
    protocol(summaries),
    ownLagRule(s, high.generator.ownLagP99Ms, true),
    noFaults(s),
    ...UNSEEN.map(
      (id): JudgedRule => ({
        ...{ id, state: 'not-applicable', observed: NOT_IN_A_SUMMARY },
        ...{ ...fixed(null), advice: '', consequence: 'note' },
      }),
    ),
  ];
}

/** Who was lost late was there at the peak, or was not: between the two, nothing follows. */
function reached(low: Parameters<typeof ccuReached>[1]['load'], atMost: number): JudgedRule {
  const surely = ccuReached({ phases: { ready: 0 } }, { load: low });
  const atBest = ccuReached({ phases: { ready: 0 } }, { load: { ...low, peakCcu: atMost } });
  return atBest.state === 'broken' || surely.state === 'held'
    ? surely
    : { ...surely, consequence: 'no-pass' };
}

const NOT_ALL =
  'the summaries do not hold what was due: is one missing or there twice, was k6 ended early, or the script changed?';

const MISCOUNTED =
  'the summary does not count all that was due: was the run ended early, or the script changed?';

function protocol(summaries: readonly K6Summary[]): JudgedRule {
  const told = summaries.map(({ strayAnswers }) => strayAnswers);
  const stray = told.includes(null) ? null : told.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  return protocolRule(true, stray, null);
}

function noFaults(s: Scenario): JudgedRule {
  const planned = faultsOf(s).length;
  return {
    id: 'faults-injected',
    state: stateOf(planned > 0, false),
    observed: planned === 0 ? 'none was planned' : 'none',
    ...fixed(`${planned}`),
    advice: 'k6 injects no faults: export the scenario without them (--set "faults=[]")',
    consequence: 'invalid',
  };
}

/** Why a budget without a figure has none here. */
const NOT_IN_A_SUMMARY = 'a k6 summary does not tell it';

/** What a ruling is made of. */
interface K6Facts extends GapFacts {
  readonly bounds: K6Bounds;
  /** Of a latency budget; null where it was not told. */
  readonly within: (budget: string, op: string) => K6Rate | null;
}

/**
 * Rules one budget from what k6 summaries tell: by the share of all operations within the limit where there is one,
 * else by the figure, which has to decide the same at its lowest and at its highest.
 */
function ruleK6(budget: Budget, facts: K6Facts, altered: readonly string[]): Ruling {
  const low = rule(budget, facts.bounds.low, facts, altered);
  const high = rule(budget, facts.bounds.high, facts, altered);
  if (!isDecided(low) && !isDecided(high)) {
    return low.cause === 'run' ? { ...low, reason: NOT_IN_A_SUMMARY, cause: 'engine' } : low;
  }
  return byShare(low, high, facts) ?? between(low, high);
}

const isDecided = ({ state }: Ruling): boolean => state === 'met' || state === 'breached';

function between(low: Ruling, high: Ruling): Ruling {
  if (low.observed === high.observed && low.state === high.state) return high;
  const range = `between ${told(low)} and ${told(high)}: k6 tells a few percentiles of each process`;
  if (low.state === high.state) return { ...high, reason: reasons(high.reason, range) };
  const reason = `undecided, it lies ${range}`;
  return { ...high, state: 'unmeasured', observed: null, reason, cause: 'engine' };
}

const told = ({ observed }: Ruling): string =>
  observed === null ? 'never answered' : typeof observed === 'number' ? observed.toPrecision(4) : observed;

const reasons = (...all: readonly (string | null)[]): string | null => {
  const said = all.filter((one) => one !== null);
  return said.length === 0 ? null : said.join('; ');
};

/** Null where the budget is of another kind, or the share was not told. */
function byShare(low: Ruling, high: Ruling, { bounds, within }: K6Facts): Ruling | null {
  const { budget } = high;
  const latency = latencyBudgetOf(budget);
  if (latency === null || latency.kind !== 'due') return null;
  const rate = within(budget.id, latency.operation);
  if (rate === null || rate.passes + rate.fails === 0) return null;
  const denied = denial(latency, rate, bounds);
  if (denied !== null) {
    const reason = `the summary denies itself: ${denied}`;
    return { ...high, state: 'unmeasured', observed: null, reason, cause: 'run' };
  }
  const { passes, fails } = rate;
  const kept = passes / (passes + fails) >= latency.percent / 100 - 1e-12;
  const state = kept ? 'met' : 'breached';
  const share = `${((100 * passes) / (passes + fails)).toFixed(3)}% of all were answered within it`;
  const exact = low.observed === high.observed && low.state === high.state && high.state === state;
  if (exact) return high;
  // The figure beside it is what k6 could tell.
  return {
    ...high,
    ...{ state, observed: high.observed ?? low.observed, reason: reasons(high.reason, share), cause: null },
  };
}

/** Why the share cannot be true beside the other figures; null where it can. */
function denial(
  { operation, limitMs, strict }: LatencyBudget,
  rate: K6Rate,
  bounds: K6Bounds,
): string | null {
  const within = (value: number): boolean => keeps(value, strict ? '<' : '<=', limitMs);
  const { low, high } = bounds;
  const counts = ofOperation(high.load.operations, operation);
  if (counts === null) return 'its operations are not counted';
  if (rate.passes + rate.fails !== counts.scheduled) {
    return `${rate.passes + rate.fails} operations were held against the limit, ${counts.scheduled} were due`;
  }
  const answered = counts.ok + counts.rejected;
  if (rate.passes > answered) return `${rate.passes} were in time, ${answered} were answered`;
  const { min } = dueOf(low, operation);
  const { max } = dueOf(high, operation);
  if (min === null || max === null) return rate.passes === 0 ? null : 'no latency is told';
  if (within(max) && rate.passes < answered) return 'the slowest was in time, and not all that were answered';
  if (!within(min) && rate.passes > 0) return 'the fastest was too late, and some were in time';
  return tooMany(rate.passes / answered, dueOf(low, operation), within);
}

const dueOf = ({ latency }: K6Figures, operation: string) => ofOperation(latency, operation).due;

/** k6 interpolates, so the next lower percentile is looked at: of those that were answered. */
function tooMany(
  share: number,
  { p50, p90, p95, p99 }: { readonly [stat in 'p50' | 'p90' | 'p95' | 'p99']: number | null },
  within: (value: number) => boolean,
): string | null {
  const steps = [
    [0.9, p50],
    [0.95, p90],
    [0.99, p95],
    [0.999, p99],
  ] as const;
  for (const [from, lower] of steps) {
    if (share >= from && lower !== null && !within(lower)) {
      return `${(100 * share).toFixed(1)}% were in time, and a lower percentile was not`;
    }
  }
  return null;
}
