import type { Scenario } from '../scenario/scenario.ts';
import { bucketMean, bucketQuantile, largestBucket } from './buckets.ts';
import type { Figures, Spread } from './figures.ts';
import { waitedPercent } from './host-figures.ts';
import type { BucketData, Measurements, Series } from './measurements.ts';
import {
  gaugeOf,
  increaseOf,
  NO_SPREAD,
  NOWHERE,
  numbered,
  paceOf,
  percentOf,
  rateOf,
  ratesAt,
  ratio,
  secondsOf,
  spreadOf,
  sumColumns,
  sumOf,
  valuesAt,
} from './readings.ts';

const quantiles = (data: BucketData | undefined) => ({
  p50: data === undefined ? null : bucketQuantile(data, 50),
  p95: data === undefined ? null : bucketQuantile(data, 95),
  p99: data === undefined ? null : bucketQuantile(data, 99),
});

export function throughputFigures(m: Measurements): Figures['throughput'] {
  const window = m.measured ?? NOWHERE;
  const acknowledged = (op: string): number | null =>
    sumOf([paceOf(m.series[`load.${op}.ok`], window), paceOf(m.series[`load.${op}.rejected`], window)]);
  const servers = (name: string): (number | null)[] =>
    numbered(m.series, 'world', name).map((series) => increaseOf(series, window));
  const rates = (name: string): (number | null)[] =>
    numbered(m.series, 'world', name).map((series) => rateOf(series, window));
  const intents = acknowledged('intent');
  const commands = acknowledged('monsterCommand');
  const operations = servers('operations');
  const total = sumOf(operations);
  const batches = sumOf(servers('batches'));
  const rowWrites = sumOf(servers('rowWrites'));
  return {
    operationsPerSecond: sumOf([intents, commands]),
    intentsPerSecond: intents,
    monsterCommandsPerSecond: commands,
    operationsPerServerPerSecond: spreadOf(rates('operations')),
    serverSharePercent: spreadOf(operations.map((one) => percentOf(one, total))),
    rowWritesPerSecond: sumOf(rates('rowWrites')),
    batchesPerSecond: sumOf(rates('batches')),
    rowsPerBatch: ratio(rowWrites, batches),
    operationsPerBatch: ratio(total, batches),
    largestBatch: m.worlds === null ? null : largestBucket(m.worlds.batchOperations),
    flushedOnTimePercent: percentOf(sumOf(servers('batchesOnTime')), batches),
    coalescing: ratio(total, rowWrites),
  };
}

/** The spread of the series whose mean is the largest. */
function largest(spreads: readonly Spread[]): Spread {
  return spreads.reduce((most, one) => ((one.mean ?? -1) > (most.mean ?? -1) ? one : most), NO_SPREAD);
}

export function worldFigures(m: Measurements, s: Scenario): Figures['world'] {
  const window = m.measured ?? NOWHERE;
  const seconds = secondsOf(window);
  const each = (name: string): readonly Series[] => numbered(m.series, 'world', name);
  const together = (name: string): Spread =>
    spreadOf(sumColumns(each(name).map((series) => valuesAt(series, seconds))));
  const cpu = each('cpuSeconds').map((series) => ratesAt(series, seconds.slice(1)));
  const percents = (column: readonly (number | null)[], cores: number): Spread =>
    spreadOf(column.map((rate) => percentOf(rate, cores)));
  return {
    servers: each('operations').length === 0 ? s.world.servers : each('operations').length,
    cpuPercentOfCore: largest(cpu.map((column) => percents(column, 1))),
    cpuPercentTotal: percents(sumColumns(cpu), cpu.length),
    memoryBytes: largest(each('memoryBytes').map((series) => gaugeOf(series, window))),
    memoryTotalBytes: together('memoryBytes'),
    entities: together('entities'),
    connections: together('connections'),
    loopDelayMs: spreadOf(each('loopDelayMs').flatMap((series) => valuesAt(series, seconds))),
    waitedPercent: waitedPercent(m, 'world'),
    responseMs: quantiles(m.worlds?.responseMs),
  };
}

export function databaseFigures(m: Measurements): Figures['database'] {
  const window = m.measured ?? NOWHERE;
  const series = (name: string): Series | undefined => m.series[`postgres.${name}`];
  const rate = (name: string): number | null => rateOf(series(name), window);
  const increase = (name: string): number | null => increaseOf(series(name), window);
  const hits = increase('blocksHit');
  const memory = gaugeOf(series('memoryBytes'), window);
  return {
    connections: gaugeOf(series('connections'), window),
    hitRatioPercent: percentOf(hits, sumOf([hits, increase('blocksRead')])),
    queryMs: quantiles(m.worlds?.flushMs),
    statementMeanMs: ratio(increase('statementMs'), increase('statements')),
    statementsPerSecond: rate('statements'),
    commitsPerSecond: rate('commits'),
    rowsUpdatedPerSecond: rate('rowsUpdated'),
    hotUpdatePercent: percentOf(increase('rowsHotUpdated'), increase('rowsUpdated')),
    walBytesPerSecond: rate('walBytes'),
    workingSetBytes: gaugeOf(series('workingSetBytes'), window),
    cpuPercentOfHost: spreadOf(
      ratesAt(series('cpuSeconds'), secondsOf(window).slice(1)).map((one) => percentOf(one, m.host.cpus)),
    ),
    waitedPercent: percentOf(rate('waitedSeconds'), 1),
    writersBusyPercent: writersBusy(m),
    memoryPercentOfHost: {
      mean: percentOf(memory.mean, m.host.memoryBytes),
      min: percentOf(memory.min, m.host.memoryBytes),
      max: percentOf(memory.max, m.host.memoryBytes),
    },
  };
}

/** By the utilisation law U = X S: X the flushes a second of one server, S the mean round trip of one. */
function writersBusy(m: Measurements): number | null {
  const window = m.measured ?? NOWHERE;
  const { mean } = spreadOf(numbered(m.series, 'world', 'batches').map((series) => rateOf(series, window)));
  const flush = m.worlds === null ? null : bucketMean(m.worlds.flushMs);
  return mean === null || flush === null ? null : Math.min(100, (mean * flush) / 10);
}
