import { type K6Bounds, k6Bounds, k6Timed, k6Within, NOTHING } from '../measurement/k6-figures.ts';
import type { K6Summary } from '../measurement/k6-summary.ts';
import { mapOperations, ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf } from '../scenario/workload.ts';
import { conclude } from './conclusion.ts';
import { headlineOf } from './headline.ts';
import { NOT_IN_A_SUMMARY, ruleK6 } from './k6-ruling.ts';
import { proofOf, UNKNOWN_DISTURBANCE } from './proof.ts';
import { budgetsMeasured } from './rules/budgets.ts';
import { ownLagRule } from './rules/generator.ts';
import { fixed, stateOf } from './rules/limit.ts';
import {
  answers,
  ccuReached,
  conservation,
  type LoadFacts,
  loadSustained,
  scheduleKept,
} from './rules/load.ts';
import { wholeOutcomeRules } from './rules/outcomes.ts';
import type { JudgedRule } from './rules/rule.ts';
import { relaxations } from './rules/sentence.ts';
import { exitCodeOf, OUTCOMES, type Verdict } from './verdict.ts';

/** A verdict on what k6 alone could see. */
export interface K6Verdict extends Omit<Verdict, 'bottleneck'> {
  readonly bounds: K6Bounds;
}

/** Rules of a run that need more than a summary. */
const UNSEEN = [
  ...['steady-throughput', 'steady-p95', 'samples', 'generator-loop-delay', 'generator-stalled'],
  ...['generator-utilisation', 'generator-calibration', 'steal-mean', 'steal-max', 'throttled'],
  ...[
    'memory-pressure',
    'cpu-pressure',
    'foreign-cpu',
    'canary',
    'clock',
    'presence',
    'probes-gave-data',
    'metrics-readable',
    'counters-go-on',
    'scenario-agrees',
    'server-counts-agree',
  ],
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
  const proof = proofOf(rules, rulings, UNKNOWN_DISTURBANCE);
  const concluded = conclude(rules, rulings, proof, { stopped: null, invalidBecause: [], ranOn: true });
  const exitCode = exitCodeOf('completed', concluded);
  return {
    outcome: OUTCOMES[exitCode],
    exitCode,
    headline: headlineOf(exitCode, concluded, proof),
    rulings: concluded.rulings,
    rules,
    invalidBecause: concluded.invalidBecause,
    breachedBecause: concluded.breachedBecause,
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
  };
}

/** Those that can be checked; then the others, by name. */
function k6Rules(summaries: readonly K6Summary[], { low, high }: K6Bounds, s: Scenario): JudgedRule[] {
  const { operations, wholeRun } = high.load;
  const measured = { from: 0, to: high.load.durationSeconds };
  const facts: LoadFacts = {
    ...{ measured, ending: { state: 'completed' } },
    operations: mapOperations(operations, (counts) => ({ measured: counts ?? NOTHING })),
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
  const observed = told.includes(null) ? null : told.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  return {
    id: 'protocol',
    state: stateOf(true, observed === 0),
    observed: observed ?? 'not counted',
    ...fixed(0),
    advice:
      'the target answers what was never asked, or twice: see the wire protocol in the README; its latencies cannot be told',
    consequence: 'invalid',
  };
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
