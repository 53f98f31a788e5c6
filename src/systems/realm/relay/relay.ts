import type { WebSocket } from 'ws';
import type { World, WorldProcess } from '../../../server/frame.ts';
import { openHttpFrame } from '../../../server/http-frame.ts';
import { counter, gauge, openProcessMetrics } from '../../../server/page.ts';
import { type EventFilter, messageIn } from '../relay-connection.ts';
import { faultOf, isEvent } from '../signed-event.ts';
import { RELAY_PATH } from '../workload.ts';
import type { RelayConfig } from './config.ts';
import { EventStore } from './event-store.ts';

/** An event with the ranges of an agent whose numbers have thousands of gaps. */
const LARGEST_MESSAGE_BYTES = 2 ** 20;

/**
 * A stand-in for a Nostr relay: EVENT, REQ and CLOSE of NIP-01, for replaceable events. A subscription ends with what is stored:
 * nothing is sent after EOSE.
 */
export function openRelay({ host, folder, token }: RelayConfig, { log }: WorldProcess): World {
  const processMetrics = openProcessMetrics();
  const store = EventStore.open(folder);
  log(`The relay has ${store.size} events from before.`);
  const clients = new Set<WebSocket>();
  const counts = { events: 0, refused: 0, requests: 0 };
  let state: 'open' | 'stopping' = 'open';

  /** The answer to an event. */
  const take = (event: unknown): readonly unknown[] => {
    counts.events += 1;
    const [isTaken, why] = outcomeOf(event);
    if (!isTaken) counts.refused += 1;
    const id = typeof event === 'object' && event !== null && 'id' in event ? event.id : '';
    return ['OK', typeof id === 'string' ? id : '', isTaken, why];
  };
  const outcomeOf = (event: unknown): readonly [isTaken: boolean, why: string] => {
    if (!isEvent(event)) return [false, 'invalid: this is no event'];
    const fault = faultOf(event);
    if (fault !== null) return [false, `invalid: ${fault}`];
    const outcome = store.put(event);
    if (outcome === 'stored') return [true, ''];
    if (outcome === 'known') return [true, 'duplicate: it is stored already'];
    return outcome === 'older'
      ? [false, 'replaced: a newer event is stored']
      : [false, 'blocked: only replaceable events are kept here'];
  };

  const receive = (client: WebSocket, text: string): void => {
    if (state !== 'open') return;
    const send = (...message: readonly unknown[]): void => client.send(JSON.stringify(message));
    const [type, first, ...filters] = messageIn(text);
    if (type === 'EVENT') send(...take(first));
    else if (type === 'REQ' && typeof first === 'string' && filters.every(isFilter)) {
      counts.requests += 1;
      const found = new Set(filters.flatMap((filter) => store.find(filter)));
      for (const event of found) send('EVENT', first, event);
      send('EOSE', first);
    } else if (type !== 'CLOSE') send('NOTICE', 'expected EVENT, REQ or CLOSE');
  };

  const admit = (client: WebSocket): void => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('message', (data) => receive(client, String(data)));
  };

  const server = openHttpFrame({
    token,
    state: () => state,
    health: () => ({ status: state === 'open' ? 'ok' : state, world: 'realm-relay', events: store.size }),
    metrics: () =>
      [
        processMetrics.render(clients.size),
        counter('capbench_realm_relay_events_total', counts.events),
        counter('capbench_realm_relay_refused_total', counts.refused),
        counter('capbench_realm_relay_requests_total', counts.requests),
        counter('capbench_realm_relay_file_bytes_total', store.bytes),
        gauge('capbench_realm_relay_stored_events', store.size),
      ].join(''),
    sockets: { [RELAY_PATH]: () => admit },
    maxPayload: LARGEST_MESSAGE_BYTES,
  });

  return {
    ...{ name: 'The relay', host, server },
    async close() {
      state = 'stopping';
      for (const client of clients) client.close(1001, 'the relay is stopping');
      store.close();
    },
  };
}

/** Conditions that it does not know are ignored. */
function isFilter(value: unknown): value is EventFilter {
  if (typeof value !== 'object' || value === null) return false;
  const { kinds = [], authors = [], '#d': names = [] } = value as Record<string, unknown>;
  return (
    Array.isArray(kinds) && kinds.every(Number.isInteger) && [authors, names].every((list) => isTexts(list))
  );
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
