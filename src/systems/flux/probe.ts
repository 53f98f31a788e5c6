import { BucketHistory, type Buckets } from '../../probe/bucket-history.ts';
import type { MetricsPage } from '../../probe/metrics-page.ts';
import { openPageReader } from '../../probe/metrics-request.ts';
import type { Probe, Sample } from '../../probe/probe.ts';
import { readNumber } from '../../scenario/sample-head.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const TIMEOUT_MS = 900;
/** An answer that dribbles, or has no end, is none. */
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER = 2 ** 20;

const BATCHES = 'capbench_world_batches_total';

/** Prometheus name -> series name and kind. */
const SERIES: Readonly<Record<string, readonly [name: string, kind: Sample['kind']]>> = {
  capbench_world_operations_total: ['operations', 'counter'],
  capbench_world_rejected_total: ['rejected', 'counter'],
  capbench_world_row_writes_total: ['rowWrites', 'counter'],
  capbench_world_frames_total: ['frames', 'counter'],
  capbench_world_bytes_out_total: ['bytesOut', 'counter'],
  [BATCHES]: ['batches', 'counter'],
  process_cpu_seconds_total: ['cpuSeconds', 'counter'],
  capbench_world_connections: ['connections', 'gauge'],
  capbench_world_queued_operations: ['queued', 'gauge'],
  capbench_world_entities: ['entities', 'gauge'],
  process_resident_memory_bytes: ['memoryBytes', 'gauge'],
  capbench_world_loop_delay_ms: ['loopDelayMs', 'gauge'],
};

/** Name of what is kept -> Prometheus name. */
const HISTOGRAMS: Readonly<Record<string, string>> = {
  batchOperations: 'capbench_world_batch_operations',
  flushMs: 'capbench_world_flush_ms',
  responseMs: 'capbench_world_response_ms',
};

const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(SERIES),
  ...Object.values(HISTOGRAMS).map((name) => `${name}_bucket`),
]);

/** Over all labels, or over those that are asked for; null where there is no such metric. */
function total({ samples }: MetricsPage, name: string, reason?: string): number | null {
  const own = samples.get(name);
  if (own === undefined) return null;
  return own
    .filter(({ labels }) => reason === undefined || labels.get('reason') === reason)
    .reduce((sum, { value }) => sum + value, 0);
}

/** Cumulative `le` buckets of one histogram as bounds and cumulative counts, in the order of the page. */
export function bucketsOf({ samples }: MetricsPage, name: string): Buckets {
  const own = (samples.get(`${name}_bucket`) ?? []).flatMap(({ labels, value }) => {
    const bound = readNumber(labels.get('le') ?? '');
    return bound === null ? [] : [{ bound, value }];
  });
  return { bounds: own.map(({ bound }) => bound), cumulative: own.map(({ value }) => value) };
}

/**
 * A world server's own account of itself, from `GET /metrics`.
 * @param instance 1-based, as in the series' names
 */
export function openWorldProbe(world: WorldEndpoint, instance: number): Probe {
  const histories = Object.entries(HISTOGRAMS).map(([name, metric]) => ({
    name,
    metric,
    history: new BucketHistory(),
  }));
  const shown = `${world.url}/metrics`;
  const reader = openPageReader({ url: shown, shown, access: world }, NAMES, LONGEST_ANSWER);

  return {
    name: `world-${instance}`,
    async sample(isEdge) {
      const { page, at } = await reader.read(TIMEOUT_MS, ANSWER_LIMIT_MS);
      const [unreadable] = page.unreadable;
      if (unreadable !== undefined) {
        throw new Error(`GET ${shown}: ${unreadable.name} cannot be read in ${unreadable.problem}`);
      }
      for (const { metric, history } of histories) history.add(at, bucketsOf(page, metric), isEdge);
      const samples: Sample[] = [];
      const add = (series: string, kind: Sample['kind'], value: number | null): void => {
        if (value !== null) samples.push({ series: `world.${instance}.${series}`, kind, value });
      };
      for (const [name, [series, kind]] of Object.entries(SERIES)) add(series, kind, total(page, name));
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
