import type { Figures } from './figures.ts';
import type { Measurements } from './measurements.ts';
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
  sumOf,
} from './readings.ts';

/** Cores that the generator used: its workers, and the process that directs them where that was watched. */
function generatorCores(m: Measurements): number | null {
  const window = m.measured ?? NOWHERE;
  const workers = sumOf(numbered(m.series, 'generator', 'cpuSeconds').map((one) => paceOf(one, window)));
  if (workers === null) return null;
  return workers + (rateOf(m.series['runner.cpuSeconds'], window) ?? 0);
}

export type Lags = Pick<Figures['generator'], 'lagP99Ms' | 'ownLagP99Ms' | 'pushbackMeanMs'>;

export function generatorFigures(
  m: Measurements,
  lags: Lags,
  operationsPerSecond: number | null,
): Figures['generator'] {
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
    ...lags,
    stalledPercent: stalledPercent(m),
    waitedPercent: waitedPercent(m, 'generator'),
    memoryBytesPerPlayer: ratio(memory, m.peakCcu),
    cpuMicrosPerOperation: ratio(cores === null ? null : cores * 1e6, operationsPerSecond),
    clockMs: m.engine === 'k6' ? 1 : 0.001,
    calibration: {
      of: m.calibration?.of ?? null,
      seconds: m.calibration?.seconds ?? null,
      targetPerSecond: m.calibration?.targetPerSecond ?? null,
      ratePerSecond: m.calibration?.ratePerSecond ?? null,
      answeredPercent: m.calibration?.answeredPercent ?? null,
      utilisationPercent: m.calibration?.utilisationPercent ?? null,
      ownLagP99Ms: m.calibration?.ownLagP99Ms ?? null,
      dueP99Ms: m.calibration?.dueP99Ms ?? null,
    },
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
    stealMaxPercent: spreadOf(
      ratesAt(m.series['host.cpuStealSeconds'], secondsOf(window).slice(1)).map((one) =>
        percentOf(one, cpus),
      ),
    ).max,
    foreignCpuPercent: percentOf(cores('host.foreignCpuSeconds'), cpus),
    throttledPeriods: increaseOf(m.series['host.throttledPeriods'], window),
    memoryPressurePercent: percentOf(cores('host.memoryFullSeconds'), 1),
    cpuPressurePercent: percentOf(cores('host.cpuSomeSeconds'), 1),
    canaryDriftPercent: canaryDrift(m),
    clockDriftMs: m.clockDriftMs,
    memoryUsedPercent:
      available.mean === null
        ? NO_SPREAD
        : { mean: used(available.mean), min: used(available.max), max: used(available.min) },
    memoryAvailableBytes: available,
    networkBytesPerSecond: cores('host.networkBytes'),
  };
}

/** By how much the loop of the worst worker was late, of the measure phase: gauges of a second each. */
function stalledPercent(m: Measurements): number | null {
  const { from, to } = m.measured ?? NOWHERE;
  const shares = numbered(m.series, 'generator', 'stalledMs').map(({ points }) => {
    // Each point is of the second that ends there.
    const seconds = points.filter(([at]) => at > from && at <= to).map(([, ms]) => ms);
    return percentOf(sumOf(seconds), 1000 * (to - from));
  });
  return spreadOf(shares).max;
}

/** Of the process that was ready to run without a CPU for the largest part of the time. */
export const waitedPercent = (m: Measurements, room: string): number | null =>
  percentOf(
    spreadOf(numbered(m.series, room, 'waitedSeconds').map((one) => paceOf(one, m.measured ?? NOWHERE))).max,
    1,
  );

function canaryDrift({ canary }: Measurements): number | null {
  if (canary === null || canary.afterMs === null) return null;
  return percentOf(Math.abs(canary.afterMs - canary.beforeMs), canary.beforeMs);
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
