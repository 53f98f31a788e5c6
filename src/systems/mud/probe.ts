import type { Probe } from '../../probe/probe.ts';
import {
  COMMON_SERIES,
  openServerProbe,
  type ServerPage,
  type ServerSeries,
  seriesOf,
} from '../../probe/server-page.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';
import { EVENT_TYPES } from './server/game.ts';

const counters: Readonly<Record<string, string>> = {
  redisCommands: 'capbench_world_redis_commands_total',
  redisRoundTrips: 'capbench_world_redis_round_trips_total',
  breakerOpened: 'capbench_world_breaker_opened_total',
  breakerClosed: 'capbench_world_breaker_closed_total',
  breakerRefused: 'capbench_world_breaker_refused_total',
  batches: 'capbench_world_batches_total',
  rowWrites: 'capbench_world_written_items_total',
  degraded: 'capbench_mud_degraded_total',
  unavailable: 'capbench_mud_unavailable_total',
  recalled: 'capbench_mud_recalled_total',
  saves: 'capbench_mud_saves_total',
  savedStates: 'capbench_mud_saved_states_total',
  states: 'capbench_mud_states_total',
  compressedStates: 'capbench_mud_compressed_states_total',
  stateJsonBytes: 'capbench_mud_state_json_bytes_total',
  stateStoredBytes: 'capbench_mud_state_stored_bytes_total',
};
const gauges: Readonly<Record<string, string>> = {
  mostUnsaved: 'capbench_mud_most_unsaved_states',
  channels: 'capbench_mud_channels',
};

const PAGE: ServerPage = {
  what: 'a mud server',
  series: [
    ...COMMON_SERIES,
    ...seriesOf(counters, 'counter'),
    ...seriesOf(gauges, 'gauge'),
    ...EVENT_TYPES.map(
      (type): ServerSeries => ({
        ...{ name: `events_${type}`, metric: 'capbench_mud_events_total', kind: 'counter' },
        labels: { type },
      }),
    ),
  ],
  histograms: {
    flushMs: ['capbench_world_flush_seconds', 1e3],
    redisMs: ['capbench_world_redis_seconds', 1e3],
  },
};

/** Reads the metrics of an instance; `instance` is 1-based, as in the series' names. */
export const openInstanceProbe = (server: WorldEndpoint, instance: number): Probe =>
  openServerProbe(server, instance, PAGE);
