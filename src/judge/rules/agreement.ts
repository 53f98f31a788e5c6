import type { Measurements, Series } from '../../measurement/measurements.ts';
import { mostOpen, numbered, sumOf } from '../../measurement/readings.ts';
import { answeredOf, sentOf } from '../../measurement/sent.ts';
import { probeOf } from '../../measurement/series.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { levelOf } from '../../scenario/stages.ts';
import { timelineOf } from '../../scenario/workload.ts';
import { type Consequence, type Evidence, fixed, type JudgedRule, stateOf, wasStartedAgain } from './rule.ts';

const AGREE_PERCENT = 1;

/** Whether the servers' counters, the generator's counts and the scenario agree. */
export const agreementRules = (evidence: Evidence): readonly JudgedRule[] => [
  scenarioAgrees(evidence),
  serverCountsAgree(evidence),
  countersGoOn(evidence),
];

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Measurements that no run of this scenario can have: they belong to another one, or were edited. */
function scenarioAgrees({ m, s }: Evidence): JudgedRule {
  const denied = [...loadDenied(m, s), ...stackDenied(m, s)];
  return {
    id: 'scenario-agrees',
    state: stateOf(m.phases.ready !== null, denied.length === 0),
    observed: denied.length === 0 ? 'all of it' : denied.join('; '),
    ...fixed('nothing that this scenario cannot lead to'),
    advice: 'these measurements belong to another scenario: judge them by the one that ran',
    consequence: 'invalid',
  };
}

/** Seconds: times are rounded, while stages are in microseconds. */
const CLOSE = 0.01;
const near = (a: number, b: number): boolean => Math.abs(a - b) <= CLOSE;

function loadDenied(m: Measurements, s: Scenario): string[] {
  const { load } = s;
  const denied: string[] = [];
  if (m.peakCcu > load.players) {
    denied.push(`${number(m.peakCcu)} players were connected at once, of ${number(load.players)}`);
  }
  const { measureStart, end, stages = [] } = timelineOf(load);
  if (m.measured !== null) {
    const { from, to } = m.measured;
    const whole = m.ending.state === 'completed';
    if (!near(from, measureStart / 1e6) || (whole ? !near(to, end / 1e6) : to > end / 1e6 + CLOSE)) {
      denied.push(`measured from ${from} to ${to} s, planned from ${measureStart / 1e6} to ${end / 1e6} s`);
    }
  }
  for (const [i, stage] of m.stages.entries()) {
    const { name, from, levelFrom, to, rateBefore, rate } = stage;
    const planned = stages[i];
    if (planned === undefined || planned.name !== name) {
      denied.push(`the stage ${name} is not in the scenario`);
      continue;
    }
    const cut = to < planned.end / 1e6 - CLOSE && m.ending.state !== 'completed';
    const same =
      near(from, planned.start / 1e6) &&
      (cut || (near(levelFrom, levelOf(planned) / 1e6) && near(to, planned.end / 1e6))) &&
      Math.abs(rateBefore - planned.rateBefore) < 1e-9 &&
      Math.abs(rate - planned.rate) < 1e-9 &&
      stage.players === planned.players?.at &&
      stage.playersBefore === planned.players?.before;
    if (!same)
      denied.push(
        `the stage ${name} went from ${from} to ${to} s at ${rateBefore} to ${rate} times the rate${stage.players === undefined ? '' : `, with ${number(stage.players)} players`}`,
      );
  }
  return denied;
}

function stackDenied({ integrity, stackKind, series }: Measurements, { traits, world }: Scenario): string[] {
  const denied: string[] = [];
  const { entities } = traits;
  if (integrity !== null && integrity.entities !== entities) {
    denied.push(`the rows of ${number(integrity.entities)} entities, of ${number(entities)}`);
  }
  const servers = numbered(series, 'world', 'operations').length;
  if (stackKind === 'local' && servers > world.servers) {
    denied.push(`${servers} world servers, of ${world.servers}`);
  }
  return denied;
}

/** The growth over all readings, and whether the counter restarted at 0. */
function grownOf({ points }: Series): { readonly grown: number; readonly fell: boolean } {
  let [grown, fell] = [0, false];
  for (const [i, [, value]] of points.entries()) {
    const before = points[i - 1]?.[1] ?? value;
    if (value < before) fell = true;
    grown += value < before ? value : value - before;
  }
  return { grown, fell };
}

/**
 * Servers that count only the operations of capbench must count at most what it sent, and at least what they answered.
 * Operations that were sent and not answered may have been counted or not.
 */
function serverCountsAgree({ m, s, rulings }: Evidence): JudgedRule {
  const why = whyNotComparable(m, s);
  const denied = why === null ? countsDenied(m, s) : [];
  const { sent, answered } = loadOf(m);
  // A breach of the generator's figures stands whatever the servers count. A breach of the servers' figures does not.
  const usesServersFigures = rulings.some(
    ({ state, budget }) =>
      state === 'breached' &&
      budget.state === 'measured' &&
      (['throughput', 'world'].includes(budget.metric.section) ||
        budget.metric.figure === 'database.queryMs'),
  );
  const consequence: Consequence = usesServersFigures ? 'invalid' : 'no-pass';
  return {
    id: 'server-counts-agree',
    state: stateOf(why === null, denied.length === 0),
    observed:
      why ??
      (denied.length === 0 ? `${number(answered)} answered of ${number(sent)} sent` : denied.join('; ')),
    ...fixed(`${AGREE_PERCENT}% beyond what was sent, or short of what was answered`),
    advice:
      'the counters of the world servers do not match the load: check their GET /metrics, and whether another client uses these servers',
    consequence,
  };
}

const loadOf = ({ operations }: Measurements) => {
  const sum = (of: typeof sentOf): number =>
    Object.values(operations).reduce((all, { whole }) => all + of(whole), 0);
  return { sent: sum(sentOf), answered: sum(answeredOf) };
};

function whyNotComparable(m: Measurements, { traits: { counts } }: Scenario): string | null {
  if (m.measured === null) return 'never measured';
  if (typeof counts === 'string') return counts;
  // When k6 is ended early, operations that it sent and had not reported yet are counted nowhere.
  if (m.engine === 'k6' && m.ending.state !== 'completed')
    return 'k6 was ended before it had reported everything';
  return counts.some(({ series }) => numbered(m.series, 'world', series).length > 0)
    ? null
    : 'no world server counts its operations';
}

function countsDenied(m: Measurements, s: Scenario): string[] {
  const { counts, histograms } = s.traits;
  const { sent, answered } = loadOf(m);
  const denied: string[] = [];
  const beyond = 1 + AGREE_PERCENT / 100;
  const grownBy = (series: string) => {
    const all = numbered(m.series, 'world', series).map(grownOf);
    const fell = all.length === 0 || all.some((one) => one.fell);
    return { grown: all.reduce((sum, one) => sum + one.grown, 0), fell };
  };
  for (const { series, what, perOperation, everyAnswer } of typeof counts === 'string' ? [] : counts) {
    const { grown, fell } = grownBy(series);
    if (grown > beyond * perOperation * sent) {
      denied.push(`the servers count ${number(grown)} ${what}, and ${number(sent)} operations were sent`);
    } else if (everyAnswer === true && wasReadWhole(m, series) && !fell && beyond * grown < answered) {
      denied.push(`the servers count ${number(grown)} ${what}, and ${number(answered)} were answered`);
    }
  }
  for (const { name, what, of } of histograms) {
    const counted = m.worlds?.[name]?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
    const source = of === undefined || wasStartedAgain(m) ? null : grownBy(of.series);
    const [most, origin] =
      of === undefined || source === null || source.fell
        ? [sent, 'operations were sent']
        : [source.grown, `${of.what} in the whole run`];
    if (counted > beyond * most) {
      denied.push(`the servers count ${number(counted)} ${what}, and ${number(most)} ${origin}`);
    }
  }
  return [...denied, ...gaugesDenied(m, s)];
}

/** Every server was read before GO, and again after the last answer. */
function wasReadWhole(m: Measurements, count: string): boolean {
  const { series } = m;
  if (wasStartedAgain(m)) return false;
  const [first] = Object.keys(m.operations);
  const end = series[`load.${first}.scheduled`]?.points.at(-1)?.[0] ?? Number.POSITIVE_INFINITY;
  return numbered(series, 'world', count).every(
    ({ points }) => (points[0]?.[0] ?? 1) <= 0 && (points.at(-1)?.[0] ?? -1) >= end,
  );
}

/** Gauges, of all servers together. */
function gaugesDenied(
  { series, colocated, host, stackKind }: Measurements,
  { load, traits }: Scenario,
): string[] {
  const most = {
    connections: load.players,
    entities: traits.entities,
    queued: Number.POSITIVE_INFINITY,
    loopDelayMs: Number.POSITIVE_INFINITY,
    memoryBytes: colocated ? host.memoryBytes : Number.POSITIVE_INFINITY,
  };
  return Object.entries(most).flatMap(([name, limit]) => {
    const values = numbered(series, 'world', name).map(({ points }) => points.map(([, value]) => value));
    const [high, low] = [
      sumOf(values.map((own) => own.reduce((a, b) => Math.max(a, b), 0))) ?? 0,
      values.flat().reduce((a, b) => Math.min(a, b), 0),
    ];
    if (low < 0) return [`the servers report ${low} ${name}`];
    return high > limit && stackKind === 'target'
      ? [`the servers report ${number(high)} ${name}, expected at most ${number(limit)}`]
      : [];
  });
}

/** A counter that disappeared must not count as one that stood still. */
function countersGoOn({ m }: Evidence): JudgedRule {
  const gone = Object.entries(m.series).flatMap(([name, series]) => {
    const last =
      series.kind === 'counter' && m.measured !== null ? lastPoint(name, series, m.measured, m.probes) : null;
    return last === null ? [] : [`${name} was last read ${Number(last.toFixed(1))} s after GO`];
  });
  const rest = gone.length - SHOWN;
  return {
    id: 'counters-go-on',
    state: stateOf(m.measured !== null, gone.length === 0),
    observed:
      gone.length === 0
        ? 'all'
        : [...gone.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; '),
    ...fixed('to the end of the measure phase'),
    advice:
      'a counter disappeared during the run, so it has no figure: find out why its page or view no longer has it',
    consequence: 'no-pass',
  };
}

const SHOWN = 5;

/** When a counter that existed at the beginning of the measure phase was last reported; null where it went on. */
function lastPoint(
  name: string,
  { points, thinned = 1 }: Series,
  measured: NonNullable<Measurements['measured']>,
  probes: Measurements['probes'],
): number | null {
  const [first, last] = [points[0]?.[0], points.at(-1)?.[0]];
  const open = mostOpen(measured) * thinned;
  if (first === undefined || last === undefined || first > measured.from + open || last >= measured.to - open)
    return null;
  const of = probeOf(name);
  const probe = probes.find((one) => one.name === of);
  // A probe that gave no data has a rule of its own.
  return probe !== undefined && probe.samples > points.length * thinned + 1 ? last : null;
}
