import type { Scenario } from '../scenario/scenario.ts';
import { type Figures, rateKey, type Spread } from './figures.ts';
import { waitedPercent } from './host-figures.ts';
import type { Measurements, Series } from './measurements.ts';
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
  togetherOf,
  valuesAt,
} from './readings.ts';

export function throughputFigures(m: Measurements, s: Scenario): Figures['throughput'] {
  const window = m.measured ?? NOWHERE;
  const acknowledged = s.operations.map(({ id }) =>
    sumOf(['ok', 'rejected'].map((kind) => paceOf(m.series[`load.${id}.${kind}`], window))),
  );
  const servers = numbered(m.series, 'world', 'operations');
  const operations = servers.map((series) => increaseOf(series, window));
  return {
    operationsPerSecond: sumOf(acknowledged),
    ...Object.fromEntries(s.operations.map(({ plural }, i) => [rateKey(plural), acknowledged[i] ?? null])),
    operationsPerServerPerSecond: spreadOf(servers.map((series) => rateOf(series, window))),
    serverSharePercent: spreadOf(operations.map((one) => percentOf(one, sumOf(operations)))),
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
  const together = (name: string): Spread => togetherOf(each(name), window);
  const cpu = each('cpuSeconds').map((series) => ratesAt(series, seconds.slice(1)));
  const percents = (column: readonly (number | null)[], cores: number): Spread =>
    spreadOf(column.map((rate) => percentOf(rate, cores)));
  return {
    servers: each('operations').length === 0 ? s.world.servers : each('operations').length,
    cpuPercentOfCore: largest(cpu.map((column) => percents(column, 1))),
    cpuPercentTotal: percents(sumColumns(cpu), cpu.length),
    memoryBytes: largest(each('memoryBytes').map((series) => gaugeOf(series, window))),
    memoryTotalBytes: together('memoryBytes'),
    connections: together('connections'),
    loopDelayMs: spreadOf(each('loopDelayMs').flatMap((series) => valuesAt(series, seconds))),
    waitedPercent: waitedPercent(m, 'world'),
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
    memoryPercentOfHost: {
      mean: percentOf(memory.mean, m.host.memoryBytes),
      min: percentOf(memory.min, m.host.memoryBytes),
      max: percentOf(memory.max, m.host.memoryBytes),
    },
  };
}
