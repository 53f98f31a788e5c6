import { BucketHistory, type Buckets } from '../../probe/bucket-history.ts';
import type { MetricsPage } from '../../probe/metrics-page.ts';
import { openPageReader } from '../../probe/metrics-request.ts';
import type { Probe, Sample } from '../../probe/probe.ts';
import { readNumber } from '../../scenario/sample-head.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const TIMEOUT_MS = 900;
/** Limits for slow or endless answers. */
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER = 2 ** 20;

const BATCHES = 'capbench_world_batches_total';

/** Prometheus name -> series name, kind, and what its base unit is multiplied by. */
const SERIES: Readonly<Record<string, readonly [name: string, kind: Sample['kind'], factor?: number]>> = {
  capbench_world_operations_total: ['operations', 'counter'],
  capbench_world_rejected_total: ['rejected', 'counter'],
  capbench_world_row_writes_total: ['rowWrites', 'counter'],
  capbench_world_frames_total: ['frames', 'counter'],
  capbench_world_sent_bytes_total: ['bytesOut', 'counter'],
  [BATCHES]: ['batches', 'counter'],
  process_cpu_seconds_total: ['cpuSeconds', 'counter'],
  capbench_world_connections: ['connections', 'gauge'],
  capbench_world_queued_operations: ['queued', 'gauge'],
  capbench_world_entities: ['entities', 'gauge'],
  process_resident_memory_bytes: ['memoryBytes', 'gauge'],
  capbench_world_loop_delay_seconds: ['loopDelayMs', 'gauge', 1e3],
};

/** Name in the measurements -> Prometheus name, and what its base unit is multiplied by. */
const HISTOGRAMS: Readonly<Record<string, readonly [metric: string, factor: number]>> = {
  batchOperations: ['capbench_world_batch_operations', 1],
  flushMs: ['capbench_world_flush_seconds', 1e3],
  responseMs: ['capbench_world_response_seconds', 1e3],
};

const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(SERIES),
  ...Object.values(HISTOGRAMS).map(([name]) => `${name}_bucket`),
]);

/** The sum over all samples of a metric, or over those with this reason; null where the page has none. */
function total({ samples }: MetricsPage, name: string, reason?: string): number | null {
  const own = samples.get(name);
  if (own === undefined) return null;
  return own
    .filter(({ labels }) => reason === undefined || labels.get('reason') === reason)
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
 * Reads the metrics of a world server from `GET /metrics`.
 * @param instance 1-based, as in the series' names
 */
export function openWorldProbe(world: WorldEndpoint, instance: number): Probe {
  const histories = Object.entries(HISTOGRAMS).map(([name, [metric, factor]]) => ({
    ...{ name, metric, factor },
    history: new BucketHistory(),
  }));
  const shown = `${world.url}/metrics`;
  const reader = openPageReader({ url: shown, shown, access: world }, NAMES, LONGEST_ANSWER);

  return {
    name: `world-${instance}`,
    async sample(isBoundary) {
      const { page, at } = await reader.read(TIMEOUT_MS, ANSWER_LIMIT_MS);
      const [unreadable] = page.unreadable;
      if (unreadable !== undefined) {
        throw new Error(`GET ${shown}: ${unreadable.name} cannot be read in ${unreadable.problem}`);
      }
      for (const { metric, factor, history } of histories)
        history.add(at, bucketsOf(page, metric, factor), isBoundary);
      const samples: Sample[] = [];
      const add = (series: string, kind: Sample['kind'], value: number | null): void => {
        if (value !== null) samples.push({ series: `world.${instance}.${series}`, kind, value });
      };
      for (const [name, [series, kind, factor = 1]] of Object.entries(SERIES)) {
        const value = total(page, name);
        add(series, kind, value === null ? null : value * factor);
      }
      add('batchesOnTime', 'counter', total(page, BATCHES, 'time'));
      if (!samples.some(({ value }) => Number.isFinite(value))) {
        throw new Error(`GET ${shown} has none of the metrics of a flux world`);
      }
      return samples;
    },
    buckets: (from, to) =>
      Object.fromEntries(histories.map(({ name, history }) => [name, history.between(from, to)])),
    close: () => reader.close(),
  };
}
