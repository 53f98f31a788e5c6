import { countOf, type HistogramData } from '../histogram.ts';
import { type Counts, OUTCOMES } from '../load/engine.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { BucketData, Measurements, OperationFacts, StageFacts } from './measurements.ts';
import { answeredOf } from './sent.ts';
import { SLACK_SECONDS, seriesContradictions } from './series-contradictions.ts';

/** All values from here on share the last bucket; microseconds (hdr-histogram.ts). */
const HIGHEST_MICROS = 120_000_000;
const PHASES = ['stackUp', 'connect', 'ready', 'go'] as const;

/**
 * Contradictions between the facts of a run, which no run can have measured, however it went: the facts were altered, and
 * nothing can be concluded from them. The judge decides whether a run went well.
 */
export function contradictionsOf(m: Measurements): readonly string[] {
  return [
    ...phases(m),
    ...Object.entries(m.operations).flatMap(([op, facts]) => operation(`operations.${op}`, facts, m)),
    ...timed('connect.histogram', m.connect.histogram, m),
    ...(['login', 'socket'] as const).flatMap((part) =>
      m.connect[part] === undefined ? [] : timed(`connect.${part}`, m.connect[part], m),
    ),
    ...timed('reconnect', m.reconnect, m),
    ...deliveries(m),
    ...playerFigures(m),
    ...kernelTraffic(m),
    ...connections(m),
    ...stages(m),
    ...seriesContradictions(m),
    ...Object.entries(m.worlds ?? {}).flatMap(([name, data]) => buckets(`worlds.${name}`, data)),
    ...Object.entries(m.histograms ?? {}).flatMap(([name, data]) => buckets(`histograms.${name}`, data)),
    ...ledger(m),
    ...faults(m),
    ...shares(m),
  ];
}

/** What was not seen is a part of what the load counted, and the kernel was asked within the run. */
function kernelTraffic({ kernelTraffic: facts, phases: { end } }: Measurements): string[] {
  if (facts === undefined) return [];
  const { seconds, load, unseen } = facts;
  return [
    ...(seconds > 0 && seconds <= end + SLACK_SECONDS
      ? []
      : [`kernelTraffic.seconds: ${seconds} s, of a run that took ${end} s`]),
    ...(['in', 'out'] as const).flatMap((way) =>
      unseen[way] > load[way]
        ? [`kernelTraffic.unseen.${way}: ${unseen[way]} bytes, of ${load[way]} that the load counted`]
        : [],
    ),
  ];
}

function phases({ phases: at, measured }: Measurements): string[] {
  const wrong: string[] = [];
  // A run may end in any phase: no phase can follow one that was not reached.
  let before = 0;
  let missing: string | null = null;
  for (const name of PHASES) {
    const moment = at[name];
    if (moment === null) missing ??= name;
    else if (missing !== null) wrong.push(`phases.${name}: ${moment} s, and ${missing} was never reached`);
    else if (moment < before) wrong.push(`phases.${name}: ${moment} s, and the phase before at ${before} s`);
    else before = moment;
  }
  if (at.end < before) wrong.push(`phases.end: ${at.end} s, and a phase before it at ${before} s`);
  if (measured === null) return wrong;
  const { from, to } = measured;
  if (at.go === null) wrong.push('measured: there is a measure phase, and no GO');
  else if (from < 0 || to <= from || to > at.end - at.go + 1) {
    wrong.push(
      `measured: from ${from} to ${to} s after GO, of a run that ended ${at.end - at.go} s after it`,
    );
  }
  return wrong;
}

function operation(path: string, facts: OperationFacts, m: Measurements): string[] {
  const { whole, measured, windows, due, rejected, net } = facts;
  const wrong: string[] = [];
  for (const name of OUTCOMES) {
    if (measured[name] > whole[name]) {
      wrong.push(`${path}.measured.${name}: ${measured[name]} of ${whole[name]} in the whole run`);
    }
  }
  wrong.push(...unsent(`${path}.whole`, whole), ...unsent(`${path}.measured`, measured));
  for (const kind of ['due', 'service', 'lag', 'ownLag'] as const) {
    const data = facts[kind];
    wrong.push(...timed(`${path}.${kind}`, data, m));
    const values = countOf(data);
    // The count of `due` is checked by the rule on conservation.
    // The own lag has a value for each operation that was sent or could have been, whatever its outcome.
    if (kind === 'ownLag') {
      if (values > measured.scheduled) {
        wrong.push(`${path}.${kind}: ${values} values, and ${measured.scheduled} operations were scheduled`);
      }
    } else if (kind !== 'due' && values !== 0 && values !== answeredOf(measured)) {
      wrong.push(`${path}.${kind}: ${values} values, and ${answeredOf(measured)} operations were answered`);
    }
  }
  wrong.push(...partOf(`${path}.rejected`, rejected, due, measured));
  if (net !== null) {
    wrong.push(...timed(`${path}.net`, net, m));
    if (net.max > due.max || countOf(net) !== countOf(due)) {
      wrong.push(`${path}.net: ${countOf(net)} values up to ${net.max}, of ${countOf(due)} up to ${due.max}`);
    }
  }
  for (const [i, window] of windows.entries()) wrong.push(...timed(`${path}.windows.${i}`, window, m));
  return wrong;
}

/** Rejected operations are a part of the answered ones, bucket by bucket. */
function partOf(path: string, rejected: HistogramData | null, due: HistogramData, counts: Counts): string[] {
  if (rejected === null) return [];
  const whole = new Map(due.counts);
  const beyond = rejected.counts.find(([value, count]) => count > (whole.get(value) ?? 0));
  if (beyond !== undefined) {
    return [
      `${path}: ${beyond[1]} values at ${beyond[0]} us, and ${whole.get(beyond[0]) ?? 0} were answered then`,
    ];
  }
  if (countOf(rejected) !== counts.rejected) {
    return [`${path}: ${countOf(rejected)} values, and ${counts.rejected} were rejected`];
  }
  return rejected.max > due.max
    ? [`${path}: up to ${rejected.max} us, of ${due.max} us at the most`]
    : histogram(path, rejected);
}

/** No operation took longer than the run. */
function timed(path: string, data: HistogramData, { phases: { end } }: Measurements): string[] {
  const longest = 1e6 * (end + SLACK_SECONDS);
  return data.max > longest
    ? [`${path}: up to ${data.max} us, of a run that took ${end} s`]
    : histogram(path, data);
}

const unsent = (path: string, { failed, failedUnsent }: Counts): string[] =>
  failedUnsent > failed ? [`${path}.failedUnsent: ${failedUnsent} of ${failed} that failed`] : [];

/** Values ascend, and minimum, maximum and sum fit them. */
function histogram(path: string, { counts, min, max, sum }: HistogramData): string[] {
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) {
    return min === 0 && max === 0 && sum === 0 ? [] : [`${path}: from ${min} to ${max}, and no buckets`];
  }
  let [before, least, most, empty] = [-1, 0, 0, 0];
  for (const [value, count] of counts) {
    if (value <= before) return [`${path}: ${value} comes after ${before}, and values ascend`];
    before = value;
    // A value is the upper end of its bucket, which begins about 1/1024 below it.
    least += count * Math.max(0, value - value / 1024 - 1);
    most += count * value;
    if (count === 0) empty += 1;
  }
  if (empty > 0) return [`${path}: ${empty} buckets of nothing`];
  const open = last[0] >= HIGHEST_MICROS;
  const next = counts.at(-2)?.[0] ?? 0;
  if (min > first[0] || max < min || max <= next * (1 - 1 / 1024) - 1 || (max > last[0] && !open)) {
    return [`${path}: from ${min} to ${max}, and the buckets from ${first[0]} to ${last[0]}`];
  }
  if (sum < least || (sum > most && !open)) {
    return [`${path}: the sum is ${sum}, and the buckets hold ${Math.floor(least)} to ${most}`];
  }
  return [];
}

/** What was expected is delivered, lost or excused; latencies are of what was delivered. */
function deliveries(m: Measurements): string[] {
  if (m.deliveries === undefined) return [];
  const { expected, delivered, lost, excused, late, latency } = m.deliveries;
  const wrong: string[] = timed('deliveries.latency', latency, m);
  if (expected !== delivered + lost + excused) {
    wrong.push(`deliveries.expected: ${expected}, and ${delivered + lost + excused} became of them`);
  }
  if (countOf(latency) !== delivered) {
    wrong.push(`deliveries.latency: ${countOf(latency)} values, and ${delivered} were delivered`);
  }
  if (late > lost + excused) wrong.push(`deliveries.late: ${late}, and ${lost + excused} were not delivered`);
  return wrong;
}

function playerFigures({ player = {} }: Measurements): string[] {
  return Object.entries(player).flatMap(([name, { unit, count, values }]) => {
    const path = `player.${name}`;
    if ((unit === null) !== (values === null)) return [`${path}: it has values where it has a unit`];
    if (values === null) return [];
    const { counts, min, max } = values;
    const last = counts.at(-1)?.[0] ?? 0;
    const isSorted = counts.every(([value], i) => i === 0 || value > (counts[i - 1]?.[0] ?? 0));
    return countOf(values) === count && isSorted && min <= max && max <= last
      ? []
      : [
          `${path}: from ${min} to ${max}, ${count} values, and the buckets hold ${countOf(values)} up to ${last}`,
        ];
  });
}

function connections({ peakCcu, connect, reconnects, reconnect }: Measurements): string[] {
  const wrong: string[] = [];
  const made = countOf(connect.histogram) + reconnects;
  if (peakCcu > made) wrong.push(`peakCcu: ${peakCcu} players, and ${made} connections were made`);
  // Players who left because of churn reconnect, too.
  const back = countOf(reconnect);
  if (reconnects > back) wrong.push(`reconnects: ${reconnects}, and ${back} were timed`);
  return wrong;
}

/** Stages follow one another within the measure phase, and their operations add up to the phase's. */
function stages(m: Measurements): string[] {
  const { stages: all, measured, operations } = m;
  if (all.length === 0) return [];
  if (measured === null) return ['stages: there are some, and no measure phase'];
  const wrong: string[] = [];
  let before = measured.from;
  for (const stage of all) {
    const { name, from, levelFrom, to, connect, reconnect, operations: own } = stage;
    const path = `stages.${name}`;
    if (Math.abs(from - before) > 1e-3 || levelFrom < from || to < levelFrom || to > measured.to + 1e-3) {
      wrong.push(
        `${path}: from ${from} to ${to} s, level from ${levelFrom} s, and the one before ends at ${before} s`,
      );
    }
    before = to;
    wrong.push(...timed(`${path}.connect`, connect, m), ...timed(`${path}.reconnect`, reconnect, m));
    wrong.push(...stageConnections(path, stage));
    if (Object.keys(own).join() !== Object.keys(operations).join()) {
      return [...wrong, `${path}.operations: not those of the whole run`];
    }
    for (const [op, { measured: counts, due, rejected, service, lag, windows }] of Object.entries(own)) {
      wrong.push(...unsent(`${path}.${op}.measured`, counts));
      wrong.push(...partOf(`${path}.${op}.rejected`, rejected, due, counts));
      for (const [kind, data] of Object.entries({ due, service, lag })) {
        wrong.push(...timed(`${path}.${op}.${kind}`, data, m));
        if (countOf(data) !== answeredOf(counts)) {
          wrong.push(
            `${path}.${op}.${kind}: ${countOf(data)} values, and ${answeredOf(counts)} were answered`,
          );
        }
      }
      // A stage that was cut short gets answers until the end of the drain.
      const longest = m.ending.state === 'completed' ? to - from : m.phases.end - from;
      if (windows.length > longest + 1) {
        wrong.push(`${path}.${op}.windows: ${windows.length} of them in ${longest} s`);
      }
      for (const [i, window] of windows.entries())
        wrong.push(...timed(`${path}.${op}.windows.${i}`, window, m));
    }
  }
  // Stages that never began have no operations.
  const isWhole = Math.abs(before - measured.to) < 1e-3;
  for (const [op, { measured: inPhase, whole: inRun }] of Object.entries(operations)) {
    const parts = all.map(({ operations: own }) => ofOperation(own, op));
    for (const name of OUTCOMES) {
      const sum = parts.reduce((total, part) => total + part.measured[name], 0);
      const phase = inPhase[name];
      if (sum > phase || (isWhole && sum < phase))
        wrong.push(`stages: ${sum} ${op} operations ${name}, and ${phase} in the measure phase`);
    }
    const held = parts.flatMap((part) => part.windows).reduce((total, window) => total + countOf(window), 0);
    if (held > answeredOf(inRun)) {
      wrong.push(`stages: ${held} ${op} values in their windows, and ${answeredOf(inRun)} were answered`);
    }
  }
  for (const name of ['disconnects', 'reconnects'] as const) {
    const sum = all.reduce((total, stage) => total + stage[name], 0);
    if (sum > m[name]) wrong.push(`stages: ${sum} ${name}, and ${m[name]} in the whole run`);
  }
  return wrong;
}

/** Only players that joined or were lost before can reconnect. */
function stageConnections(path: string, stage: StageFacts): string[] {
  const { connect, reconnect, reconnects, joined, cut, fullStrength } = stage;
  const wrong: string[] = [];
  for (const [name, data] of Object.entries({ connect, reconnect })) {
    if (countOf(data) > joined + reconnects) {
      wrong.push(`${path}.${name}: ${countOf(data)} values, and ${joined + reconnects} came back`);
    }
  }
  if (fullStrength !== null && cut === 0) {
    wrong.push(`${path}.fullStrength: ${fullStrength} us, and no player was cut off`);
  }
  return wrong;
}

function buckets(path: string, { bounds, counts }: BucketData): string[] {
  if (counts.length !== bounds.length + 1) {
    return [`${path}: ${counts.length} counts for ${bounds.length} bounds, and one more is above the last`];
  }
  const out = bounds.findIndex((bound, i) => i > 0 && bound <= (bounds[i - 1] ?? 0));
  return out < 0 ? [] : [`${path}: the bound ${bounds[out]} comes after ${bounds[out - 1]}`];
}

function ledger({ integrity }: Measurements): string[] {
  if (integrity === null) return [];
  const { sent, acked, applied, duplicated, phantom, saved = 0, lostInWindow = 0 } = integrity;
  const wrong: string[] = [];
  if (acked > sent) wrong.push(`integrity.acked: ${acked} of ${sent} that were sent`);
  if (applied > sent && duplicated + phantom === 0) {
    wrong.push(`integrity.applied: ${applied} of ${sent} that were sent, and none was a duplicate`);
  }
  if (saved + lostInWindow > acked) {
    wrong.push(
      `integrity.saved: ${saved}, and lostInWindow: ${lostInWindow}, of ${acked} that were acknowledged`,
    );
  }
  return wrong;
}

/** Seconds after GO, within the run. */
function faults({ faults: all, phases: { go, end } }: Measurements): string[] {
  return all.flatMap(({ id, action, from, to, dropped }) => {
    const last = end - (go ?? 0) + SLACK_SECONDS;
    if (from < -SLACK_SECONDS || from > last || (to !== null && (to < from || to > last))) {
      return [`faults.${id}: from ${from} to ${to} s, of a run that ended ${end - (go ?? 0)} s after GO`];
    }
    return action !== 'drop' && dropped !== null
      ? [`faults.${id}: ${dropped} sockets, and none are cut by it`]
      : [];
  });
}

/** No share exceeds its whole. */
function shares({ calibration, foreign, host, phases: { end } }: Measurements): string[] {
  const wrong: string[] = [];
  for (const name of ['answeredPercent', 'utilisationPercent'] as const) {
    const share = calibration?.[name] ?? 0;
    // A loop that was busy at the first reading gives slightly more than 100%.
    if (share > 101) wrong.push(`calibration.${name}: ${share}`);
  }
  const most = 2 * host.cpus * (end + SLACK_SECONDS);
  for (const { name, pid, cpuSeconds } of foreign) {
    if (cpuSeconds > most)
      wrong.push(`foreign.${name} (${pid}): ${cpuSeconds} s of CPU, of a run of ${end} s`);
  }
  return wrong;
}
