/** What a figure that is compared between two versions is. */
export interface ComparedMetric {
  /** `cpuPerOperation.servers` */
  readonly name: string;
  /** In words: `CPU per operation, servers`. */
  readonly label: string;
  /** For a narrow column: `CPU/op, servers`. */
  readonly short: string;
  /** As report.json has it; empty for a number without one. */
  readonly unit: string;
  readonly better: 'lower' | 'higher';
}

/** The first part of a metric's name; the rest is a component, or an operation. */
export const FAMILIES = {
  cpuPerOperation: { label: 'CPU per operation', short: 'CPU/op', unit: 'us', better: 'lower' },
  answeredPercent: { label: 'answered share', short: 'answered', unit: '%', better: 'higher' },
  rowWritesPerOperation: {
    label: 'row writes per operation',
    short: 'row writes/op',
    unit: 'rows',
    better: 'lower',
  },
  bytesPerOperation: { label: 'bytes per operation', short: 'bytes/op', unit: 'bytes', better: 'lower' },
  memoryPerPlayer: { label: 'memory per player', short: 'memory/player', unit: 'bytes', better: 'lower' },
  operationsPerSecond: { label: 'throughput', short: 'throughput', unit: 'ops/s', better: 'higher' },
  latencyP95: { label: 'p95 latency', short: 'p95', unit: 'ms', better: 'lower' },
  latencyP99: { label: 'p99 latency', short: 'p99', unit: 'ms', better: 'lower' },
} as const satisfies Record<string, Omit<ComparedMetric, 'name'>>;

type Family = keyof typeof FAMILIES;

export const familyOf = (name: string): string => name.split('.')[0] ?? name;

/** What `name` is. @throws an Error for a name that `readTrial` does not give */
export function metricOf(name: string): ComparedMetric {
  const family = familyOf(name);
  if (!Object.hasOwn(FAMILIES, family)) throw new Error(`there is no metric ${name}`);
  const { label, short, ...rest } = FAMILIES[family as Family];
  const of = name.slice(family.length + 1);
  const named = (what: string): string => (of === '' ? what : `${what}, ${of}`);
  return { name, label: named(label), short: named(short), ...rest };
}

/** Whether `selector` names the metric itself, or all of which its name is the beginning: `cpuPerOperation`. */
export const selects = (selector: string, name: string): boolean =>
  name === selector || name.startsWith(`${selector}.`);
