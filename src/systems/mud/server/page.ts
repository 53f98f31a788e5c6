import { counter, counters, gauge } from '../../../server/page.ts';
import type { RedisSubscriber } from '../../../server/redis-subscriber.ts';
import type { Presence } from './presence.ts';
import type { Saver } from './saver.ts';
import type { StateBytes } from './shared-store.ts';
import type { TurnCounts } from './turns.ts';

/** What the page of `GET /metrics` has of this game. */
interface MudFacts {
  readonly turns: Readonly<TurnCounts>;
  readonly saver: Saver['counts'];
  readonly bytes: Readonly<StateBytes>;
  readonly presence: Presence;
  readonly subscriber: RedisSubscriber;
}

export const renderMud = ({ turns, saver, bytes, presence, subscriber }: MudFacts): string =>
  [
    counter('capbench_world_operations_total', turns.operations),
    counter('capbench_world_rejected_total', turns.rejected),
    counter('capbench_mud_unavailable_total', turns.unavailable),
    counter('capbench_mud_degraded_total', turns.degraded),
    counter('capbench_mud_recalled_total', turns.recalled),
    counter('capbench_mud_replayed_total', turns.replayed),
    counter('capbench_mud_repeated_total', turns.repeated),
    counters('capbench_mud_events_total', 'type', turns.events),
    counter('capbench_mud_event_frames_total', presence.counts.delivered),
    counter('capbench_mud_saves_total', saver.saves),
    counter('capbench_mud_saved_states_total', saver.states),
    gauge('capbench_mud_unsaved_states', saver.unsaved),
    gauge('capbench_mud_most_unsaved_states', saver.mostUnsaved),
    counter('capbench_mud_states_total', bytes.states),
    counter('capbench_mud_compressed_states_total', bytes.compressed),
    counter('capbench_mud_state_json_bytes_total', bytes.json),
    counter('capbench_mud_state_stored_bytes_total', bytes.stored),
    gauge('capbench_mud_channels', subscriber.channels),
    counter('capbench_mud_messages_total', subscriber.messages),
  ].join('');
