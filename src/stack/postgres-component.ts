import { platform, totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import type { PostgresSettings } from '../scenario/scenario.ts';
import { settingsInForce } from './applied-settings.ts';
import type { ComponentSpec } from './component-spec.ts';
import { startPostgres } from './postgres.ts';
import { preparePostgres } from './postgres-build.ts';
import { applyPostgresSettings } from './settings.ts';

/** A PostgreSQL with these settings, as far as this host can hold them: `postgres` in a system's stack. */
export const postgresComponent = (postgres: PostgresSettings): ComponentSpec => ({
  name: 'postgres',
  faults: ['kill', 'stop'],
  after: [],
  unprivileged: true,
  async start({ env, user, folder, watchdog, signal, closing, password }) {
    const bin = env.CAPBENCH_POSTGRES_BIN || null;
    const build = await preparePostgres(postgres.version, bin, user, folder, watchdog, signal);
    signal.throwIfAborted();
    const { settings, configuration } = applyPostgresSettings(postgres, {
      memoryBytes: usableMemory(),
      platform: platform(),
      postgresVersion: build.version,
      libraries: build.libraries,
    });
    const started = await startPostgres({
      ...{ build, configuration, folder, watchdog, user, signal, password, closing },
    });
    try {
      return { ...started, settings: await settingsInForce(started.database, settings, configuration) };
    } catch (error) {
      await started.component.close();
      throw error;
    }
  },
});

/** A container's limit where there is one, else the host's memory. */
function usableMemory(): number {
  const limit = constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
