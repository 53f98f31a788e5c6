import { bucketQuantile } from '../buckets.ts';
import { meanOf, mergeHistograms } from '../histogram.ts';
import { selectorsOf } from '../scenario/budget.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { toMillis } from '../units.ts';
import { type Figures, type MetricFigures, type ProcessFigures, rateKey, type Spread } from './figures.ts';
import { percentilesOf } from './latency-figures.ts';
import type { BucketData, Measurements, Series } from './measurements.ts';
import {
  gaugeOf,
  increaseOf,
  measuredOf,
  NO_SPREAD,
  NOWHERE,
  numbered,
  paceOf,
  percentOf,
  percentsOf,
  processNamesOf,
  rateOf,
  ratesAt,
  ratio,
  secondsOf,
  spreadOf,
  sumColumns,
  sumOf,
  togetherOf,
  valuesAt,
  type Window,
} from './readings.ts';

export function throughputFigures(m: Measurements, s: Scenario): Figures['throughput'] {
  const { window, each } = measuredOf(m, 'world');
  const acknowledged = s.operations.map(({ id }) =>
    sumOf(['ok', 'rejected'].map((kind) => paceOf(m.series[`load.${id}.${kind}`], window))),
  );
  const servers = each('operations');
  const operations = servers.map((series) => increaseOf(series, window));
  return {
    operationsPerSecond: sumOf(acknowledged),
    ...Object.fromEntries(s.operations.map(({ plural }, i) => [rateKey(plural), acknowledged[i] ?? null])),
    operationsPerServerPerSecond: spreadOf(servers.map((series) => rateOf(series, window))),
    serverSharePercent: spreadOf(operations.map((one) => percentOf(one, sumOf(operations)))),
  };
}

/** The figures of the series with the largest mean. */
function largest(spreads: readonly Spread[]): Spread {
  return spreads.reduce((most, one) => ((one.mean ?? -1) > (most.mean ?? -1) ? one : most), NO_SPREAD);
}

export const serversOf = (m: Measurements, { world }: Scenario): number =>
  numbered(m.series, 'world', 'operations').length || m.targets || world.servers;

/** What the servers use in a window. */
export function serverUse({ series }: Measurements, window: Window) {
  const each = (name: string) => numbered(series, 'world', name);
  const instants = secondsOf(window).slice(1);
  return {
    cpuPercentOfCore: largest(each('cpuSeconds').map((one) => percentsOf(ratesAt(one, instants), 1))),
    memoryBytes: largest(each('memoryBytes').map((one) => gaugeOf(one, window))),
  };
}

export function worldFigures(m: Measurements, s: Scenario): Figures['world'] {
  const { window, each } = measuredOf(m, 'world');
  const seconds = secondsOf(window);
  const together = (name: string): Spread => togetherOf(each(name), window);
  const cpu = each('cpuSeconds').map((series) => ratesAt(series, seconds.slice(1)));
  return {
    servers: serversOf(m, s),
    ...serverUse(m, window),
    cpuCores: largest(cpu.map(spreadOf)),
    busiestProcessPercent: largest(
      each('busiestProcessSeconds').map((series) => percentsOf(ratesAt(series, seconds.slice(1)), 1)),
    ),
    cpuPercentTotal: percentsOf(sumColumns(cpu), cpu.length),
    memoryTotalBytes: together('memoryBytes'),
    processes: together('processes'),
    connections: together('connections'),
    connectionsPerServer: largest(each('connections').map((series) => gaugeOf(series, window))),
    loopDelayMs: spreadOf(each('loopDelayMs').flatMap((series) => valuesAt(series, seconds))),
    waitedPercent: waitedPercent(m, 'world'),
  };
}

export function databaseFigures(m: Measurements): Figures['database'] {
  const { gauge, rate, increase, percents, perSecond } = measuredOf(m, 'postgres');
  const hits = increase('blocksHit');
  const memory = gauge('memoryBytes');
  const ofHost = (bytes: number | null): number | null => percentOf(bytes, m.host.memoryBytes);
  return {
    connections: gauge('connections'),
    hitRatioPercent: percentOf(hits, sumOf([hits, increase('blocksRead')])),
    statementMeanMs: ratio(increase('statementMs'), increase('statements')),
    statementsPerSecond: rate('statements'),
    commitsPerSecond: rate('commits'),
    rowsUpdatedPerSecond: rate('rowsUpdated'),
    rowsInsertedPerSecond: rate('rowsInserted'),
    rowsDeletedPerSecond: rate('rowsDeleted'),
    rowWritesPerSecond: sumOf([rate('rowsUpdated'), rate('rowsInserted'), rate('rowsDeleted')]),
    hotUpdatePercent: percentOf(increase('rowsHotUpdated'), increase('rowsUpdated')),
    walBytesPerSecond: rate('walBytes'),
    workingSetBytes: gauge('workingSetBytes'),
    cpuPercentOfHost: percents('cpuSeconds', m.host.cpus),
    cpuCores: perSecond('cpuSeconds'),
    memoryBytes: memory,
    waitedPercent: percentOf(rate('waitedSeconds'), 1),
    memoryPercentOfHost: { mean: ofHost(memory.mean), min: ofHost(memory.min), max: ofHost(memory.max) },
  };
}

export function redisFigures(m: Measurements): Figures['redis'] {
  const { gauge, rate, increase, percents, perSecond } = measuredOf(m, 'redis');
  const hits = increase('keyspaceHits');
  return {
    operationsPerSecond: rate('operations'),
    commandsPerRead: ratio(increase('operations'), increase('reads')),
    usedMemoryBytes: gauge('usedMemoryBytes'),
    memoryBytes: gauge('memoryBytes'),
    connections: gauge('connections'),
    cpuPercentOfCore: percents('cpuSeconds', 1),
    cpuCores: perSecond('cpuSeconds'),
    evictedKeys: increase('evictedKeys'),
    expiredKeys: increase('expiredKeys'),
    hitRatioPercent: percentOf(hits, sumOf([hits, increase('keyspaceMisses')])),
    rejectedConnections: increase('rejectedConnections'),
    errorReplies: increase('errorReplies'),
    networkBytesPerSecond: rate('networkBytes'),
    keys: gauge('keys'),
    commands: redisCommands(m),
  };
}

const MOST_COMMANDS = 5;
const CALLS = /^redis\.command\.(.+)\.calls$/;

/** The commands that were called most in the measure phase. */
function redisCommands(m: Measurements): Figures['redis']['commands'] {
  const window = m.measured ?? NOWHERE;
  const grown = (series: Series | undefined): number => {
    const growth = increaseOf(series, window);
    const [first] = series?.points ?? [];
    if (growth !== null || first === undefined || first[0] <= window.from) return growth ?? 0;
    // Redis lists a command from its first call on: before that it had none.
    return series?.points.findLast(([at]) => at <= window.to)?.[1] ?? 0;
  };
  const commands = Object.keys(m.series).flatMap((key) => {
    const name = CALLS.exec(key)?.[1];
    const calls = grown(m.series[key]);
    return name === undefined || calls === 0 ? [] : [{ name, calls }];
  });
  return Object.fromEntries(
    commands
      .sort((a, b) => b.calls - a.calls)
      .slice(0, MOST_COMMANDS)
      .map(({ name, calls }) => [
        name,
        {
          callsPerSecond: calls / (window.to - window.from),
          microsPerCall: ratio(grown(m.series[`redis.command.${name}.micros`]), calls),
        },
      ]),
  );
}

/** The figures of every metric that a budget or `watch:` names, and of every process that was watched. */
export const targetFigures = (m: Measurements, { budgets, watch }: Scenario): Figures['target'] => ({
  metrics: Object.fromEntries(
    [...selectorsOf(budgets, watch).keys()].map((text) => [text, metricFigures(m, text)]),
  ),
  process: Object.fromEntries(processNamesOf(m).map((name) => [name, processFigures(m, name)])),
});

function processFigures(m: Measurements, name: string): ProcessFigures {
  const { gauge, percents } = measuredOf(m, `process.${name}`);
  return {
    cpuPercentOfCore: percents('cpuSeconds', 1),
    cpuPercentOfHost: percents('cpuSeconds', m.host.cpus),
    busiestThreadPercent: percents('busiestThreadSeconds', 1),
    memoryBytes: gauge('memoryBytes'),
    threads: gauge('threads'),
    descriptors: gauge('descriptors'),
    processes: gauge('processes'),
  };
}

/** A histogram that its page declares without any observation counts as 0, like such a counter. */
const isUnborn = ({ bounds, counts }: BucketData): boolean => bounds.length === 0 && counts[0] === 0;

function metricFigures(m: Measurements, text: string): MetricFigures {
  const window = m.measured ?? NOWHERE;
  // A counter that stays at 0 is not maintained.
  const isAbsent = m.absences?.some(({ of }) => of === `target.metrics.${text}.values`) ?? false;
  const pages = isAbsent ? [] : numbered(m.series, 'metrics', text);
  const counters = pages.filter(({ kind }) => kind === 'counter');
  const gauges = pages.filter(({ kind }) => kind === 'gauge');
  const sums = sumColumns(gauges.map((series) => valuesAt(series, secondsOf(window))));
  const spread = spreadOf(sums);
  const buckets =
    m.histograms !== undefined && Object.hasOwn(m.histograms, text) ? m.histograms[text] : undefined;
  const at = (percent: number): number | null =>
    buckets === undefined ? null : isUnborn(buckets) ? 0 : bucketQuantile(buckets, percent);
  return {
    ...spread,
    last: sums.findLast((value) => value !== null) ?? null,
    rate: sumOf(counters.map((series) => rateOf(series, window))),
    increase: sumOf(counters.map((series) => increaseOf(series, window))),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    count: buckets === undefined ? null : buckets.counts.reduce((sum, count) => sum + count, 0),
    largestBound: buckets?.bounds.at(-1) ?? null,
  };
}

/** Whether a load worker used the CPU and the memory of this host: those of agents may be elsewhere. */
export function isOnThisHost(worker: number, { agents = [] }: Measurements): boolean {
  let before = 0;
  for (const { workers, onThisHost } of agents) {
    before += workers;
    if (worker < before) return onThisHost;
  }
  return true;
}

/** Cores used by the generator: its workers, and the coordinating process where it was probed. */
function generatorCores(m: Measurements, where: 'anywhere' | 'here' = 'anywhere'): number | null {
  const window = m.measured ?? NOWHERE;
  const paces = Object.entries(m.series).flatMap(([name, series]) => {
    const worker = /^generator\.(\d+)\.cpuSeconds$/.exec(name)?.[1];
    if (worker === undefined) return [];
    return where === 'anywhere' || isOnThisHost(Number(worker), m) ? [paceOf(series, window)] : [0];
  });
  const workers = sumOf(paces);
  if (workers === null) return null;
  return workers + (rateOf(m.series['runner.cpuSeconds'], window) ?? 0);
}

/** `sent - due` over all operations, the generator's own part of it, and the mean of the rest, in milliseconds. */
function lagsOf(m: Measurements): Pick<Figures['generator'], 'lagP99Ms' | 'ownLagP99Ms' | 'pushbackMeanMs'> {
  const merged = (kind: 'lag' | 'ownLag') =>
    mergeHistograms(Object.values(m.operations).map((facts) => facts[kind]));
  const [lag, own] = [merged('lag'), merged('ownLag')];
  const [all, caused] = [meanOf(lag), meanOf(own)];
  return {
    lagP99Ms: percentilesOf(lag).p99,
    ownLagP99Ms: percentilesOf(own).p99,
    pushbackMeanMs: all === null || caused === null ? null : Math.max(0, toMillis(all - caused)),
  };
}

export function generatorFigures(m: Measurements, operationsPerSecond: number | null): Figures['generator'] {
  const window = m.measured ?? NOWHERE;
  const each = (name: string) =>
    numbered(m.series, 'generator', name).map((series) => gaugeOf(series, window));
  const cores = generatorCores(m);
  const memory = sumOf(each('memoryBytes').map(({ max }) => max));
  return {
    engine: m.engine,
    workers: m.workers,
    cpuCores: cores,
    cpuPercentOfHost: percentOf(generatorCores(m, 'here'), m.host.cpus),
    maxLoopDelayMs: spreadOf(each('loopDelayMs').map(({ max }) => max)).max,
    maxUtilisationPercent: percentOf(spreadOf(each('utilisation').map(({ mean }) => mean)).max, 1),
    ...lagsOf(m),
    stalledPercent: stalledPercent(m),
    waitedPercent: waitedPercent(m, 'generator'),
    memoryBytesPerPlayer: ratio(memory, m.peakCcu),
    cpuMicrosPerOperation: ratio(cores === null ? null : cores * 1e6, operationsPerSecond),
    clockMs: m.engine === 'k6' ? 1 : 0.001,
    ...(m.agents === undefined ? {} : { agents: m.agents }),
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
  const { cpus, memoryBytes } = m.host;
  const { gauge, rate, increase, percents } = measuredOf(m, 'host');
  const available = gauge('memoryAvailableBytes');
  const used = (free: number | null): number | null =>
    free === null ? null : percentOf(memoryBytes - free, memoryBytes);
  return {
    ...m.host,
    nodeMajor: Number.parseInt(m.host.node.replace(/^v/, ''), 10) || 0,
    cpuPercent: percents('cpuBusySeconds', cpus),
    otherCpuPercent: percentOf(otherCores(m), cpus),
    stealPercent: percentOf(rate('cpuStealSeconds'), cpus),
    stealMaxPercent: percents('cpuStealSeconds', cpus).max,
    foreignCpuPercent: percentOf(rate('foreignCpuSeconds'), cpus),
    throttledPeriods: increase('throttledPeriods'),
    memoryPressurePercent: percentOf(rate('memoryFullSeconds'), 1),
    cpuPressurePercent: percentOf(rate('cpuSomeSeconds'), 1),
    canaryDriftPercent: canaryDrift(m),
    clockDriftMs: m.clockDriftMs,
    memoryUsedPercent:
      available.mean === null
        ? NO_SPREAD
        : { mean: used(available.mean), min: used(available.max), max: used(available.min) },
    memoryAvailableBytes: available,
    networkBytesPerSecond: rate('networkBytes'),
  };
}

/** By how much the loop of the worst worker was late, of the measure phase. */
function stalledPercent(m: Measurements): number | null {
  const { from, to } = m.measured ?? NOWHERE;
  const shares = numbered(m.series, 'generator', 'stalledMs').map(({ points }) => {
    const within = points.map(([at, ms], index) => {
      // A point covers the time since the one before: a second, or longer where the loop was too late to say so.
      const since = points[index - 1]?.[0] ?? at - 1;
      const inside = Math.max(0, Math.min(at, to) - Math.max(since, from));
      return at > since ? (Math.min(ms, 1000 * (at - since)) * inside) / (at - since) : 0;
    });
    return points.length === 0 ? null : percentOf(sumOf(within), 1000 * (to - from));
  });
  return spreadOf(shares).max;
}

/** The largest share of time for which a process was runnable without a CPU. */
const waitedPercent = (m: Measurements, room: string): number | null =>
  percentOf(
    spreadOf(numbered(m.series, room, 'waitedSeconds').map((one) => paceOf(one, m.measured ?? NOWHERE))).max,
    1,
  );

function canaryDrift({ canary }: Measurements): number | null {
  if (canary === null || canary.afterMs === null) return null;
  return percentOf(Math.abs(canary.afterMs - canary.beforeMs), canary.beforeMs);
}

/**
 * Busy cores that are neither PostgreSQL's, nor a world server's, nor the generator's; null when one is unknown. Of a
 * target they are those that are neither a watched process's nor the generator's.
 */
function otherCores(m: Measurements): number | null {
  const window = m.measured ?? NOWHERE;
  const busy = rateOf(m.series['host.cpuBusySeconds'], window);
  const processes = processNamesOf(m).map((name) => rateOf(m.series[`process.${name}.cpuSeconds`], window));
  const underTest =
    processes.length > 0
      ? processes
      : [
          rateOf(m.series['postgres.cpuSeconds'], window),
          sumOf(numbered(m.series, 'world', 'cpuSeconds').map((one) => rateOf(one, window))),
        ];
  const known = sumOf([...underTest, generatorCores(m, 'here')]);
  return busy === null || known === null ? null : Math.max(0, busy - known);
}
