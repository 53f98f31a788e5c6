import { readNumber } from '../scenario/sample-head.ts';
import type { WorldEndpoint } from '../stack/stack.ts';
import { BucketHistory, type Buckets } from './bucket-history.ts';
import type { MetricsPage } from './metrics-page.ts';
import { openPageReader } from './metrics-request.ts';
import type { Probe, Sample } from './probe.ts';
import { type FamilyReading, openServerFamily } from './server-family.ts';

const TIMEOUT_MS = 900;
/** Limits for slow or endless answers. */
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER = 2 ** 20;

/** A series of a server: one metric, or its samples with these labels. */
export interface ServerSeries {
  /** In `world.N.<name>`. */
  readonly name: string;
  readonly metric: string;
  readonly kind: Sample['kind'];
  /** What the metric's base unit is multiplied by. */
  readonly factor?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is read of the page of a system's servers. */
export interface ServerPage {
  readonly series: readonly ServerSeries[];
  /** Name in the measurements -> metric, and what its base unit is multiplied by. */
  readonly histograms: Readonly<Record<string, readonly [metric: string, factor: number]>>;
  /** Of the servers, for an error: `a flux world`. */
  readonly what: string;
}

/** What the servers of every world of capbench's own publish (src/server/page.ts). */
export const COMMON_SERIES: readonly ServerSeries[] = [
  { name: 'operations', metric: 'capbench_world_operations_total', kind: 'counter' },
  { name: 'rejected', metric: 'capbench_world_rejected_total', kind: 'counter' },
  { name: 'cpuSeconds', metric: 'process_cpu_seconds_total', kind: 'counter' },
  { name: 'connections', metric: 'capbench_world_connections', kind: 'gauge' },
  { name: 'memoryBytes', metric: 'process_resident_memory_bytes', kind: 'gauge' },
  { name: 'loopDelayMs', metric: 'capbench_world_loop_delay_seconds', kind: 'gauge', factor: 1e3 },
];

/** The series of metrics without labels, by the names of the series. */
export const seriesOf = (
  metrics: Readonly<Record<string, string>>,
  kind: ServerSeries['kind'],
): readonly ServerSeries[] => Object.entries(metrics).map(([name, metric]) => ({ name, metric, kind }));

/** The sum over all samples of a metric, or over those with these labels; null where the page has none. */
function total({ samples }: MetricsPage, { metric, labels: wanted = {} }: ServerSeries): number | null {
  const own = samples.get(metric);
  if (own === undefined) return null;
  return own
    .filter(({ labels }) => Object.entries(wanted).every(([name, value]) => labels.get(name) === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/**
 * The `le` buckets of one histogram as bounds and cumulative counts, in the order of the page. Bounds are multiplied by
 * `factor`, and rounded to the digits that a page has: 0.000115 s is 0.115 ms.
 */
export function bucketsOf({ samples }: MetricsPage, name: string, factor = 1): Buckets {
  const own = (samples.get(`${name}_bucket`) ?? []).flatMap(({ labels, value }) => {
    const bound = readNumber(labels.get('le') ?? '');
    return bound === null ? [] : [{ bound: Number((bound * factor).toPrecision(9)), value }];
  });
  return { bounds: own.map(({ bound }) => bound), cumulative: own.map(({ value }) => value) };
}

/**
 * A server reports what its own process uses. With child processes its CPU and its memory are those of all of them together,
 * and two more series tell how many they are, and what the busiest of them used.
 */
function withFamily(
  samples: readonly Sample[],
  instance: number,
  { childCpuSeconds, memoryBytes, processes, busiestSeconds }: FamilyReading,
): readonly Sample[] {
  const of = (name: string): string => `world.${instance}.${name}`;
  return [
    ...samples.map((one) =>
      one.series === of('cpuSeconds')
        ? { ...one, value: one.value + childCpuSeconds }
        : one.series === of('memoryBytes')
          ? { ...one, value: memoryBytes }
          : one,
    ),
    { series: of('processes'), kind: 'gauge', value: processes },
    { series: of('busiestProcessSeconds'), kind: 'counter', value: busiestSeconds },
  ];
}

/**
 * Reads the metrics of a server of a system from `GET /metrics`, and of one of this host also its child processes.
 * @param instance 1-based, as in the series' names
 */
export function openServerProbe(server: WorldEndpoint, instance: number, page: ServerPage): Probe {
  const histories = Object.entries(page.histograms).map(([name, [metric, factor]]) => ({
    ...{ name, metric, factor },
    history: new BucketHistory(),
  }));
  const names: ReadonlySet<string> = new Set([
    ...page.series.map(({ metric }) => metric),
    ...histories.map(({ metric }) => `${metric}_bucket`),
  ]);
  const shown = `${server.url}/metrics`;
  const family = openServerFamily(() => server.pid);
  const reader = openPageReader({ url: shown, shown, access: server }, names, LONGEST_ANSWER);

  return {
    name: `world-${instance}`,
    async sample(isBoundary) {
      const { page: read, at } = await reader.read(TIMEOUT_MS, ANSWER_LIMIT_MS);
      const [unreadable] = read.unreadable;
      if (unreadable !== undefined) {
        throw new Error(`GET ${shown}: ${unreadable.name} cannot be read in ${unreadable.problem}`);
      }
      for (const { metric, factor, history } of histories)
        history.add(at, bucketsOf(read, metric, factor), isBoundary);
      const samples = page.series.flatMap((one): readonly Sample[] => {
        const value = total(read, one);
        const series = `world.${instance}.${one.name}`;
        return value === null ? [] : [{ series, kind: one.kind, value: value * (one.factor ?? 1) }];
      });
      if (!samples.some(({ value }) => Number.isFinite(value))) {
        throw new Error(`GET ${shown} has none of the metrics of ${page.what}`);
      }
      const children = family.read();
      return children === null ? samples : withFamily(samples, instance, children);
    },
    buckets: (from, to) =>
      Object.fromEntries(histories.map(({ name, history }) => [name, history.between(from, to)])),
    close: () => reader.close(),
  };
}
