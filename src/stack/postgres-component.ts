import { platform } from 'node:os';
import pg from 'pg';
import { messageOf, stackFailed } from '../errors.ts';
import type { PostgresSettings } from '../scenario/scenario.ts';
import type { ComponentSpec } from './component-spec.ts';
import { usableMemory } from './memory-need.ts';
import { startPostgres } from './postgres.ts';
import { preparePostgres } from './postgres-build.ts';
import { applyPostgresSettings } from './settings.ts';
import type { AppliedSetting, DatabaseEndpoint } from './stack.ts';

/** The component `postgres` of a system's stack, with these settings as far as this host allows. */
export const postgresComponent = (postgres: PostgresSettings): ComponentSpec => ({
  name: 'postgres',
  faults: ['kill', 'stop', 'restart'],
  after: [],
  unprivileged: true,
  async start(context) {
    const { env, user, folder, watchdog, signal, closing, password, confine, stackMemoryBytes } = context;
    const bin = env.CAPBENCH_POSTGRES_BIN || null;
    const build = await preparePostgres(postgres.version, bin, user, folder, watchdog, signal);
    signal.throwIfAborted();
    const { settings, configuration } = applyPostgresSettings(postgres, {
      memoryBytes: Math.min(usableMemory(), stackMemoryBytes ?? Number.POSITIVE_INFINITY),
      memoryOf: stackMemoryBytes !== null && stackMemoryBytes < usableMemory() ? 'stack' : 'host',
      platform: platform(),
      postgresVersion: build.version,
      libraries: build.libraries,
    });
    const started = await startPostgres({
      ...{ build, configuration, folder, watchdog, user, signal, password, closing, confine },
    });
    try {
      return { ...started, settings: await settingsInForce(started.database, settings, configuration) };
    } catch (error) {
      await started.component.close();
      throw error;
    }
  },
});

const ANSWER_LIMIT_MS = 30_000;

/** A setting in PostgreSQL. */
interface InForce {
  readonly name: string;
  /** As `show` prints it; null for an unknown name. */
  readonly current: string | null;
  /** Null for a name that neither PostgreSQL nor a loaded library declares. */
  readonly source: string | null;
  readonly pending: boolean | null;
  /** The value in the configuration line from which the setting comes. */
  readonly line: string | null;
  /** Why a configuration line cannot be applied. */
  readonly error: string | null;
}

/** Compares the configuration line, not the value: PostgreSQL normalises the spelling of values. */
const IN_FORCE = `
  select wanted.name, current_setting(wanted.name, true) as current,
         s.source, s.pending_restart as pending, file.setting as line,
         (select max(f.error) from pg_file_settings f where lower(f.name) = lower(wanted.name)) as error
  from unnest($1::text[]) as wanted(name)
  left join pg_settings s on lower(s.name) = lower(wanted.name)
  left join pg_file_settings file
    on file.sourcefile = s.sourcefile and file.sourceline = s.sourceline and s.source = 'configuration file'`;

/**
 * The settings that are in force: one that differs from its configuration gets the actual value and a reason. Rejects
 * with exit code 93 when PostgreSQL does not report them.
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
      `the settings in force cannot be read from PostgreSQL: ${messageOf(error)}`,
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
      ? `neither PostgreSQL nor a library that it loaded has this setting, so ${wanted} has no effect`
      : [
          `PostgreSQL runs with ${applied === '' ? 'none' : applied} (source: ${source})`,
          ...(error === null ? [] : [error]),
          ...(pending === true ? ['a restart is pending'] : []),
        ].join('; ');
  return { ...setting, applied, reason: setting.reason === null ? why : `${setting.reason}; ${why}` };
}
