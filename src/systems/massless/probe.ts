import type { Probe } from '../../probe/probe.ts';
import { COMMON_SERIES, openServerProbe, type ServerPage, seriesOf } from '../../probe/server-page.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const counters: Readonly<Record<string, string>> = {
  ticks: 'capbench_massless_ticks_total',
  lateTicks: 'capbench_massless_ticks_late_total',
  overruns: 'capbench_massless_tick_overruns_total',
  patches: 'capbench_massless_patches_total',
  patchBytes: 'capbench_massless_patch_bytes_total',
  inputs: 'capbench_massless_inputs_total',
  acks: 'capbench_massless_acks_total',
  trades: 'capbench_massless_trades_total',
  transfers: 'capbench_massless_transfers_total',
  savedRows: 'capbench_massless_saved_rows_total',
  refusedJoins: 'capbench_massless_refused_joins_total',
  leaderboardRebuilt: 'capbench_massless_leaderboard_rebuilt_total',
  batches: 'capbench_world_batches_total',
  skippedTicks: 'capbench_massless_ticks_skipped_total',
};
const gauges: Readonly<Record<string, string>> = {
  rooms: 'capbench_massless_rooms',
  players: 'capbench_massless_players',
  redisLostSeconds: 'capbench_massless_redis_lost_seconds',
};

const PAGE: ServerPage = {
  what: 'a server of zones',
  series: [...COMMON_SERIES, ...seriesOf(counters, 'counter'), ...seriesOf(gauges, 'gauge')],
  histograms: {
    flushMs: ['capbench_world_flush_seconds', 1e3],
    tickMs: ['capbench_massless_tick_seconds', 1e3],
    saveMs: ['capbench_massless_save_seconds', 1e3],
  },
};

/** Reads the metrics of a server of zones; `instance` is 1-based, as in the series' names. */
export const openZoneProbe = (server: WorldEndpoint, instance: number): Probe =>
  openServerProbe(server, instance, PAGE);
