import type { FixedHistogram } from '../../../server/fixed-histogram.ts';
import { counter, gauge } from '../../../server/page.ts';
import type { Traffic } from './client.ts';
import type { Sync } from './sync.ts';
import type { Thinking } from './thinking.ts';

/** What agents asked for, and how many updates there were; seconds are those of the world's thread. */
export interface WorldCounts {
  moves: number;
  chats: number;
  emotes: number;
  refused: number;
  updates: number;
  updatesLate: number;
  updateSeconds: number;
  logBytes: number;
}

interface RealmFacts {
  readonly counts: Readonly<WorldCounts>;
  readonly thinking: Thinking;
  readonly sync: Sync['counts'];
  readonly traffic: Traffic;
  readonly updateInterval: FixedHistogram;
  readonly agents: number;
  readonly unsynced: number;
}

/** What the page of `GET /metrics` has of this world, beside that of its process. */
export const renderRealm = ({ counts, thinking, sync, traffic, ...facts }: RealmFacts): string =>
  [
    counter('capbench_world_operations_total', counts.moves + counts.chats + counts.emotes + counts.refused),
    counter('capbench_world_rejected_total', counts.refused),
    counter('capbench_realm_moves_total', counts.moves),
    counter('capbench_realm_chats_total', counts.chats),
    counter('capbench_realm_emotes_total', counts.emotes),
    counter('capbench_realm_refused_total', counts.refused),
    counter('capbench_realm_updates_total', counts.updates),
    counter('capbench_realm_updates_late_total', counts.updatesLate),
    counter('capbench_realm_update_seconds_total', counts.updateSeconds),
    facts.updateInterval.render('capbench_realm_update_interval_seconds'),
    counter('capbench_realm_thinks_total', thinking.thoughts),
    counter('capbench_realm_think_seconds_total', thinking.seconds),
    counter('capbench_realm_syncs_total', sync.syncs),
    counter('capbench_realm_sync_failures_total', sync.failures),
    counter('capbench_realm_sync_seconds_total', sync.busy),
    counter('capbench_realm_signing_seconds_total', sync.signing),
    counter('capbench_realm_signed_events_total', sync.signed),
    gauge('capbench_realm_unsynced_agents', facts.unsynced),
    gauge('capbench_realm_agents', facts.agents),
    counter('capbench_realm_frames_total', traffic.frames),
    counter('capbench_realm_bytes_out_total', traffic.bytesOut),
    counter('capbench_realm_bytes_in_total', traffic.bytesIn),
    counter('capbench_realm_log_bytes_total', counts.logBytes),
  ].join('');
