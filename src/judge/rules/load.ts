import { countAbove, countOf, type HistogramData } from '../../histogram.ts';
import type { Counts } from '../../load/engine.ts';
import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import { levelWindow } from '../../measurement/per-player-figures.ts';
import { gaugeOf } from '../../measurement/readings.ts';
import { answeredOf, demandOf } from '../../measurement/sent.ts';
import { nounOf, type OperationSpec, ofOperation } from '../../scenario/operations.ts';
import type { Load, Scenario } from '../../scenario/scenario.ts';
import { operationalSeconds } from '../../scenario/stages.ts';
import { faultsOf, timelineOf } from '../../scenario/workload.ts';
import { hadEnded, isTargets, nothingOf, outcomeRules, wholeOutcomeRules } from './outcomes.ts';
import { type Evidence, fixed, type JudgedRule, limitOf, type NumericLimit, named, stateOf } from './rule.ts';

const REACHED_PERCENT = 99;
const CONNECTIONS_ENDED =
  'the connections over which it was due had ended: see the errors of the run, why the target ends them, and whether the target speaks the protocol';
const LOST_COUNT =
  'the generator lost count of operations: this is a bug in capbench, please report it with the bundle';
const FAILED_SENT =
  'what was sent has failed: see what the target answered, in the errors of the run and in its logs';

/** Whether the load was the requested one, and all of it was counted. */
export const loadRules = ({ m, s, figures }: Evidence): readonly JudgedRule[] => [
  runCompleted(m),
  ...s.operations.map(({ id }) => conservation(id, m)),
  ...s.operations.map((op) => scheduleKept(op, m, s)),
  ccuReached(m, figures),
  ...s.operations.map((op) => loadSustained(op, m, s, figures)),
  presence(m, s, figures),
  ...stagePresence({ m, s }),
  ...wholeOutcomeRules((op) => (m.measured === null ? null : ofOperation(m.operations, op).measured), s),
  ...stageRules({ m, s, figures }),
  ...s.operations.map(({ id }) => answers(id, m)),
];

/** What the rule `run-completed` observed where the generator, and not the stack, ended the run. */
export const GENERATOR_FAILED = 'generatorFailed';

function runCompleted({ ending, measured, operations }: Measurements): JudgedRule {
  const advice = {
    completed: 'nothing to do',
    stoppedEarly: isTargets(Object.values(operations).map(({ measured }) => measured))
      ? FAILED_SENT
      : 'lower the load (--scale), or give the system more resources',
    interrupted: 'run it again and let it end',
    stackFailed: ending.state === 'stackFailed' ? ending.hint : '',
  }[ending.state];
  return {
    id: 'run-completed',
    state: stateOf(true, ending.state === 'completed' && measured !== null),
    observed:
      measured === null && ending.state === 'completed'
        ? 'never measured'
        : ending.state === 'stackFailed' && ending.of === 'generator'
          ? GENERATOR_FAILED
          : ending.state,
    ...fixed('completed'),
    advice,
    // The other endings have a reason of their own.
    consequence: ending.state === 'completed' ? 'invalid' : 'ending',
  };
}

/** Outcomes and latencies are counted independently, so that a lost operation shows as a difference. */
function conservation(op: string, { operations }: Measurements): JudgedRule {
  const { whole, measured, due } = ofOperation(operations, op);
  const missing = (c: Counts): number =>
    Math.abs(c.scheduled - c.ok - c.rejected - c.failed - c.timedOut - c.skipped - c.unfinished - c.idle);
  const observed = Math.max(missing(whole), missing(measured), Math.abs(countOf(due) - answeredOf(measured)));
  return {
    ...{ id: `conservation.${op}`, state: stateOf(true, observed === 0), observed },
    ...{ ...fixed(0), advice: LOST_COUNT, consequence: 'invalid' },
  };
}

/** For the whole measure phase. */
const scheduleKept = (op: OperationSpec, m: Measurements, s: Scenario): JudgedRule =>
  scheduleRule(
    op,
    {
      stage: null,
      seconds: m.measured === null ? 0 : plannedSeconds(s.load, m.measured),
      observed: ofOperation(m.operations, op.id).measured.scheduled,
      ended: m.measured !== null && m.ending.state === 'completed',
      isNothing: Object.values(m.operations).every(({ measured }) => measured.scheduled === 0),
    },
    s,
  );

function ccuReached({ phases }: Measurements, { load }: Figures): JudgedRule {
  const limit = Math.ceil((REACHED_PERCENT / 100) * load.requestedCcu);
  return {
    id: 'ccu-reached',
    state: stateOf(phases.ready !== null, load.peakCcu >= limit),
    observed: load.peakCcu,
    ...fixed(limit),
    advice: 'see the connection errors; more world servers, more descriptors, or a smaller --scale',
    consequence: 'breached',
    share: shareOf(load.peakCcu, load.requestedCcu),
  };
}

/**
 * The peak of connected players does not show who stayed connected. Players who are away on purpose do not count. Where
 * stages have numbers of players, each is judged by its own.
 */
export function presence(
  m: Pick<Measurements, 'measured'>,
  s: Pick<Scenario, 'faults' | 'load'>,
  { load }: { readonly load: Pick<Figures['load'], 'requestedCcu' | 'presence'> },
): JudgedRule {
  const { churn, stages = [] } = s.load;
  const away = Math.max(0, ...[churn, ...stages.map((stage) => stage.churn ?? churn)].map(awayAtOnce));
  const expected = Math.max(0, load.requestedCcu - away - slackOf(away));
  const limit = (REACHED_PERCENT / 100) * expected;
  const { mean } = load.presence;
  const lasting = m.measured === null ? 0 : m.measured.to - m.measured.from;
  const cutOff = faultsOf(s).length > 0;
  const byStage = stages.some(({ players }) => players !== undefined);
  return {
    id: 'presence',
    state: stateOf(lasting >= SHORTEST_SECONDS && !cutOff && !byStage, mean !== null && mean >= limit),
    observed: byStage
      ? 'judged in each stage'
      : cutOff
        ? 'players are cut off on purpose'
        : (mean ?? (lasting >= SHORTEST_SECONDS ? null : 'no second was measured')),
    ...fixed(limit),
    advice:
      'fewer players stayed connected than requested: see the disconnects and the errors of the run for why connections ended',
    consequence: 'breached',
    ...(mean === null ? {} : { share: shareOf(mean, expected) }),
  };
}

/** The number of players who are away varies, and connecting takes time. */
const slackOf = (away: number): number => (away === 0 ? 0 : 1 + 2 * Math.sqrt(away));

/** In each stage with a number of its own, from the time at which the last of its players was asked to join. */
function stagePresence({ m, s }: Pick<Evidence, 'm' | 's'>): readonly JudgedRule[] {
  const cutOff = faultsOf(s).length > 0;
  return (timelineOf(s.load).stages ?? []).flatMap(({ name, players, end }, i): readonly JudgedRule[] => {
    if (players === undefined) return [];
    const away = awayAtOnce(s.load.stages?.[i]?.churn ?? s.load.churn);
    const expected = Math.max(0, players.at - away - slackOf(away));
    const limit = (REACHED_PERCENT / 100) * expected;
    const numbers = { players: players.at, playersBefore: players.before };
    const span = levelWindow(numbers, players.from / 1e6, end / 1e6);
    const reached = m.stages.some((stage) => stage.name === name) && m.ending.state === 'completed';
    const isLong = span.to - span.from >= SHORTEST_SECONDS;
    const { mean } = gaugeOf(m.series['load.connected'], span);
    return [
      {
        id: `presence.${name}`,
        state: stateOf(reached && isLong && !cutOff, mean !== null && mean >= limit),
        observed: cutOff
          ? 'players are cut off on purpose'
          : !isLong
            ? 'no second was measured'
            : reached
              ? mean
              : 'never reached',
        ...fixed(limit),
        advice:
          'fewer players were connected than this stage has: see how long connecting took in it, the disconnects, and the errors of the run',
        consequence: 'breached',
        ...(mean === null ? {} : { share: shareOf(mean, expected) }),
      },
    ];
  });
}

/** Connected players are reported once a second: a shorter phase may have no such report. */
const SHORTEST_SECONDS = 2;

/** Players who are away at any time, by Little's law: how many leave a second, times how long they stay away. */
const awayAtOnce = (churn: Scenario['load']['churn']): number =>
  churn === undefined ? 0 : (churn.perSecond * churn.away) / 1e6;

const shareOf = (some: number, all: number): NonNullable<JudgedRule['share']> => ({
  carried: (100 * some) / Math.max(1, all),
  least: REACHED_PERCENT,
  of: 'requested players',
});

function loadSustained(
  op: Pick<OperationSpec, 'id' | 'label'>,
  m: Measurements,
  { rules, load: asked }: Scenario,
  { load }: Figures,
): JudgedRule {
  const { measured: counts, ownLag } = ofOperation(m.operations, op.id);
  const byStage = asked.stages !== undefined;
  const isJudged = !byStage && m.measured !== null;
  const advice = hadEnded(counts)
    ? CONNECTIONS_ENDED
    : 'the system did not take the scheduled load: find what is saturated, or lower --scale';
  return sentRule(
    op,
    {
      ...{ stage: null, counts, ownLag, advice, limit: limitOf(rules, 'sentPercent') },
      percent: isJudged ? (load.sentPercent[op.id] ?? null) : null,
      without: byStage ? 'judged in each stage' : counts.idle > 0 ? nothingOf(counts) : null,
    },
    asked,
  );
}

/** Without a single acknowledgement of what was due there is nothing to conclude from. */
function answers(op: string, m: Measurements): JudgedRule {
  const { measured } = ofOperation(m.operations, op);
  const { scheduled, ok, rejected, idle } = measured;
  // A target that ends every connection and answers nothing may speak another protocol.
  const stranger = hadEnded(measured);
  return {
    id: `answers.${op}`,
    state: stateOf(m.measured !== null && scheduled > 0, ok + rejected > 0),
    observed: ok + rejected,
    ...fixed(1),
    advice: isTargets([measured])
      ? FAILED_SENT
      : stranger
        ? CONNECTIONS_ENDED
        : idle === scheduled
          ? 'every one that was due was idle, so nothing was measured: see whether the players ever get to where they can do it, and whether the measure phase is long enough'
          : 'nothing was acknowledged: see the logs of the world servers, and whether the target speaks the protocol',
    consequence: stranger ? 'invalid' : 'disturbed',
  };
}

/** The length of a measure phase in seconds at the load's own rate: with stages, the area under their rates. */
function plannedSeconds(load: Load, { from, to }: { readonly from: number; readonly to: number }): number {
  const { stages } = timelineOf(load);
  return stages === undefined
    ? to - from
    : stages.reduce((sum, stage) => sum + operationalSeconds(stage, load.players), 0);
}

/** The rules of the load for each stage; none where the measure phase has no stages. */
function stageRules({ m, s, figures }: Pick<Evidence, 'm' | 's' | 'figures'>): readonly JudgedRule[] {
  const { stages } = timelineOf(s.load);
  if (stages === undefined) return [];
  const factsOf = (stage: string) => m.stages.find(({ name }) => name === stage);
  return [
    stagesMeasured({ m, s }),
    ...stages.flatMap((stage) =>
      s.operations.map((op) => {
        const facts = factsOf(stage.name);
        const observed = facts === undefined ? null : ofOperation(facts.operations, op.id).measured.scheduled;
        const ended = m.ending.state === 'completed';
        return scheduleRule(
          op,
          { stage: stage.name, seconds: operationalSeconds(stage, s.load.players), observed, ended },
          s,
        );
      }),
    ),
    ...stages.flatMap(({ name }) => s.operations.map((op) => sustainedIn(op, name, { m, s, figures }))),
    ...stages.flatMap(({ name }) => {
      const facts = factsOf(name);
      const countsOf = (op: string) =>
        facts === undefined ? null : ofOperation(facts.operations, op).measured;
      return outcomeRules({ stage: name, countsOf, sent: sentLimit(s, name) }, s);
    }),
  ];
}

/** A stage that was not measured must not count as passed. */
function stagesMeasured({ m, s }: Pick<Evidence, 'm' | 's'>): JudgedRule {
  const wanted = (s.load.stages ?? []).map(({ name }) => name);
  const there = m.stages.map(({ name }) => name);
  const missing = wanted.filter((name, i) => there[i] !== name);
  return {
    id: 'stages-measured',
    state: stateOf(m.measured !== null && m.ending.state === 'completed', missing.length === 0),
    observed:
      missing.length === 0 ? `${there.length} of ${wanted.length}` : `not measured: ${missing.join(', ')}`,
    ...fixed('all stages'),
    advice:
      'the engine does not support stages, or the bundle belongs to another scenario: run again with --engine native',
    consequence: 'invalid',
  };
}

/** The limit of one stage: its own, with the stage's name, or that of the rules. */
function sentLimit(s: Scenario, stage: string): NumericLimit {
  const own = s.load.stages?.find(({ name }) => name === stage)?.sentPercent;
  if (own === undefined) return limitOf(s.rules, 'sentPercent');
  return { ...limitOf({ ...s.rules, sentPercent: own }, 'sentPercent'), stage };
}

function sustainedIn(
  op: OperationSpec,
  stage: string,
  { m, s, figures }: Pick<Evidence, 'm' | 's' | 'figures'>,
): JudgedRule {
  const found = figures.stages.find(({ name }) => name === stage);
  return sentRule(
    op,
    {
      stage,
      percent: found?.load.sentPercent[op.id] ?? null,
      without: found === undefined ? 'never reached' : nothingOf(found.load.operations[op.id]),
      counts: found?.load.operations[op.id],
      ownLag: ofOperation(m.operations, op.id).ownLag,
      limit: sentLimit(s, stage),
      advice:
        "the system did not take the scheduled load of this stage: find what is saturated, lower the rate, or allow it with the stage's sentPercent",
    },
    s.load,
  );
}

/** What came due of an operation in the measure phase, or in one stage of it. */
interface Scheduled {
  /** Null: the whole. */
  readonly stage: string | null;
  /** Length at the load's own rate. */
  readonly seconds: number;
  /** Null: it was never reached. */
  readonly observed: number | null;
  /** The end was the planned one. In a run that is stopped early, each worker's schedule ends at a different instant. */
  readonly ended: boolean;
  /** Nothing at all came due, of any operation; absent: not asked. */
  readonly isNothing?: boolean;
}

/** Players' schedules are independent, so that of 7 planned operations none comes due in one run of 1,000. */
const RARE = 7;
const CLOSED = 'it follows from answers, and has no schedule';
const NOTHING_BEGUN = {
  observed: 'no player began anything',
  advice:
    'nothing has a schedule, so that players begin everything: see the errors of the run for what keeps them from it, or measure for longer',
} as const;

/**
 * The number of scheduled operations is known beforehand: rate times duration, to within one for each stream. This
 * shows a generator that falls behind its own schedule without counting it.
 */
function scheduleRule(
  { id, due }: OperationSpec,
  { stage, seconds, observed, ended, isNothing: isNothingAtAll = false }: Scheduled,
  { load, operations, traits: { groupSizes } }: Scenario,
): JudgedRule {
  if (due === 'answer') {
    const rule = { id: named('schedule-kept', id, stage), ...fixed('a schedule'), advice: '' };
    if (ended && isNothingAtAll && operations.every((one) => one.due === 'answer'))
      return { ...rule, ...NOTHING_BEGUN, state: 'broken', consequence: 'invalid' };
    return { ...rule, state: 'not-applicable', observed: CLOSED, consequence: 'invalid' };
  }
  const several = groupSizes[id];
  // The beginning and the end of a stage each cut an interval of every stream, and so does a player who joins or leaves.
  const cuts = stage === null ? 1 + joinsAndLeaves(load) : 2;
  const tolerance = several === undefined ? cuts * load.players : 2 * several.operations;
  const planned = Math.round(ofOperation(load.operations, id).perSecond * seconds);
  // Of a kind that is rare beside others, nothing may come due by chance.
  const isChance = operations.length > 1 && several === undefined && planned <= RARE;
  const isNothing = observed === 0 && stage === null && !isChance;
  return {
    id: named('schedule-kept', id, stage),
    state: stateOf(
      ended && observed !== null,
      observed !== null && Math.abs(observed - planned) <= tolerance && (!isNothing || planned === 0),
    ),
    observed: observed ?? 'never reached',
    ...fixed(`${planned} to within ${tolerance}`),
    advice: isNothing
      ? `no operation became due: a longer --duration${several === undefined ? '' : `, or fewer at once (${several.key})`}`
      : 'the generator did not count every scheduled operation: this is a bug in capbench, please report it with the bundle',
    consequence: 'invalid',
  };
}

/** How often a player joins or leaves at most. */
const joinsAndLeaves = ({ stages = [] }: Load): number =>
  stages.some(({ players }) => players !== undefined) ? stages.length : 0;

/** What was sent of an operation in the measure phase, or in one stage of it. */
export interface Sent {
  /** Null: the whole. */
  readonly stage: string | null;
  /** Share of what was due. */
  readonly percent: number | null;
  /** Why there is no figure. */
  readonly without: string | null;
  readonly counts: Counts | undefined;
  /** Of the whole run. An engine that does not report it may itself be the reason why something was not sent. */
  readonly ownLag: HistogramData | undefined;
  readonly limit: NumericLimit;
  readonly advice: string;
}

/** The scheduled load was sent. */
function sentRule(
  op: Pick<OperationSpec, 'id' | 'label'>,
  { stage, percent, without, counts, ownLag, limit, advice }: Sent,
  load: Scenario['load'],
): JudgedRule {
  const late = () => lateOnItsOwn(ownLag, counts, load);
  return {
    id: named('load-sustained', op.id, stage),
    state: stateOf(percent !== null, percent !== null && percent >= limit.limit),
    observed: percent ?? without,
    ...limit,
    advice,
    consequence: 'breached',
    // Operations that the generator itself sent too late count as carried.
    ...(percent === null || ownLag === undefined
      ? {}
      : { share: { carried: percent + late(), least: limit.limit, of: nounOf(op) } }),
  };
}

/**
 * The percentage of scheduled operations that were skipped because the generator was late. For a stage it is an upper
 * bound, since the lag is known only for the whole run.
 */
export const lateOnItsOwn = (
  ownLag: HistogramData | undefined,
  counts: Counts | undefined,
  { skipAfter }: Pick<Load, 'skipAfter'>,
): number =>
  ownLag === undefined || counts === undefined || demandOf(counts) === 0
    ? 0
    : (100 * Math.min(counts.skipped, countAbove(ownLag, skipAfter))) / demandOf(counts);
