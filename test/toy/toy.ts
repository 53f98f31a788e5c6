import type { Reachable } from '../../src/address/access.ts';
import { addRow, askOnce, type CountedRow, noRows, readTableWrites } from '../../src/probe/counted-rows.ts';
import type { Probe } from '../../src/probe/probe.ts';
import { verifyRows } from '../../src/probe/verification.ts';
import type { SystemScenario } from '../../src/scenario/system-scenario.ts';
import { postgresComponent } from '../../src/stack/postgres-component.ts';
import { serverComponent } from '../../src/stack/server.ts';
import type { DatabaseEndpoint } from '../../src/stack/stack.ts';
import type { System } from '../../src/systems/system.ts';
import { TABLE } from './operations.ts';

/** Where its two programs stand, bundled. */
export interface ToyFiles {
  readonly server: string;
  readonly worker: string;
}

const pgEnvironment = ({ host, port, user, password, database }: DatabaseEndpoint) => ({
  ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database },
});

/** The number of writes that the server reports. */
const writesOf = async ({ url }: Reachable): Promise<number> => Number(await (await fetch(url)).text());

const probeOf = (world: Reachable, index: number): Probe => ({
  name: `world-${index + 1}`,
  sample: async () => [
    { series: `world.${index + 1}.rowWrites`, kind: 'counter', value: await writesOf(world) },
  ],
  close: async () => undefined,
});

const partOf = (operations: readonly string[]): SystemScenario => ({
  name: 'toy',
  operations: operations.map((id) => ({
    ...{ id, plural: `${id}s`, label: `${id}s`, unit: 'ops', actor: 'player', due: 'schedule' },
    answer: 'a frame with its number, once its row is written',
  })),
  components: ({ world: { servers } }) => [
    { name: 'postgres', faults: ['stop'] },
    ...Array.from({ length: servers }, (_, i) => ({
      name: `world-${i + 1}`,
      faults: ['stop'] as const,
    })),
  ],
  workload: ({ load: { players } }) => ({ entities: players, own: null }),
  traits: ({ world: { servers } }) => ({
    ...{ table: TABLE, probes: ['postgres', ...Array.from({ length: servers }, (_, i) => `world-${i + 1}`)] },
  }),
});

/** A counter for each player, over WebSocket, kept in PostgreSQL. `broken`: it acknowledges and does not write. */
export function toy(files: ToyFiles, { operations = ['add', 'read'], broken = false } = {}): System {
  const scenario = partOf(operations);
  return {
    ...{ name: scenario.name, scenario, workerModule: () => files.worker },
    components: ({ postgres, world }) => [
      postgresComponent(postgres),
      ...Array.from({ length: world.servers }, (_, i) =>
        serverComponent({
          ...{ name: `world-${i + 1}`, instance: i + 1, after: ['postgres'], heap: world.heap },
          module: files.server,
          env: ({ token, started }) => ({
            ...{ TOKEN: token, ...(broken ? { BROKEN: 'yes' } : {}) },
            ...pgEnvironment(started('postgres').database!),
          }),
          health: writesOf,
        }),
      ),
    ],
    nullServers: (_workload, servers, token) =>
      Array.from({ length: servers }, (_, i) => ({
        ...{ name: `null-${i + 1}`, module: files.server, env: { TOKEN: token } },
      })),
    probes: ({ worlds }) => worlds.map(probeOf),
    openVerification: async ({ endpoints: { worlds, database }, workload: { entities } }) => {
      if (database === null) return { because: 'nobody says where its database is' };
      return verifyRows(
        {
          read: async () => {
            const rows = noRows(entities);
            const text = `select id, last_seq, applied_n, seq_sum from ${TABLE}`;
            for (const row of await askOnce<CountedRow>(database, text)) addRow(rows, row);
            return rows;
          },
          writes: async () => {
            const writes = await Promise.all(worlds.map(writesOf));
            const inserts = true;
            return [writes.reduce((a, b) => a + b, 0), await readTableWrites(database, TABLE, { inserts })];
          },
        },
        entities,
      );
    },
  };
}
