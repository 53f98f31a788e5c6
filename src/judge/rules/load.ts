import { countOf, type HistogramData } from '../../histogram.ts';
import type { Counts } from '../../load/engine.ts';
import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import { answeredOf } from '../../measurement/sent.ts';
import { type OperationSpec, ofOperation, type PerOperation } from '../../scenario/operations.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { faultsOf } from '../../scenario/workload.ts';
import { fixed, limitOf, stateOf } from './limit.ts';
import { hadEnded, isTargets, wholeOutcomeRules } from './outcomes.ts';
import type { Evidence, JudgedRule } from './rule.ts';
import { scheduleRule, sentRule } from './schedule.ts';
import { plannedSeconds, stageRules } from './stages.ts';

const REACHED_PERCENT = 99;
const CONNECTIONS_ENDED =
  'the connections over which it was due had ended: see the errors of the run, why the target ends them, and whether the target speaks the protocol';
const LOST_COUNT =
  'the generator lost count of operations: this is a bug in capbench, please report it with the bundle';
const FAILED_SENT =
  'what was sent has failed: see what the target answered, in the errors of the run and in its logs';

/** What the rules of the schedule look at. */
export interface LoadFacts extends Pick<Measurements, 'measured'> {
  readonly ending: Pick<Measurements['ending'], 'state'>;
  readonly operations: PerOperation<{ readonly measured: Counts; readonly ownLag?: HistogramData }>;
}

/** Whether the load was the one that was asked for, and all of it was counted. */
export const loadRules = ({ m, s, figures }: Evidence): readonly JudgedRule[] => [
  runCompleted(m),
  ...s.operations.map(({ id }) => {
    const { whole, measured, due } = ofOperation(m.operations, id);
    return conservation(id, { whole, measured, timed: countOf(due) }, LOST_COUNT);
  }),
  ...s.operations.map((op) => scheduleKept(op, m, s)),
  ccuReached(m, figures),
  ...s.operations.map((op) => loadSustained(op, m, s, figures)),
  presence(m, s, figures),
  ...wholeOutcomeRules((op) => (m.measured === null ? null : ofOperation(m.operations, op).measured), s),
  ...stageRules({ m, s, figures }),
  ...s.operations.map(({ id }) => answers(id, m)),
];

function runCompleted({ ending, measured, operations }: Measurements): JudgedRule {
  const advice = {
    completed: 'nothing to do',
    stoppedEarly: isTargets(Object.values(operations).map(({ measured }) => measured))
      ? FAILED_SENT
      : 'lower the load (--scale), or give the system more room',
    interrupted: 'run it again and let it end',
    stackFailed: ending.state === 'stackFailed' ? ending.hint : '',
  }[ending.state];
  return {
    id: 'run-completed',
    state: stateOf(true, ending.state === 'completed' && measured !== null),
    observed: measured === null && ending.state === 'completed' ? 'never measured' : ending.state,
    ...fixed('completed'),
    advice,
    // The other endings speak for themselves.
    consequence: ending.state === 'completed' ? 'invalid' : 'ending',
  };
}

/** R4. Each outcome, and each latency, is counted on its own, so that a lost operation shows as a difference. */
export function conservation(op: string, { whole, measured, timed }: Conserved, advice: string): JudgedRule {
  const missing = (c: Counts): number =>
    Math.abs(c.scheduled - c.ok - c.rejected - c.failed - c.timedOut - c.skipped - c.unfinished);
  const observed =
    whole === null || measured === null
      ? 'not counted'
      : Math.max(missing(whole), missing(measured), Math.abs(timed - answeredOf(measured)));
  return {
    ...{ id: `conservation.${op}`, state: stateOf(true, observed === 0), observed },
    ...{ ...fixed(0), advice, consequence: 'invalid' },
  };
}

/** The counts of one operation; null where nobody told. */
interface Conserved {
  readonly whole: Counts | null;
  readonly measured: Counts | null;
  /** Of what was measured: so many latencies there are. */
  readonly timed: number;
}

export const scheduleKept = (op: Pick<OperationSpec, 'id'>, m: LoadFacts, s: Scenario): JudgedRule =>
  scheduleRule(
    op,
    {
      stage: null,
      seconds: m.measured === null ? 0 : plannedSeconds(s.load, m.measured),
      observed: ofOperation(m.operations, op.id).measured.scheduled,
      ended: m.measured !== null && m.ending.state === 'completed',
    },
    s,
  );

export function ccuReached(
  m: { readonly phases: Pick<Measurements['phases'], 'ready'> },
  { load }: { readonly load: Pick<Figures['load'], 'requestedCcu' | 'peakCcu'> },
): JudgedRule {
  const limit = Math.ceil((REACHED_PERCENT / 100) * load.requestedCcu);
  return {
    id: 'ccu-reached',
    state: stateOf(m.phases.ready !== null, load.peakCcu >= limit),
    observed: load.peakCcu,
    ...fixed(limit),
    advice: 'see the connection errors; more world servers, more descriptors, or a smaller --scale',
    consequence: 'breached',
    share: shareOf(load.peakCcu, load.requestedCcu),
  };
}

/** A peak says who came, and not who stayed. Players who are away on purpose are not expected. */
export function presence(
  m: Pick<Measurements, 'measured'>,
  s: Pick<Scenario, 'faults' | 'load'>,
  { load }: { readonly load: Pick<Figures['load'], 'requestedCcu' | 'presence'> },
): JudgedRule {
  const { churn, stages = [] } = s.load;
  const away = Math.max(0, ...[churn, ...stages.map((stage) => stage.churn ?? churn)].map(awayAtOnce));
  // How many are away at once varies, and dialling takes them a while, too.
  const slack = away === 0 ? 0 : 1 + 2 * Math.sqrt(away);
  const expected = Math.max(0, load.requestedCcu - away - slack);
  const limit = (REACHED_PERCENT / 100) * expected;
  const { mean } = load.presence;
  const lasting = m.measured === null ? 0 : m.measured.to - m.measured.from;
  const cutOff = faultsOf(s).length > 0;
  return {
    id: 'presence',
    state: stateOf(lasting >= SHORTEST_SECONDS && !cutOff, mean !== null && mean >= limit),
    observed: cutOff
      ? 'players are cut off on purpose'
      : (mean ?? (lasting >= SHORTEST_SECONDS ? null : 'no second was measured')),
    ...fixed(limit),
    advice:
      'fewer players than were asked for stayed connected over the measure phase: see the disconnects and the errors of the run, and why the target ends connections',
    consequence: 'breached',
    ...(mean === null ? {} : { share: shareOf(mean, expected) }),
  };
}

/** Who is connected is told once a second: a shorter phase may hold no such moment. */
const SHORTEST_SECONDS = 2;

/** Players who are away at any time, by Little's law: how many leave a second, times how long they stay away. */
const awayAtOnce = (churn: Scenario['load']['churn']): number =>
  churn === undefined ? 0 : (churn.perSecond * churn.away) / 1e6;

const shareOf = (some: number, all: number): NonNullable<JudgedRule['share']> => ({
  carried: (100 * some) / Math.max(1, all),
  least: REACHED_PERCENT,
  of: 'players that were asked for',
});

export function loadSustained(
  op: Pick<OperationSpec, 'id' | 'label'>,
  m: LoadFacts,
  { rules, load: asked }: Scenario,
  { load }: { readonly load: Pick<Figures['load'], 'sentPercent'> },
): JudgedRule {
  const { measured: counts, ownLag } = ofOperation(m.operations, op.id);
  const byStage = asked.stages !== undefined;
  const isJudged = !byStage && m.measured !== null;
  const advice = hadEnded(counts)
    ? CONNECTIONS_ENDED
    : 'the system did not take the load that was due: find what is saturated, or lower --scale';
  return sentRule(
    op,
    {
      ...{ stage: null, counts, ownLag, advice, limit: limitOf(rules, 'sentPercent') },
      percent: isJudged ? (load.sentPercent[op.id] ?? null) : null,
      without: byStage ? 'judged in each stage' : null,
    },
    asked,
  );
}

/** R7: without a single acknowledgement of what was due there is nothing to conclude from. */
export function answers(op: string, m: LoadFacts): JudgedRule {
  const { measured } = ofOperation(m.operations, op);
  const { scheduled, ok, rejected } = measured;
  // Who ends every connection and answers nothing may well speak another protocol.
  const stranger = hadEnded(measured);
  return {
    id: `answers.${op}`,
    state: stateOf(m.measured !== null && scheduled > 0, ok + rejected > 0),
    observed: ok + rejected,
    ...fixed(1),
    advice: isTargets([measured])
      ? FAILED_SENT
      : hadEnded(measured)
        ? CONNECTIONS_ENDED
        : 'nothing was acknowledged: see the logs of the world servers, and whether the target speaks the protocol',
    consequence: stranger ? 'invalid' : 'disturbed',
  };
}
