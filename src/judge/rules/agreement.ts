import type { Measurements, Series } from '../../measurement/measurements.ts';
import { mostOpen, numbered, sumOf } from '../../measurement/readings.ts';
import { sentOf } from '../../measurement/sent.ts';
import { probeOf } from '../../measurement/series.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { OPERATIONS, timelineOf } from '../../scenario/workload.ts';
import { fixed, stateOf } from './limit.ts';
import type { Consequence, Evidence, JudgedRule } from './rules.ts';

const AGREE_PERCENT = 1;

/** Whether what the servers, the generator and the scenario say of one run can all be true. */
export const agreementRules = (evidence: Evidence): readonly JudgedRule[] => [
  scenarioAgrees(evidence),
  serverCountsAgree(evidence),
  countersGoOn(evidence),
];

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Facts that no run of this scenario has: they are of another one, or were altered. */
function scenarioAgrees({ m, s }: Evidence): JudgedRule {
  const denied = [...loadDenied(m, s), ...stackDenied(m, s)];
  return {
    id: 'scenario-agrees',
    state: stateOf(m.phases.ready !== null, denied.length === 0),
    observed: denied.length === 0 ? 'all of it' : denied.join('; '),
    ...fixed('nothing that this scenario cannot lead to'),
    advice: 'these are the facts of another scenario: judge them by the one that ran',
    consequence: 'invalid',
  };
}

/** Seconds; times are rounded, and stages are counted in microseconds. */
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
  for (const [i, { name, from, levelFrom, to, rateBefore, rate }] of m.stages.entries()) {
    const planned = stages[i];
    if (planned === undefined || planned.name !== name) {
      denied.push(`the stage ${name} is none of its own`);
      continue;
    }
    const cut = to < planned.end / 1e6 - CLOSE && m.ending.state !== 'completed';
    const same =
      near(from, planned.start / 1e6) &&
      (cut || (near(levelFrom, planned.levelFrom / 1e6) && near(to, planned.end / 1e6))) &&
      Math.abs(rateBefore - planned.rateBefore) < 1e-9 &&
      Math.abs(rate - planned.rate) < 1e-9;
    if (!same)
      denied.push(
        `the stage ${name} went from ${from} to ${to} s at ${rateBefore} to ${rate} times the rate`,
      );
  }
  return denied;
}

function stackDenied({ integrity, stackKind, series }: Measurements, { load, world }: Scenario): string[] {
  const denied: string[] = [];
  const entities = load.players + load.monsters;
  if (integrity !== null && integrity.entities !== entities) {
    denied.push(`the rows of ${number(integrity.entities)} entities, of ${number(entities)}`);
  }
  const servers = numbered(series, 'world', 'operations').length;
  if (stackKind === 'local' && servers > world.servers) {
    denied.push(`${servers} world servers, of ${world.servers}`);
  }
  return denied;
}

/** Growth over all that was read, and whether it ever began again at 0. */
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
 * What world servers may count of each operation that was sent, at the most: a batch is of one at least, and an operation
 * writes the row of its actor and that of its target.
 */
const COUNTED = [
  ['operations', 'operations', 1],
  ['rejected', 'operations that were rejected', 1],
  ['batches', 'batches', 1],
  ['batchesOnTime', 'batches on time', 1],
  ['rowWrites', 'row writes', 2],
] as const;
const HISTOGRAMS = [
  ['batchOperations', 'batches by their size'],
  ['flushMs', 'flushes by their time'],
  ['responseMs', 'responses by their time'],
] as const;

/**
 * All entities of a world are capbench's for a run, so that its servers count what capbench sent: no more than that, and
 * no less than what it was answered. What was sent and not answered may have been counted or not.
 */
function serverCountsAgree({ m, s, rulings }: Evidence): JudgedRule {
  const why = whyNotComparable(m, s);
  const denied = why === null ? countsDenied(m, s) : [];
  const { sent, answered } = loadOf(m);
  // A breach that the generator saw stands whatever the servers count; one of their own counts does not.
  const told = rulings.some(
    ({ state, budget }) =>
      state === 'breached' &&
      budget.state === 'measured' &&
      /^(?:throughput|world|database\.queryMs)\b/.test(budget.metric),
  );
  const consequence: Consequence = told ? 'invalid' : 'no-pass';
  return {
    id: 'server-counts-agree',
    state: stateOf(why === null, denied.length === 0),
    observed:
      why ??
      (denied.length === 0 ? `${number(answered)} answered of ${number(sent)} sent` : denied.join('; ')),
    ...fixed(`${AGREE_PERCENT}% beyond what was sent, or short of what was answered`),
    advice:
      'the world servers count what was not sent, or not what was answered: see what their GET /metrics says, and whether somebody else uses this world',
    consequence,
  };
}

const loadOf = ({ operations }: Measurements) => ({
  sent: OPERATIONS.reduce((sum, op) => sum + sentOf(operations[op].whole), 0),
  answered: OPERATIONS.reduce((sum, op) => sum + operations[op].whole.ok + operations[op].whole.rejected, 0),
});

function whyNotComparable(m: Measurements, { players }: Scenario): string | null {
  if (m.measured === null) return 'never measured';
  if (players !== undefined) return 'players of your own may send more than is counted';
  // What k6 had sent when it was cut off, and not told yet, is counted nowhere.
  if (m.engine === 'k6' && m.ending.state !== 'completed') return 'k6 was cut off before it had told all';
  return numbered(m.series, 'world', 'operations').length === 0
    ? 'no world server counts its operations'
    : null;
}

function countsDenied(m: Measurements, s: Scenario): string[] {
  const { sent, answered } = loadOf(m);
  const denied: string[] = [];
  const beyond = 1 + AGREE_PERCENT / 100;
  for (const [name, what, factor] of COUNTED) {
    const all = numbered(m.series, 'world', name).map(grownOf);
    const grown = all.reduce((sum, one) => sum + one.grown, 0);
    if (grown > beyond * factor * sent) {
      denied.push(`the servers count ${number(grown)} ${what}, and ${number(sent)} operations were sent`);
    } else if (
      name === 'operations' &&
      wasReadWhole(m) &&
      !all.some(({ fell }) => fell) &&
      beyond * grown < answered
    ) {
      denied.push(`the servers count ${number(grown)} ${what}, and ${number(answered)} were answered`);
    }
  }
  const batches = numbered(m.series, 'world', 'batches').map(grownOf);
  const forgot = batches.length === 0 || wasKilled(m) || batches.some(({ fell }) => fell);
  const flushed = batches.reduce((sum, { grown }) => sum + grown, 0);
  for (const [name, what] of HISTOGRAMS) {
    const counted = m.worlds?.[name].counts.reduce((sum, count) => sum + count, 0) ?? 0;
    const [most, of] =
      forgot || name === 'responseMs'
        ? [sent, 'operations were sent']
        : [flushed, 'batches were flushed in the whole run'];
    if (counted > beyond * most) {
      denied.push(`the servers count ${number(counted)} ${what}, and ${number(most)} ${of}`);
    }
  }
  return [...denied, ...gaugesDenied(m, s)];
}

/** What was killed forgot its counters. */
const wasKilled = ({ faults }: Measurements): boolean => faults.some(({ action }) => action === 'kill');

/** Every server was read before GO, and once more when all had been answered. */
function wasReadWhole(m: Measurements): boolean {
  const { series } = m;
  if (wasKilled(m)) return false;
  const end = series['load.intent.scheduled']?.points.at(-1)?.[0] ?? Number.POSITIVE_INFINITY;
  return numbered(series, 'world', 'operations').every(
    ({ points }) => (points[0]?.[0] ?? 1) <= 0 && (points.at(-1)?.[0] ?? -1) >= end,
  );
}

/** What stands at a time, of all servers together. */
function gaugesDenied({ series, colocated, host, stackKind }: Measurements, { load }: Scenario): string[] {
  const entities = load.players + load.monsters;
  const most = {
    connections: load.players,
    entities,
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
    if (low < 0) return [`the servers tell ${low} ${name}`];
    return high > limit && stackKind === 'target'
      ? [`the servers tell ${number(high)} ${name}, of ${number(limit)}`]
      : [];
  });
}

/** R7: a counter that is no longer there has not stood still. */
function countersGoOn({ m }: Evidence): JudgedRule {
  const gone = Object.entries(m.series).flatMap(([name, series]) => {
    const last =
      series.kind === 'counter' && m.measured !== null ? lastPoint(name, series, m.measured, m.probes) : null;
    return last === null ? [] : [`${name} was last told ${Number(last.toFixed(1))} s after GO`];
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
      'what was counted and then no longer told has no figure: see what took it off the page, or out of the view, while the rest was still there',
    consequence: 'no-pass',
  };
}

const SHOWN = 5;

/** When a counter that was there before the measure phase, or as it began, was last told; null where it went on. */
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
  // Where the probe itself fell silent, that is another rule.
  return probe !== undefined && probe.samples > points.length * thinned + 1 ? last : null;
}
