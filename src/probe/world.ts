import { Agent, request } from 'undici';
import { monotonic } from '../clock.ts';
import { connectorOptions } from '../stack/access.ts';
import type { WorldEndpoint } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import { type BucketCounts, BucketHistory } from './bucket-history.ts';
import type { Probe, Sample } from './probe.ts';
import { bucketsOf, type Metric, parsePrometheus } from './prometheus.ts';

const TIMEOUT_MS = 900;
/** An answer that dribbles, or has no end, is none. */
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER = 2 ** 20;

/** Prometheus name -> series name and kind. */
const SERIES: Readonly<Record<string, readonly [name: string, kind: Sample['kind']]>> = {
  capbench_world_operations_total: ['operations', 'counter'],
  capbench_world_rejected_total: ['rejected', 'counter'],
  capbench_world_row_writes_total: ['rowWrites', 'counter'],
  capbench_world_frames_total: ['frames', 'counter'],
  capbench_world_bytes_out_total: ['bytesOut', 'counter'],
  process_cpu_seconds_total: ['cpuSeconds', 'counter'],
  capbench_world_connections: ['connections', 'gauge'],
  capbench_world_queued_operations: ['queued', 'gauge'],
  capbench_world_entities: ['entities', 'gauge'],
  process_resident_memory_bytes: ['memoryBytes', 'gauge'],
  capbench_world_loop_delay_ms: ['loopDelayMs', 'gauge'],
};

const HISTOGRAMS = {
  batchOperations: 'capbench_world_batch_operations',
  flushMs: 'capbench_world_flush_ms',
  responseMs: 'capbench_world_response_ms',
} as const;

export type WorldHistogram = keyof typeof HISTOGRAMS;
const WORLD_HISTOGRAMS = ['batchOperations', 'flushMs', 'responseMs'] as const satisfies WorldHistogram[];

/** A world server's own account of itself, from `GET /metrics`. */
export interface WorldProbe extends Probe {
  /** Counts per bucket (not cumulative) between the readings nearest to `from` and to `to`. */
  buckets(histogram: WorldHistogram, from: Micros, to: Micros): BucketCounts | null;
}

async function textOf(body: AsyncIterable<string>, url: string): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += chunk;
    if (text.length > LONGEST_ANSWER) throw new Error(`GET ${url}/metrics: the answer has no end`);
  }
  return text;
}

/** Over all labels; NaN, which is no data, where there is no such metric. */
function total(metrics: readonly Metric[], name: string, label = ''): number {
  const own = metrics.filter((metric) => metric.name === name);
  if (own.length === 0) return Number.NaN;
  return own.filter(({ labels }) => labels.includes(label)).reduce((sum, { value }) => sum + value, 0);
}

/** @param instance 1-based, as in the series' names. */
export function openWorldProbe(world: WorldEndpoint, instance: number): WorldProbe {
  const histories: Readonly<Record<WorldHistogram, BucketHistory>> = {
    batchOperations: new BucketHistory(),
    flushMs: new BucketHistory(),
    responseMs: new BucketHistory(),
  };
  const connect = connectorOptions(world);
  const own = connect === null ? null : new Agent({ connect });

  return {
    name: `world-${instance}`,
    async sample() {
      const response = await request(`${world.url}/metrics`, {
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        ...(world.headers === undefined ? {} : { headers: world.headers }),
        ...(own === null ? {} : { dispatcher: own }),
      });
      const text = await textOf(response.body.setEncoding('utf8'), world.url);
      if (response.statusCode !== 200)
        throw new Error(`GET ${world.url}/metrics answered ${response.statusCode}`);
      const metrics = parsePrometheus(text);
      const at = monotonic();
      for (const name of WORLD_HISTOGRAMS) histories[name].add(at, bucketsOf(metrics, HISTOGRAMS[name]));
      const samples: Sample[] = [
        {
          series: `world.${instance}.batches`,
          kind: 'counter',
          value: total(metrics, 'capbench_world_batches_total'),
        },
        {
          series: `world.${instance}.batchesOnTime`,
          kind: 'counter',
          value: total(metrics, 'capbench_world_batches_total', 'reason="time"'),
        },
      ];
      for (const metric of metrics) {
        const known = SERIES[metric.name];
        if (known === undefined) continue;
        samples.push({ series: `world.${instance}.${known[0]}`, kind: known[1], value: metric.value });
      }
      if (!samples.some(({ value }) => Number.isFinite(value))) {
        throw new Error(`GET ${world.url}/metrics has none of the metrics of a flux world`);
      }
      return samples;
    },
    buckets: (histogram, from, to) => histories[histogram].between(from, to),
    close: async () => own?.destroy(),
  };
}
