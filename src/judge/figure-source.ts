import type { Measurements } from '../measurement/measurements.ts';
import type { BudgetMetric } from '../scenario/budget.ts';
import { processMetricOf } from '../scenario/process-metric.ts';

/** Of the figures in `throughput`, what the load itself counts. */
const OF_LOAD = new Set(['throughput.operationsPerSecond', 'throughput.perSecond']);

/** Whether a figure is one that a system's servers report of themselves. */
export const isOfServers = ({ section, figure, ofSystem }: BudgetMetric): boolean =>
  ofSystem === true || section === 'world' || (section === 'throughput' && !OF_LOAD.has(figure));

export const isOfStatements = ({ figure }: BudgetMetric): boolean => figure.startsWith('database.statement');

/** Of processes that are capbench's own, unless they are a target's. */
export const isOfOwnProcesses = ({ section }: BudgetMetric): boolean =>
  section === 'world' || section === 'database';

/** Figures that need what not every kernel reports, and the series that are then missing. */
const OF_KERNEL: Readonly<Record<string, RegExp>> = {
  'host.stealPercent': /^host\.cpuStealSeconds$/,
  'host.stealMaxPercent': /^host\.cpuStealSeconds$/,
  'host.foreignCpuPercent': /^host\.(foreign|run)CpuSeconds$/,
  'host.throttledPeriods': /^host\.throttledPeriods$/,
  'host.memoryPressurePercent': /^host\.memoryFullSeconds$/,
  'host.cpuPressurePercent': /^host\.cpuSomeSeconds$/,
  'host.networkBytesPerSecond': /^host\.networkBytes$/,
  'generator.waitedPercent': /^generator\.\d+\.waitedSeconds$/,
  'world.waitedPercent': /^world\.\d+\.waitedSeconds$/,
  'database.cpuPercentOfHost': /^postgres\.cpuSeconds$/,
  'database.cpuCores': /^postgres\.cpuSeconds$/,
  'database.memoryBytes': /^postgres\.memoryBytes$/,
  'database.memoryPercentOfHost': /^postgres\.memoryBytes$/,
  'database.waitedPercent': /^postgres\.waitedSeconds$/,
};
/** The engine's own workers report these; of k6 only the kernel does. */
const OF_K6: typeof OF_KERNEL = {
  'generator.cpuCores': /^generator\.\d+\.cpuSeconds$/,
  'generator.cpuPercentOfHost': /^generator\.\d+\.cpuSeconds$/,
  'generator.cpuMicrosPerOperation': /^generator\.\d+\.cpuSeconds$/,
  'generator.memoryBytesPerPlayer': /^generator\.\d+\.memoryBytes$/,
};

/** Whether a figure is what the kernel counted of the players' connections. */
export const isOfKernelTraffic = ({ figure }: BudgetMetric): boolean => figure.startsWith('network.kernel.');

/** Whether a figure is one that Linux reports and another platform may not. */
export const isOfKernel = (metric: BudgetMetric): boolean =>
  Object.hasOwn(OF_KERNEL, metric.figure) || isOfKernelTraffic(metric);

/** The series that a figure of the kernel's is made of; null for every other. */
export function kernelSeries({ figure }: BudgetMetric, engine: string | undefined): RegExp | null {
  const sources = engine === 'k6' ? { ...OF_KERNEL, ...OF_K6 } : OF_KERNEL;
  return Object.hasOwn(sources, figure) ? (sources[figure] ?? null) : null;
}

/** Which probes a section of the report comes from. */
const PROBES: Readonly<Record<string, RegExp>> = {
  world: /^world/,
  throughput: /^world/,
  database: /^postgres/,
  integrity: /^postgres/,
  redis: /^redis/,
  target: /^metrics/,
  limits: /^limits$/,
  host: /^host/,
};
export function probesOf({ section, path }: BudgetMetric): RegExp | undefined {
  const ofProcess = processMetricOf(path);
  return ofProcess === null ? PROBES[section] : new RegExp(`^process-${ofProcess.name}$`);
}

/**
 * Why a figure cannot be known of a target whose servers report nothing of themselves: it was not watched, and what the
 * scenario says of its own world is not true of that one. Null where it can.
 */
export function unwatched(
  metric: BudgetMetric,
  { stackKind, probes, measured }: Pick<Measurements, 'stackKind' | 'probes' | 'measured'>,
): string | null {
  const watched = (name: RegExp): boolean => probes.some((probe) => name.test(probe.name));
  // Where nothing at all was watched, the run was another tool's.
  if (stackKind !== 'target' || measured === null || probes.length === 0 || watched(/^world/)) return null;
  if (isOfServers(metric)) return 'the target has no metrics of a world server';
  const isOfDatabase = metric.section === 'database' || metric.section === 'integrity';
  return isOfDatabase && !watched(/^postgres/) ? 'the target has no database that capbench reads' : null;
}
