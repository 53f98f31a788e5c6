import type { Figures } from './figures.ts';
import type { Measurements } from './measurements.ts';
import {
  gaugeOf,
  NO_SPREAD,
  numbered,
  percentOf,
  rateOf,
  ratesAt,
  ratio,
  secondsOf,
  spreadOf,
  sumOf,
} from './readings.ts';

const NOWHERE = { from: 0, to: -1 };

/** Cores that the generator used: its workers, and the process that directs them where that was watched. */
function generatorCores(m: Measurements): number | null {
  const window = m.measured ?? NOWHERE;
  const workers = sumOf(numbered(m.series, 'generator', 'cpuSeconds').map((one) => rateOf(one, window)));
  if (workers === null) return null;
  return workers + (rateOf(m.series['runner.cpuSeconds'], window) ?? 0);
}

export function generatorFigures(m: Measurements, lagP99Ms: number | null): Figures['generator'] {
  const window = m.measured ?? NOWHERE;
  const each = (name: string) =>
    numbered(m.series, 'generator', name).map((series) => gaugeOf(series, window));
  const cores = generatorCores(m);
  const memory = sumOf(each('memoryBytes').map(({ max }) => max));
  return {
    engine: m.engine,
    workers: m.workers,
    cpuCores: cores,
    cpuPercentOfHost: percentOf(cores, m.host.cpus),
    maxLoopDelayMs: spreadOf(each('loopDelayMs').map(({ max }) => max)).max,
    maxUtilisationPercent: percentOf(spreadOf(each('utilisation').map(({ mean }) => mean)).max, 1),
    lagP99Ms,
    memoryBytesPerPlayer: ratio(memory, m.peakCcu),
  };
}

export function hostFigures(m: Measurements): Figures['host'] {
  const window = m.measured ?? NOWHERE;
  const { cpus, memoryBytes } = m.host;
  const cores = (name: string): number | null => rateOf(m.series[name], window);
  const available = gaugeOf(m.series['host.memoryAvailableBytes'], window);
  const used = (free: number | null): number | null =>
    free === null ? null : percentOf(memoryBytes - free, memoryBytes);
  return {
    ...m.host,
    nodeMajor: Number.parseInt(m.host.node.replace(/^v/, ''), 10) || 0,
    cpuPercent: spreadOf(
      ratesAt(m.series['host.cpuBusySeconds'], secondsOf(window).slice(1)).map((one) => percentOf(one, cpus)),
    ),
    otherCpuPercent: percentOf(otherCores(m), cpus),
    stealPercent: percentOf(cores('host.cpuStealSeconds'), cpus),
    memoryUsedPercent:
      available.mean === null
        ? NO_SPREAD
        : { mean: used(available.mean), min: used(available.max), max: used(available.min) },
    memoryAvailableBytes: available,
    networkBytesPerSecond: cores('host.networkBytes'),
  };
}

/** Busy cores that are neither PostgreSQL's, nor a world server's, nor the generator's; null when one is unknown. */
function otherCores(m: Measurements): number | null {
  const window = m.measured ?? NOWHERE;
  const busy = rateOf(m.series['host.cpuBusySeconds'], window);
  const known = sumOf([
    rateOf(m.series['postgres.cpuSeconds'], window),
    sumOf(numbered(m.series, 'world', 'cpuSeconds').map((one) => rateOf(one, window))),
    generatorCores(m),
  ]);
  return busy === null || known === null ? null : Math.max(0, busy - known);
}
