import type { Probe, Sample } from '../../probe/probe.ts';
import { COMMON_SERIES, openServerProbe, type ServerPage, seriesOf } from '../../probe/server-page.ts';
import { askJson } from '../../stack/health.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';

const counters: Readonly<Record<string, string>> = {
  updates: 'capbench_realm_updates_total',
  lateUpdates: 'capbench_realm_updates_late_total',
  updateSeconds: 'capbench_realm_update_seconds_total',
  thinkSeconds: 'capbench_realm_think_seconds_total',
  thinks: 'capbench_realm_thinks_total',
  syncSeconds: 'capbench_realm_sync_seconds_total',
  signingSeconds: 'capbench_realm_signing_seconds_total',
  syncs: 'capbench_realm_syncs_total',
  syncFailures: 'capbench_realm_sync_failures_total',
  signedEvents: 'capbench_realm_signed_events_total',
  moves: 'capbench_realm_moves_total',
  chats: 'capbench_realm_chats_total',
  emotes: 'capbench_realm_emotes_total',
  refused: 'capbench_realm_refused_total',
  framesOut: 'capbench_realm_frames_total',
  bytesOut: 'capbench_realm_bytes_out_total',
  bytesIn: 'capbench_realm_bytes_in_total',
  logBytes: 'capbench_realm_log_bytes_total',
};
const gauges: Readonly<Record<string, string>> = {
  agents: 'capbench_realm_agents',
  unsyncedAgents: 'capbench_realm_unsynced_agents',
};

const PAGE: ServerPage = {
  what: 'a realm world',
  series: [...COMMON_SERIES, ...seriesOf(counters, 'counter'), ...seriesOf(gauges, 'gauge')],
  histograms: { updateIntervalMs: ['capbench_realm_update_interval_seconds', 1e3] },
};

/** Reads the metrics of a world; `instance` is 1-based, as in the series' names. */
export const openWorldProbe = (server: WorldEndpoint, instance: number): Probe =>
  openServerProbe(server, instance, PAGE);

const LIMIT_MS = 900;
const MEGABYTE = 1e6;

/** The fields that the document has in the answer to `GET /health`, and what each is. */
const HEALTH_FIELDS: readonly (readonly [path: string, is: (value: unknown) => boolean])[] = [
  ['status', (value) => value === 'ok'],
  ['uptime', isCount],
  ['agents.active', isCount],
  ['agents.total', isCount],
  ['connections', isCount],
  ['memory.used', isSize],
  ['memory.heap', isSize],
];

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
/** `350MB` */
function isSize(value: unknown): boolean {
  return typeof value === 'string' && /^\d+(?:\.\d+)?MB$/.test(value);
}

/** How many of the documented fields an answer has. */
export const healthFields = (body: unknown): number =>
  HEALTH_FIELDS.filter(([path, is]) => is(path.split('.').reduce(fieldOf, body))).length;

/** What health says in megabytes, in bytes; null where it does not. */
export function heapBytesIn(body: unknown): number | null {
  const heap = fieldOf(fieldOf(body, 'memory'), 'heap');
  return isSize(heap) ? Number.parseFloat(String(heap)) * MEGABYTE : null;
}

const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

/** Asks each world for its health, as its operators do: which documented fields it has, and how large its heap is. */
export const openHealthProbe = (worlds: readonly WorldEndpoint[]): Probe => ({
  name: 'realm',
  async sample() {
    const answers = await Promise.all(
      worlds.map((world) => askJson(world, '/health', AbortSignal.timeout(LIMIT_MS))),
    );
    return answers.flatMap(({ body }, i): readonly Sample[] => {
      const heap = heapBytesIn(body);
      const of = (name: string, value: number): Sample => ({
        ...{ series: `realm.${i + 1}.${name}`, kind: 'gauge', value },
      });
      return [of('healthFields', healthFields(body)), ...(heap === null ? [] : [of('heapBytes', heap)])];
    });
  },
  close: async () => undefined,
});
