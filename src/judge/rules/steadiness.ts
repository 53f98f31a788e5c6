import type { Series } from '../../measurement/measurements.ts';
import { percentOf, rateOf, valuesAt } from '../../measurement/readings.ts';
import { type OperationSpec, ofOperation } from '../../scenario/operations.ts';
import { faultsOf } from '../../scenario/workload.ts';
import { negligibleMs } from '../latency-budget.ts';
import { BEYOND_NOISE, type Drift, driftOf, FEWEST_VALUES } from '../mser.ts';
import { type Evidence, type JudgedRule, limitOf, stateOf } from './rule.ts';

/**
 * The system must be in a steady state while it is measured. Judged by the means of five slices of 200 ms.
 *
 * A run that got worse would have got worse still, so what it breached stays breached. A run that got better measured
 * its own warm-up and proves nothing. An overloaded run is never steady, so these rules add nothing to it.
 */
export const steadinessRules = (evidence: Evidence, overloaded: boolean): readonly JudgedRule[] =>
  spansOf(evidence).flatMap((span) =>
    evidence.s.operations.flatMap((operation) =>
      KINDS.map((kind) => ruleOf(kind, operation, span, evidence, overloaded)),
    ),
  );

/** A span that has to be steady by itself. Seconds after GO. */
interface Span {
  /** Null: the whole measure phase. */
  readonly stage: string | null;
  readonly from: number;
  readonly to: number;
}

/** The measure phase, or each stage that was reached, from the time at which its rate has reached its level. */
function spansOf({ m, s }: Evidence): readonly Span[] {
  const whole = m.measured ?? { from: 0, to: 0 };
  if (s.load.stages === undefined || m.measured === null) return [{ stage: null, ...whole }];
  return m.stages.map(({ name, levelFrom, to }) => ({ stage: name, from: levelFrom, to }));
}

const named = (rule: string, { stage }: Span): string => (stage === null ? rule : `${rule}.${stage}`);

const BACKLOG =
  'the backlog grows, or a resource runs out: lower --scale, or run longer to see where it ends';

/** Whether it was breached because the load was more than what was answered, and nothing beside the run explains that. */
export const showsBacklog = ({ state, consequence, advice }: JudgedRule): boolean =>
  state === 'broken' && consequence === 'no-pass' && advice.endsWith(BACKLOG);

const SLICES_PER_SECOND = 5;

/** The figures that have to be steady, each with its series. */
const KINDS = [
  {
    ...({ rule: 'steady-throughput', series: 'answered', limitName: 'steadyThroughputPercent' } as const),
    better: (from: number, to: number): boolean => to > from,
    words: (value: number): string => `${Math.round(5 * value).toLocaleString('en-US')}/s`,
  },
  {
    ...({ rule: 'steady-p95', series: 'p95Ms', limitName: 'steadyP95Percent' } as const),
    better: (from: number, to: number): boolean => to < from,
    words: (value: number): string => `${Number(value.toPrecision(3))} ms`,
  },
];

function ruleOf(
  { rule: name, series, limitName, better, words }: (typeof KINDS)[number],
  { id: op, due }: OperationSpec,
  span: Span,
  evidence: Evidence,
  overloaded: boolean,
): JudgedRule {
  const id = named(`${name}.${op}`, span);
  const limit = limitOf(evidence.s.rules, limitName);
  // A smaller difference is not worth reporting.
  const negligible = series === 'p95Ms' ? negligibleMs(evidence.s.budgets, op) : 0;
  const within = evidence.m.measured === null ? null : span;
  const means = meansOf(evidence.m.series[`load.${op}.slice.${series}`], within, {
    // How many are idle is the players' doing: they count as if they had been answered.
    more: series === 'answered' ? evidence.m.series[`load.${op}.idle`] : undefined,
  });
  const drift = driftOf(means);
  const rule = { id, ...limit, advice: '', consequence: 'disturbed' } as const;
  // Its latency has to be steady all the same.
  const hasNoRate = due === 'answer' && series === 'answered';
  const why = hasNoRate ? 'it follows from answers, and has no rate' : whyNot(op, span, evidence);
  if (why !== null) return { ...rule, state: 'not-applicable', observed: why };
  if (means.length === 0) {
    const advice = 'see the errors of the run';
    return { ...rule, state: 'broken', observed: 'no slices', advice, consequence: 'no-pass' };
  }
  if (drift === null) {
    const longer = span.stage === null ? 'a longer --duration' : 'a longer stage';
    const observed = `${means.length} means of a second, ${FEWEST_VALUES} are needed: ${longer}`;
    return { ...rule, state: 'not-applicable', observed };
  }
  const { before, after, distance } = drift;
  const percent = driftPercent(drift);
  const excused =
    percent <= limit.limit
      ? null
      : distance <= BEYOND_NOISE
        ? 'within the noise'
        : Math.abs(after - before) <= negligible
          ? `under ${words(negligible)}`
          : null;
  const worse = !better(before, after);
  // CPU that other processes took only at the beginning, or only at the end, explains a drift better than a warm-up or a
  // backlog does.
  const beside = percent <= limit.limit || excused !== null ? null : besideOf(span, evidence, worse);
  const relaxed = beside?.relaxed === true ? `follows from ${beside.rule}, which is relaxed` : null;
  const pardon = excused ?? relaxed;
  return {
    ...rule,
    state: stateOf(true, percent <= limit.limit || pardon !== null),
    observed: pardon === null ? Number(percent.toPrecision(4)) : `${percent.toFixed(0)}%, ${pardon}`,
    advice: `it went from ${words(before)} to ${words(after)} during the ${span.stage === null ? 'measure phase' : `stage ${span.stage}`}: ${
      beside !== null
        ? beside.advice
        : worse
          ? BACKLOG
          : 'the system was still warming up: a longer load.warmUp'
    }`,
    consequence: overloaded || worse ? 'no-pass' : 'disturbed',
  };
}

/** The difference of the levels as a share of the lower one. */
function driftPercent({ before, after }: Drift): number {
  const lower = Math.min(before, after);
  if (before === after) return 0;
  return lower <= 0 ? Number.MAX_SAFE_INTEGER : (100 * Math.abs(after - before)) / lower;
}

function whyNot(op: string, { stage, from, to }: Span, { m, s }: Evidence): string | null {
  if (m.measured === null) return 'never measured';
  if (stage === null) {
    if (ofOperation(m.operations, op).measured.scheduled === 0) return 'nothing was due';
    const start = s.load.ramp + s.load.warmUp;
    const disturbed = faultsOf(s).some(({ at, lasting }) => at + lasting >= start);
    return disturbed ? 'faults were planned within the measure phase' : null;
  }
  const own = m.stages.find(({ name }) => name === stage);
  if (own === undefined || ofOperation(own.operations, op).measured.scheduled === 0) return 'nothing was due';
  // A fault during the transition disturbs the stage too.
  const disturbed = faultsOf(s).some(
    ({ at, lasting }) => at < to * 1e6 && at + lasting >= Math.min(own.from, from) * 1e6,
  );
  return disturbed ? 'faults, or a storm, were planned within the stage' : null;
}

/**
 * The mean of each second's slices in the measure phase, with the growth of the counter `more` in that second; a second without
 * a slice is left out.
 */
function meansOf(
  series: Series | undefined,
  measured: Evidence['m']['measured'],
  { more }: { readonly more: Series | undefined },
): number[] {
  if (series === undefined || measured === null) return [];
  const seconds = new Map<number, { sum: number; count: number }>();
  for (const [at, value] of series.points) {
    // The time of a slice is that of its end.
    if (at <= measured.from + 1e-6 || at > measured.to + 1e-6) continue;
    const second = Math.ceil(at - measured.from - 1e-6);
    const entry = seconds.get(second) ?? { sum: 0, count: 0 };
    seconds.set(second, { sum: entry.sum + value, count: entry.count + 1 });
  }
  const ends = Array.from({ length: 1 + Math.max(0, ...seconds.keys()) }, (_, i) => measured.from + i);
  const counted = valuesAt(more, ends);
  const grown = (second: number): number => {
    const after = counted[second] ?? null;
    // The series begins with the first that it counts.
    return after === null ? 0 : after - (counted[second - 1] ?? 0);
  };
  return [...seconds]
    .sort(([a], [b]) => a - b)
    .map(([second, { sum, count }]) => sum / count + grown(second) / SLICES_PER_SECOND);
}

/** From this difference between beginning and end, in percent of the host, a change counts. */
const SHOWS_PERCENT = 5;

/**
 * Other processes, or the hypervisor, if they took a part of the host in the first quarter of a span and not in the
 * last (the reverse where it got `worse`). Null where neither changed.
 */
function besideOf({ from, to }: Span, { m, s }: Evidence, worse: boolean) {
  const quarter = (to - from) / 4;
  const first = { from, to: from + quarter };
  const last = { from: to - quarter, to };
  const [more, less] = worse ? [last, first] : [first, last];
  const found = [
    {
      ...{
        rule: 'foreign-cpu',
        series: 'host.foreignCpuSeconds',
        limit: limitOf(s.rules, 'foreignCpuPercent'),
      },
      who:
        m.foreign[0] === undefined
          ? 'processes that are not of the run'
          : `${m.foreign[0].name} (pid ${m.foreign[0].pid})`,
    },
    {
      ...{ rule: 'steal-mean', series: 'host.cpuStealSeconds', limit: limitOf(s.rules, 'stealMeanPercent') },
      who: 'the hypervisor',
    },
  ].flatMap(({ rule, series, limit, who }) => {
    const share = (window: typeof first): number | null =>
      percentOf(rateOf(m.series[series], window), m.host.cpus);
    const [high, low] = [share(more), share(less)];
    if (high === null || low === null || high - low < SHOWS_PERCENT) return [];
    const shares = `${high.toFixed(0)}% of the host at the ${worse ? 'end' : 'beginning'} and ${low.toFixed(0)}% at the ${worse ? 'beginning' : 'end'}`;
    const advice = `${who} took ${shares}: see ${rule}, and use an idle machine`;
    return [{ rule, advice, relaxed: limit.relaxed && high <= limit.limit, change: high - low }];
  });
  return found.toSorted((a, b) => b.change - a.change)[0] ?? null;
}
