import { platform, totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import pg from 'pg';
import { messageOf, stackFailed } from '../errors.ts';
import type { PostgresSettings } from '../scenario/scenario.ts';
import type { ComponentSpec } from './component-spec.ts';
import { startPostgres } from './postgres.ts';
import { preparePostgres } from './postgres-build.ts';
import { applyPostgresSettings } from './settings.ts';
import type { AppliedSetting, DatabaseEndpoint } from './stack.ts';

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
export function usableMemory(): number {
  const limit = constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

const ANSWER_LIMIT_MS = 30_000;

/** What PostgreSQL says of one setting; null for what it has not. */
interface InForce {
  readonly name: string;
  /** As `show` prints it; null for a name that nothing knows. */
  readonly current: string | null;
  /** Null for a name that no part of PostgreSQL, and no library it loaded, declares. */
  readonly source: string | null;
  readonly pending: boolean | null;
  /** What the line of the configuration file says from which the value in force came. */
  readonly line: string | null;
  /** Why a line about it cannot be applied. */
  readonly error: string | null;
}

/** A value is in force when it came from the line that says it: PostgreSQL prints it in a spelling of its own. */
const IN_FORCE = `
  select wanted.name, current_setting(wanted.name, true) as current,
         s.source, s.pending_restart as pending, file.setting as line,
         (select max(f.error) from pg_file_settings f where lower(f.name) = lower(wanted.name)) as error
  from unnest($1::text[]) as wanted(name)
  left join pg_settings s on lower(s.name) = lower(wanted.name)
  left join pg_file_settings file
    on file.sourcefile = s.sourcefile and file.sourceline = s.sourceline and s.source = 'configuration file'`;

/**
 * The settings as PostgreSQL has them in force: one that runs with another value than was configured gets that
 * value, and a reason. The others come back as they are. Rejects with exit code 93 when PostgreSQL does not say.
 */
export async function settingsInForce(
  { host, port, user, password, database }: DatabaseEndpoint,
  settings: readonly AppliedSetting[],
  configuration: Readonly<Record<string, string>>,
): Promise<readonly AppliedSetting[]> {
  const client = new pg.Client({
    ...{ host, port, user, password, database, ssl: false },
    ...{ connectionTimeoutMillis: ANSWER_LIMIT_MS, query_timeout: ANSWER_LIMIT_MS },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<InForce>(IN_FORCE, [Object.keys(configuration)]);
    const found = new Map(rows.map((row) => [row.name, row]));
    return settings.map((setting) => {
      const wanted = configuration[setting.setting];
      const inForce = found.get(setting.setting);
      return wanted === undefined || inForce === undefined ? setting : asInForce(setting, wanted, inForce);
    });
  } catch (error) {
    throw stackFailed(
      `PostgreSQL does not say which settings are in force: ${messageOf(error)}`,
      'see logs/postgres.log',
      error,
    );
  } finally {
    void client.end().catch(() => {});
  }
}

function asInForce(setting: AppliedSetting, wanted: string, inForce: InForce): AppliedSetting {
  const { current, source, pending, line, error } = inForce;
  if (source !== null && line === wanted) return setting;
  const applied = current ?? 'none';
  const why =
    source === null
      ? `nothing that PostgreSQL loaded has a setting of this name, and ${wanted} does nothing`
      : [
          `PostgreSQL runs with ${applied === '' ? 'none' : applied} (source: ${source})`,
          ...(error === null ? [] : [error]),
          ...(pending === true ? ['a restart is pending'] : []),
        ].join('; ');
  return { ...setting, applied, reason: setting.reason === null ? why : `${setting.reason}; ${why}` };
}
