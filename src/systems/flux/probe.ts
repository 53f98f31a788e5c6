import type { Probe } from '../../probe/probe.ts';
import { COMMON_SERIES, openServerProbe, type ServerPage } from '../../probe/server-page.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const BATCHES = 'capbench_world_batches_total';

const PAGE: ServerPage = {
  what: 'a flux world',
  series: [
    ...COMMON_SERIES,
    { name: 'rowWrites', metric: 'capbench_world_row_writes_total', kind: 'counter' },
    { name: 'frames', metric: 'capbench_world_frames_total', kind: 'counter' },
    { name: 'bytesOut', metric: 'capbench_world_sent_bytes_total', kind: 'counter' },
    { name: 'batches', metric: BATCHES, kind: 'counter' },
    { name: 'batchesOnTime', metric: BATCHES, kind: 'counter', labels: { reason: 'time' } },
    { name: 'queued', metric: 'capbench_world_queued_operations', kind: 'gauge' },
    { name: 'entities', metric: 'capbench_world_entities', kind: 'gauge' },
  ],
  histograms: {
    batchOperations: ['capbench_world_batch_operations', 1],
    flushMs: ['capbench_world_flush_seconds', 1e3],
    responseMs: ['capbench_world_response_seconds', 1e3],
  },
};

/** Reads the metrics of a world server; `instance` is 1-based, as in the series' names. */
export const openWorldProbe = (world: WorldEndpoint, instance: number): Probe =>
  openServerProbe(world, instance, PAGE);
