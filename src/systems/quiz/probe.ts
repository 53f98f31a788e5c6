import type { Probe } from '../../probe/probe.ts';
import { COMMON_SERIES, openServerProbe, type ServerPage } from '../../probe/server-page.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const PAGE: ServerPage = {
  what: 'a quiz server',
  series: [
    ...COMMON_SERIES,
    { name: 'largestHeapBytes', metric: 'capbench_world_largest_heap_bytes', kind: 'gauge' },
    { name: 'activeMatches', metric: 'capbench_world_active_matches', kind: 'gauge' },
    { name: 'peakMatches', metric: 'capbench_world_peak_matches', kind: 'gauge' },
    { name: 'matchesCreated', metric: 'capbench_world_matches_created_total', kind: 'counter' },
    { name: 'matchesCompleted', metric: 'capbench_world_matches_completed_total', kind: 'counter' },
    { name: 'matchesEvicted', metric: 'capbench_world_matches_evicted_total', kind: 'counter' },
    { name: 'workers', metric: 'capbench_world_workers', kind: 'gauge' },
    { name: 'busyWorkers', metric: 'capbench_world_busy_workers', kind: 'gauge' },
    { name: 'workersLost', metric: 'capbench_world_workers_lost_total', kind: 'counter' },
    { name: 'redisFailures', metric: 'capbench_world_redis_failures_total', kind: 'counter' },
    { name: 'batches', metric: 'capbench_world_batches_total', kind: 'counter' },
    { name: 'queued', metric: 'capbench_world_queued_operations', kind: 'gauge' },
  ],
  histograms: { flushMs: ['capbench_world_flush_seconds', 1e3] },
};

/** Reads the metrics of a quiz server; `instance` is 1-based, as in the series' names. */
export const openQuizProbe = (server: WorldEndpoint, instance: number): Probe =>
  openServerProbe(server, instance, PAGE);
