import { describe, expect, it, test } from 'vitest';
import { applyPostgresSettings, deviationsBeside, type PostgresHost } from '../../src/stack/settings.ts';

const GB = 2 ** 30;
const laptop: PostgresHost = {
  memoryBytes: 16 * GB,
  platform: 'linux',
  postgresVersion: '16.14',
  libraries: new Set(['pg_stat_statements', 'auto_explain']),
};
const mac: PostgresHost = { ...laptop, platform: 'darwin' };
const boxed: PostgresHost = { ...laptop, memoryBytes: 4 * GB, memoryOf: 'stack' };
const server: PostgresHost = { ...laptop, memoryBytes: 256 * GB };

const postgres = (settings: Readonly<Record<string, string>>) => ({ version: 16, settings });

function applied(setting: string, documented: string, host: PostgresHost) {
  const { settings, configuration } = applyPostgresSettings(postgres({ [setting]: documented }), host);
  const found = settings.find((it) => it.setting === setting);
  expect(configuration[setting]).toBe(found?.applied);
  expect(found?.documented).toBe(documented);
  return found;
}

describe('a documented setting', () => {
  test.each([
    // Within the allowed share of the memory, as documented.
    ['shared_buffers', '4GB', laptop, '4GB', null, false],
    ['shared_buffers', '32GB', server, '32GB', null, false],
    ['shared_buffers', '16384', laptop, '16384', null, false],
    ['effective_cache_size', '8GB', laptop, '8GB', null, false],
    ['work_mem', '512MB', laptop, '512MB', null, false],
    ['maintenance_work_mem', '-1', laptop, '-1', null, false],
    // Above that share, as much as fits.
    ['shared_buffers', '32GB', laptop, '4096MB', /this host has 16 GB of memory.*needs 128 GB/, true],
    ['shared_buffers', '4194304', laptop, '4096MB', /needs 128 GB/, true],
    ['effective_cache_size', '40GB', laptop, '8192MB', /needs 80 GB/, true],
    ['maintenance_work_mem', '4GB', laptop, '1638MB', /needs 40 GB/, true],
    ['work_mem', '2GB', laptop, '1638MB', /needs 20 GB/, true],
    // A limit of the whole stack counts as the memory of the machine.
    ['shared_buffers', '8GB', boxed, '1024MB', /the stack has 4 GB of memory.*needs 32 GB/, true],
    ['shared_buffers', '1GB', boxed, '1GB', null, false],
    // Settings that another platform refuses.
    ['effective_io_concurrency', '200', laptop, '200', null, false],
    ['effective_io_concurrency', '200', mac, '0', /posix_fadvise/, false],
    ['effective_io_concurrency', '0', mac, '0', null, false],
    // Commits always stay durable, and PostgreSQL is never reachable from other hosts.
    ['fsync', 'on', laptop, 'on', null, false],
    ['fsync', 'off', laptop, 'on', /survive/, false],
    ['synchronous_commit', 'off', laptop, 'off', null, false],
    ['listen_addresses', '', laptop, '', null, false],
    ['listen_addresses', 'localhost', laptop, '', /UNIX socket/, false],
    // Libraries that this build can load.
    ['shared_preload_libraries', 'pg_stat_statements', laptop, 'pg_stat_statements', null, false],
    ['shared_preload_libraries', 'pg_cron, auto_explain', laptop, 'auto_explain', /without pg_cron/, false],
    // All other settings, in any spelling.
    ['max_connections', '400', laptop, '400', null, false],
    ['wal_buffers', '256MB', laptop, '256MB', null, false],
    ['log_line_prefix', "%t it's ", laptop, "%t it's ", null, false],
  ] as const)('%s = %s', (setting, documented, host, expected, reason, hardware) => {
    const found = applied(setting, documented, host);
    expect(found?.applied).toBe(expected);
    expect(found?.hardware).toBe(hardware);
    if (reason === null) expect(found?.reason).toBeNull();
    else expect(found?.reason).toMatch(reason);
  });

  it('log_statement = mod keeps the arrays of the batches out of the log, and the report says so', () => {
    const { settings, configuration } = applyPostgresSettings(postgres({ log_statement: 'mod' }), laptop);
    expect(configuration).toMatchObject({ log_statement: 'mod', log_parameter_max_length: '0' });
    expect(settings.filter(({ setting }) => setting === 'log_parameter_max_length')).toEqual([
      expect.objectContaining({ documented: '-1 (default)', applied: '0', hardware: false }),
    ]);
    expect(
      applyPostgresSettings(postgres({ log_statement: 'ddl' }), laptop).configuration,
    ).not.toHaveProperty('log_parameter_max_length');
  });
});

describe('outside PostgreSQL', () => {
  const deviation = {
    setting: 'proxy',
    documented: 'nginx, round robin',
    applied: 'none',
    reason: 'players connect to their own server',
  };

  it('deviations that a document states itself are listed, and never override what was really applied', () => {
    const { settings } = applyPostgresSettings(postgres({ shared_buffers: '32MB' }), laptop);
    const listed = deviationsBeside(
      [
        deviation,
        { ...deviation, setting: 'cores', reason: 'hardware: 12 cores are documented' },
        { ...deviation, setting: 'shared_buffers', applied: 'a lie' },
      ],
      settings,
    );
    expect(listed).toEqual([
      { ...deviation, hardware: false },
      expect.objectContaining({ setting: 'cores', hardware: true }),
    ]);
  });
});
