import {
  countOf,
  EMPTY_HISTOGRAM,
  type HistogramData,
  meanOf,
  mergeHistograms,
  percentileOf,
} from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import { toMillis } from '../units.ts';
import { faultFigures } from './fault-figures.ts';
import type { Figures, LatencyFigures, Percentiles } from './figures.ts';
import { generatorFigures, hostFigures, type Lags } from './host-figures.ts';
import type { Measurements, OperationFacts } from './measurements.ts';
import { gaugeOf, percentOf, rateOf, ratio, sumOf } from './readings.ts';
import { sentOf } from './sent.ts';
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
      scale: s.scale,
      colocated: m.colocated,
      durationSeconds: m.measured === null ? null : m.measured.to - m.measured.from,
      operations: eachOperation((op) => m.operations[op].measured),
      wholeRun: eachOperation((op) => m.operations[op].whole),
      sentPercent: eachOperation((op) => sentPercent(m.operations[op].measured)),
    },
    latency: eachOperation((op) => latencyOf(m.operations[op])),
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
      ...{ each: eachOperation, sentPercent, latency: latencyOf },
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

const sentPercent = (counts: Counts): number | null => percentOf(sentOf(counts), counts.scheduled);

/** Operations without an answer. */
const unansweredOf = (counts: Counts): number =>
  counts.failed + counts.timedOut + counts.skipped + counts.unfinished;

function latencyOf(facts: Pick<OperationFacts, 'measured' | 'due' | 'service' | 'lag'>): LatencyFigures {
  const unanswered = unansweredOf(facts.measured);
  return {
    unit: 'ms',
    due: { ...percentilesOf(facts.due, unanswered), unanswered },
    service: percentilesOf(facts.service),
    lag: percentilesOf(facts.lag),
  };
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
  const bytesIn = measured === null ? null : rateOf(m.series['load.bytesIn'], measured);
  const bytesOut = measured === null ? null : rateOf(m.series['load.bytesOut'], measured);
  const commands = measured === null ? null : rateOf(m.series['load.commandBytes'], measured);
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

function integrityFigures({ integrity }: Measurements): Figures['integrity'] {
  const servers = integrity?.rowWritesServers ?? null;
  const postgres = integrity?.rowWritesPostgres ?? null;
  return {
    sent: integrity?.sent ?? null,
    acked: integrity?.acked ?? null,
    applied: integrity?.applied ?? null,
    lost: integrity?.lost ?? null,
    phantom: integrity?.phantom ?? null,
    duplicated: integrity?.duplicated ?? null,
    holes: integrity?.holes ?? null,
    rowWritesServers: servers,
    rowWritesPostgres: postgres,
    rowWritesDisagreePercent: disagreement(servers, postgres),
  };
}

/** Two counts of nothing agree; a count beside nothing disagrees entirely. */
function disagreement(servers: number | null, postgres: number | null): number | null {
  if (servers === null || postgres === null) return null;
  // A count that ran backwards (statistics are gone after a crash) is none to agree with.
  if (postgres <= 0) return servers === 0 && postgres === 0 ? 0 : 100;
  return (100 * Math.abs(servers - postgres)) / postgres;
}
