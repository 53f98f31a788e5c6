import type { Figures } from '../measurement/figures.ts';
import { selectorOf } from '../scenario/metric-selector.ts';
import { targetMetricAt } from './target-metric.ts';

/** What a budget may name: a path in report.json, its unit, and the statistics at that path. */
export interface Metric {
  /**
   * In the words of units.ts where a conversion exists; `text` for words, `setting` for PostgreSQL's spelling, `any` for a
   * number in whatever unit a budget says.
   */
  readonly unit: string;
  /** Null when the path is a figure itself. */
  readonly stats: readonly string[] | null;
  /** What the figure cannot exceed whatever runs: another metric, in the same unit. */
  readonly within?: { readonly metric: string; readonly whose: string };
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p99', 'p999', 'min', 'max', 'mean'] as const;
const SPREAD = ['mean', 'min', 'max'] as const;
const QUANTILES = ['p50', 'p95', 'p99'] as const;

const figure = (unit: string): Metric => ({ unit, stats: null });
const spread = (unit: string): Metric => ({ unit, stats: SPREAD });
const percentiles: Metric = { unit: 'ms', stats: PERCENTILES };
const quantiles: Metric = { unit: 'ms', stats: QUANTILES };

const counts = (path: string): Readonly<Record<string, Metric>> =>
  Object.fromEntries(
    ['scheduled', 'ok', 'rejected', 'failed', 'failedUnsent', 'timedOut', 'skipped', 'unfinished'].map(
      (count) => [`${path}.${count}`, figure('ops')],
    ),
  );

/** Every path that a budget may name, but for the settings: those are under `stack.applied.`. */
export const METRICS: Readonly<Record<string, Metric>> = {
  'load.requestedCcu': figure('players'),
  'load.peakCcu': figure('players'),
  'load.presence': spread('players'),
  'load.scale': figure('x'),
  'load.durationSeconds': figure('s'),
  ...counts('load.operations.intent'),
  ...counts('load.operations.monsterCommand'),
  ...counts('load.wholeRun.intent'),
  ...counts('load.wholeRun.monsterCommand'),
  'load.sentPercent.intent': figure('%'),
  'load.sentPercent.monsterCommand': figure('%'),
  'load.errorPercent.intent': figure('%'),
  'load.errorPercent.monsterCommand': figure('%'),
  'load.unansweredPercent.intent': figure('%'),
  'load.unansweredPercent.monsterCommand': figure('%'),
  'load.rejectedPercent.intent': figure('%'),
  'load.rejectedPercent.monsterCommand': figure('%'),
  'latency.intent.due': percentiles,
  'latency.intent.ok': percentiles,
  'latency.intent.rejected': percentiles,
  'latency.intent.service': percentiles,
  'latency.intent.lag': percentiles,
  'latency.monsterCommand.due': percentiles,
  'latency.monsterCommand.ok': percentiles,
  'latency.monsterCommand.rejected': percentiles,
  'latency.monsterCommand.service': percentiles,
  'latency.monsterCommand.lag': percentiles,
  'latency.intent.due.unanswered': figure('ops'),
  'latency.monsterCommand.due.unanswered': figure('ops'),
  'throughput.operationsPerSecond': figure('ops/s'),
  'throughput.intentsPerSecond': figure('ops/s'),
  'throughput.monsterCommandsPerSecond': figure('ops/s'),
  'throughput.operationsPerServerPerSecond': spread('ops/s'),
  'throughput.serverSharePercent': spread('%'),
  'throughput.rowWritesPerSecond': figure('rows/s'),
  'throughput.batchesPerSecond': figure('batches/s'),
  'throughput.rowsPerBatch': figure('rows/batch'),
  'throughput.operationsPerBatch': figure('ops/batch'),
  'throughput.largestBatch': figure('ops/batch'),
  'throughput.flushedOnTimePercent': figure('%'),
  'throughput.coalescing': figure('ops/row'),
  'world.servers': figure('servers'),
  'world.cpuPercentOfCore': spread('%'),
  'world.cpuPercentTotal': spread('%'),
  'world.memoryBytes': spread('bytes'),
  'world.memoryTotalBytes': spread('bytes'),
  'world.entities': spread('entities'),
  'world.connections': spread('connections'),
  'world.loopDelayMs': spread('ms'),
  'world.waitedPercent': figure('%'),
  'world.responseMs': quantiles,
  'database.connections': spread('connections'),
  'database.hitRatioPercent': figure('%'),
  'database.queryMs': quantiles,
  'database.statementMeanMs': figure('ms'),
  'database.statementsPerSecond': figure('statements/s'),
  'database.commitsPerSecond': figure('transactions/s'),
  'database.rowsUpdatedPerSecond': figure('rows/s'),
  'database.hotUpdatePercent': figure('%'),
  'database.walBytesPerSecond': figure('bytes/s'),
  'database.workingSetBytes': spread('bytes'),
  'database.cpuPercentOfHost': spread('%'),
  'database.waitedPercent': figure('%'),
  'database.writersBusyPercent': figure('%'),
  'database.memoryPercentOfHost': spread('%'),
  'redis.operationsPerSecond': figure('ops/s'),
  'redis.usedMemoryBytes': spread('bytes'),
  'redis.connections': spread('connections'),
  'redis.cpuPercentOfCore': spread('%'),
  'redis.evictedKeys': figure('keys'),
  'redis.expiredKeys': figure('keys'),
  'redis.hitRatioPercent': figure('%'),
  'redis.rejectedConnections': figure('connections'),
  'redis.errorReplies': figure('errors'),
  'redis.networkBytesPerSecond': figure('bytes/s'),
  'network.bytesPerPlayerSecondIn': figure('bytes/s'),
  'network.bytesPerPlayerSecondOut': figure('bytes/s'),
  'network.bytesPerSecond': figure('bytes/s'),
  'network.connectMs': percentiles,
  'network.connectsPerSecond': figure('connections/s'),
  'network.disconnects': figure('connections'),
  'network.reconnects': figure('connections'),
  'network.reconnectMs': percentiles,
  'integrity.sent': figure('ops'),
  'integrity.acked': figure('ops'),
  'integrity.applied': figure('ops'),
  'integrity.lost': figure('ops'),
  'integrity.phantom': figure('ops'),
  'integrity.duplicated': figure('ops'),
  'integrity.holes': figure('ops'),
  'integrity.rowWritesServers': figure('rows'),
  'integrity.rowWritesPostgres': figure('rows'),
  'integrity.rowWritesDisagreePercent': figure('%'),
  'ceilings.insertsPerSecond': figure('rows/s'),
  'ceilings.updatesPerSecondSingle': figure('rows/s'),
  'ceilings.updatesPerSecondBatched': figure('rows/s'),
  'ceilings.batchSpeedup': figure('x'),
  'ceilings.statement': figure('text'),
  'generator.engine': figure('text'),
  'generator.workers': figure('processes'),
  'generator.cpuCores': figure('cores'),
  'generator.cpuPercentOfHost': figure('%'),
  'generator.maxLoopDelayMs': figure('ms'),
  'generator.maxUtilisationPercent': figure('%'),
  'generator.lagP99Ms': figure('ms'),
  'generator.ownLagP99Ms': figure('ms'),
  'generator.pushbackMeanMs': figure('ms'),
  'generator.stalledPercent': figure('%'),
  'generator.waitedPercent': figure('%'),
  'generator.calibration.seconds': figure('s'),
  'generator.calibration.targetPerSecond': figure('ops/s'),
  'generator.calibration.ratePerSecond': figure('ops/s'),
  'generator.calibration.answeredPercent': figure('%'),
  'generator.calibration.utilisationPercent': figure('%'),
  'generator.calibration.ownLagP99Ms': figure('ms'),
  'generator.calibration.dueP99Ms': figure('ms'),
  'generator.memoryBytesPerPlayer': figure('bytes'),
  'generator.cpuMicrosPerOperation': figure('us'),
  'generator.clockMs': figure('ms'),
  'host.cpuModel': figure('text'),
  'host.cpus': figure('cores'),
  'host.memoryBytes': figure('bytes'),
  'host.kernel': figure('text'),
  'host.platform': figure('text'),
  'host.arch': figure('text'),
  'host.node': figure('text'),
  'host.nodeMajor': figure('version'),
  'host.cpuPercent': spread('%'),
  'host.otherCpuPercent': figure('%'),
  'host.stealPercent': figure('%'),
  'host.stealMaxPercent': figure('%'),
  'host.foreignCpuPercent': figure('%'),
  'host.throttledPeriods': figure('periods'),
  'host.memoryPressurePercent': figure('%'),
  'host.cpuPressurePercent': figure('%'),
  'host.canaryDriftPercent': figure('%'),
  'host.clockDriftMs': figure('ms'),
  'host.memoryUsedPercent': spread('%'),
  'host.memoryAvailableBytes': {
    ...spread('bytes'),
    within: { metric: 'host.memoryBytes', whose: 'this host has' },
  },
  'host.networkBytesPerSecond': figure('bytes/s'),
  'stack.kind': figure('text'),
};

/** What only stages have: a budget on it names one. */
export const STAGE_METRICS: Readonly<Record<string, Metric>> = {
  'network.cut': figure('players'),
  'network.fullStrengthMs': figure('ms'),
  'network.left': figure('players'),
  'network.joined': figure('players'),
};

/** What stages have besides, at the paths of the whole run's figures. */
const OF_STAGES =
  /^(load\.(durationSeconds|presence|operations\.\w+\.\w+|(sent|error|unanswered|rejected)Percent\.\w+)|latency\.\w+\.(due|ok|rejected|service|lag)(\.unanswered)?|throughput\.(operations|intents|monsterCommands)PerSecond|network\.(connectMs|reconnectMs|disconnects|reconnects))$/;

/** The metric at a path of a stage's figures; undefined when stages have none there. */
export function stageMetricAt(path: string): Metric | undefined {
  if (Object.hasOwn(STAGE_METRICS, path)) return STAGE_METRICS[path];
  return OF_STAGES.test(path) ? metricAt(path) : undefined;
}

const SETTING = /^stack\.applied\.(.+)$/;
const setting: Metric = { unit: 'setting', stats: null };

/** The name of the setting in `stack.applied.<name>`; null for every other path. */
export const settingOf = (path: string): string | null => SETTING.exec(path)?.[1] ?? null;

/** The metric at a path; undefined when report.json has none there. */
export const metricAt = (path: string, stat: string | null = null): Metric | undefined =>
  Object.hasOwn(METRICS, path)
    ? METRICS[path]
    : settingOf(path) === null
      ? targetMetricAt(path, stat)
      : setting;

/** The figure at a path and statistic: a finite number, a text, or null when it was not measured. */
export function resolve(
  figures: { readonly latency: object; readonly stack?: Pick<Figures['stack'], 'applied'> },
  path: string,
  stat: string | null,
): number | string | null {
  const name = settingOf(path);
  if (name !== null) {
    const applied = figures.stack?.applied ?? {};
    return Object.hasOwn(applied, name) ? (applied[name] ?? null) : null;
  }
  const selector = selectorOf(path);
  const keys = selector === null ? path.split('.') : ['target', 'metrics', selector.text];
  let at: unknown = figures;
  for (const key of stat === null ? keys : [...keys, stat]) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null;
    at = Reflect.get(at, key);
  }
  if (typeof at === 'number') return Number.isFinite(at) ? at : null;
  return typeof at === 'string' ? at : null;
}
