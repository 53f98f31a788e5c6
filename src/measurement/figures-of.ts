import {
  countOf,
  EMPTY_HISTOGRAM,
  type HistogramData,
  meanOf,
  mergeHistograms,
  percentileOf,
  withoutPart,
} from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import { allowedRejections } from '../scenario/rejections.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import { toMillis } from '../units.ts';
import { faultFigures } from './fault-figures.ts';
import type { Figures, LatencyFigures, OpenPercentiles, Percentiles } from './figures.ts';
import { generatorFigures, hostFigures, type Lags } from './host-figures.ts';
import type { LatencyFacts, Measurements } from './measurements.ts';
import { gaugeOf, NOWHERE, paceOf, percentOf, ratio, sumOf } from './readings.ts';
import { sentOf, unansweredOf, unansweredSentOf } from './sent.ts';
import { databaseFigures, throughputFigures, worldFigures } from './server-figures.ts';
import { stageFigures } from './stage-figures.ts';
import { redisFigures, targetFigures } from './target-figures.ts';

/** Reduces the facts of a run to the body of report.json. */
export function figuresOf(m: Measurements, s: Scenario): Figures {
  const throughput = throughputFigures(m);
  return {
    load: {
      requestedCcu: s.load.players,
      peakCcu: m.peakCcu,
      presence: gaugeOf(m.series['load.connected'], m.measured ?? NOWHERE),
      scale: s.scale,
      colocated: m.colocated,
      durationSeconds: m.measured === null ? null : m.measured.to - m.measured.from,
      operations: eachOperation((op) => m.operations[op].measured),
      wholeRun: eachOperation((op) => m.operations[op].whole),
      ...sharesOf((op) => m.operations[op].measured),
    },
    latency: eachOperation((op) => latencyOf(m.operations[op], allowedRejections(op, s).declared)),
    throughput,
    world: worldFigures(m, s),
    database: databaseFigures(m),
    redis: redisFigures(m),
    target: targetFigures(m, s),
    network: networkFigures(m),
    integrity: integrityFigures(m),
    ceilings: {
      insertsPerSecond: m.ceilings?.insertsPerSecond ?? null,
      updatesPerSecondSingle: m.ceilings?.updatesPerSecondSingle ?? null,
      updatesPerSecondBatched: m.ceilings?.updatesPerSecondBatched ?? null,
      batchSpeedup: ratio(
        m.ceilings?.updatesPerSecondBatched ?? null,
        m.ceilings?.updatesPerSecondSingle ?? null,
      ),
      statement: m.ceilings?.statement ?? null,
    },
    stages: stageFigures(m, {
      ...{ each: eachOperation, shares: sharesOf },
      latency: (op, facts) => latencyOf(facts, allowedRejections(op, s).declared),
      percentiles: (data) => percentilesOf(data),
    }),
    faults: faultFigures(m),
    generator: generatorFigures(m, lagsOf(m), throughput.operationsPerSecond),
    host: hostFigures(m),
    stack: {
      kind: m.stackKind,
      documented: Object.fromEntries(m.settings.map((one) => [one.setting, one.documented])),
      applied: Object.fromEntries(m.settings.map((one) => [one.setting, one.applied])),
      reasons: Object.fromEntries(
        m.settings.flatMap((one) => (one.reason === null ? [] : [[one.setting, one.reason]])),
      ),
    },
  };
}

function eachOperation<T>(of: (op: Operation) => T): Record<Operation, T> {
  const [intent, monsterCommand] = OPERATIONS;
  return { [intent]: of(intent), [monsterCommand]: of(monsterCommand) };
}

/** What became of the operations that were due, as shares of them. */
export function sharesOf(
  countsOf: (op: Operation) => Counts | null,
): Pick<Figures['load'], 'sentPercent' | 'errorPercent' | 'unansweredPercent' | 'rejectedPercent'> {
  const each = (part: (counts: Counts) => number) =>
    eachOperation((op) => {
      const counts = countsOf(op);
      return counts === null ? null : percentOf(part(counts), counts.scheduled);
    });
  return {
    sentPercent: each(sentOf),
    errorPercent: each(({ failed }) => failed),
    unansweredPercent: each(unansweredOf),
    rejectedPercent: each(({ rejected }) => rejected),
  };
}

function latencyOf(facts: LatencyFacts, declared: boolean): LatencyFigures {
  const { measured, due, rejected } = facts;
  const unanswered = unansweredOf(measured) + measured.skipped;
  const all = open(due, unanswered);
  const ok = rejected === null ? null : withoutPart(due, rejected);
  return {
    unit: 'ms',
    due: all,
    // Not timed apart, nothing is known of them, not even that some were slower.
    ok: ok === null && measured.rejected > 0 ? open(EMPTY_HISTOGRAM, 0) : open(ok ?? due, unanswered),
    rejected: percentilesOf(rejected ?? EMPTY_HISTOGRAM),
    judged: declared
      ? all
      : // Not timed apart, the rejected ones may have been the fastest.
        open(ok ?? withoutFastest(due, measured.rejected), unanswered + measured.rejected),
    service: open(facts.service, unansweredSentOf(measured)),
    lag: percentilesOf(facts.lag),
  };
}

const open = (data: HistogramData, unanswered: number): OpenPercentiles => ({
  ...percentilesOf(data, unanswered),
  unanswered,
});

/** Its sum is then only as exact as the buckets. */
function withoutFastest(data: HistogramData, most: number): HistogramData {
  let left = most;
  const counts = data.counts.flatMap(([value, count]) => {
    const taken = Math.min(left, count);
    left -= taken;
    return count > taken ? [[value, count - taken] as const] : [];
  });
  const sum = counts.reduce((total, [value, count]) => total + value * count, 0);
  return { counts, min: counts[0]?.[0] ?? 0, max: data.max, sum: Math.min(sum, data.sum) };
}

/** A histogram of microseconds in milliseconds. `min`, `max`, `mean` and `count` are of what was answered. */
function percentilesOf(data: HistogramData, unanswered = 0): Percentiles {
  const count = countOf(data);
  const mean = meanOf(data);
  const at = (percent: number): number | null => {
    const value = percentileOf(data, percent, count + unanswered);
    return value === null ? null : toMillis(value);
  };
  return {
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    min: count === 0 ? null : toMillis(data.min),
    max: count === 0 ? null : toMillis(data.max),
    mean: mean === null ? null : toMillis(mean),
    count,
  };
}

/** `sent - due` over all operations, the generator's own part of it, and the mean of the rest, in milliseconds. */
function lagsOf(m: Measurements): Lags {
  const [lag, own] = (['lag', 'ownLag'] as const).map((kind) =>
    mergeHistograms(OPERATIONS.map((op) => m.operations[op][kind])),
  );
  const p99 = (data = EMPTY_HISTOGRAM): number | null => {
    const value = percentileOf(data, 99);
    return value === null ? null : toMillis(value);
  };
  const [all, caused] = [lag, own].map((data = EMPTY_HISTOGRAM) => meanOf(data));
  return {
    lagP99Ms: p99(lag),
    ownLagP99Ms: p99(own),
    pushbackMeanMs: all == null || caused == null ? null : Math.max(0, toMillis(all - caused)),
  };
}

function networkFigures(m: Measurements): Figures['network'] {
  const { measured, phases } = m;
  const { histogram } = m.connect;
  const bytesIn = measured === null ? null : paceOf(m.series['load.bytesIn'], measured);
  const bytesOut = measured === null ? null : paceOf(m.series['load.bytesOut'], measured);
  const commands = measured === null ? null : paceOf(m.series['load.commandBytes'], measured);
  const players = measured === null ? null : gaugeOf(m.series['load.connected'], measured).mean;
  const connecting = phases.ready === null || phases.connect === null ? null : phases.ready - phases.connect;
  return {
    bytesPerPlayerSecondIn: ratio(bytesIn, players),
    bytesPerPlayerSecondOut: ratio(bytesOut, players),
    bytesPerSecond: sumOf([bytesIn, bytesOut, commands]),
    connectMs: percentilesOf(histogram, m.connect.failed),
    connectsPerSecond: connecting === null ? null : ratio(countOf(histogram), connecting),
    disconnects: m.disconnects,
    reconnects: m.reconnects,
    reconnectMs: percentilesOf(m.reconnect),
  };
}

function integrityFigures({ integrity, welcomes }: Measurements): Figures['integrity'] {
  const servers = integrity?.rowWritesServers ?? null;
  const postgres = integrity?.rowWritesPostgres ?? null;
  return {
    sent: integrity?.sent ?? null,
    acked: integrity?.acked ?? null,
    applied: integrity?.applied ?? null,
    lost: eitherWay(integrity?.lost, welcomes?.forgotten),
    phantom: eitherWay(integrity?.phantom, welcomes?.invented),
    duplicated: integrity?.duplicated ?? null,
    holes: integrity?.holes ?? null,
    rowWritesServers: servers,
    rowWritesPostgres: postgres,
    rowWritesDisagreePercent: disagreement(servers, postgres),
  };
}

/** The rows and the welcomes may tell of the same numbers. Where nobody read the rows, good welcomes prove nothing. */
function eitherWay(rows: number | undefined, welcomes = 0): number | null {
  if (rows === undefined) return welcomes === 0 ? null : welcomes;
  return Math.max(rows, welcomes);
}

/** Two counts of nothing agree; a count beside nothing disagrees entirely. */
function disagreement(servers: number | null, postgres: number | null): number | null {
  if (servers === null || postgres === null) return null;
  // A count that ran backwards (statistics are gone after a crash) is none to agree with.
  if (postgres <= 0) return servers === 0 && postgres === 0 ? 0 : 100;
  return (100 * Math.abs(servers - postgres)) / postgres;
}
