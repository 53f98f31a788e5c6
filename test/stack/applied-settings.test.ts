import { afterAll, expect, test, vi } from 'vitest';
import { startPostgres } from '../../src/stack/postgres.ts';
import { preparePostgres } from '../../src/stack/postgres-build.ts';
import { settingsInForce } from '../../src/stack/postgres-component.ts';
import type { AppliedSetting } from '../../src/stack/stack.ts';
import { openRunFolder } from '../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { openSmallStack, scenarioOf, never as signal } from './small-scenario.ts';
import { query } from './sql.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** The spelling of some of them differs from what PostgreSQL prints. */
const CONFIGURED = {
  shared_buffers: '16384kB',
  work_mem: '5120',
  random_page_cost: '1.10',
  checkpoint_timeout: '600s',
  track_activity_query_size: '2048',
  log_line_prefix: "it's \\ %p ",
  listen_addresses: '',
  timezone: 'UTC',
  maintenance_work_mem: '64MB',
  log_min_duration_statement: '1000',
};

const settingsOf = (configuration: Readonly<Record<string, string>>): readonly AppliedSetting[] =>
  Object.entries(configuration).map(([setting, applied]) => ({
    ...{ setting, documented: applied, applied, reason: null, hardware: false },
  }));

const user = unprivilegedUser();
const watchdog = await openWatchdog(process.env);
const folder = await openRunFolder(watchdog, ['/tmp'], user);
const postgres = await startPostgres({
  build: await preparePostgres(16, null, user, folder, watchdog, signal),
  ...{ configuration: CONFIGURED, folder, watchdog, user, signal, password: 'secret' },
});
afterAll(async () => {
  await postgres.component.close();
  await folder.remove();
  await watchdog.close();
});

test('settings that are in force keep their spelling, and settings outside PostgreSQL are unchanged', async () => {
  const settings = settingsOf({ ...CONFIGURED, worldServers: '2' });
  expect(await settingsInForce(postgres.database, settings, CONFIGURED)).toEqual(settings);
});

test('settings that PostgreSQL changed are reported with the value in force and the reason', async () => {
  for (const statement of [
    "alter system set work_mem = '8MB'",
    "alter system set shared_buffers = '32MB'",
    "alter role capbench set maintenance_work_mem = '32MB'",
    'select pg_reload_conf()',
  ]) {
    await query(postgres.database, statement);
  }
  const configuration = { ...CONFIGURED, 'auto_explain.log_min_duration': '7' };
  const [memory] = settingsOf({ work_mem: '5120' });
  if (memory === undefined) throw new Error('there is one');
  const settings = [
    { ...memory, documented: '8GB', reason: 'too little memory', hardware: true },
    ...settingsOf(configuration).filter(({ setting }) => setting !== 'work_mem'),
  ];
  const found = async () => {
    const all = await settingsInForce(postgres.database, settings, configuration);
    return new Map(all.map((one) => [one.setting, one]));
  };
  // PostgreSQL applies a reload asynchronously.
  await expect.poll(async () => (await found()).get('work_mem')?.applied).toBe('8MB');
  const all = await found();
  expect([...all.keys()]).toEqual(settings.map(({ setting }) => setting));
  expect(all.get('work_mem')).toMatchObject({
    documented: '8GB',
    reason: 'too little memory; PostgreSQL runs with 8MB (source: configuration file)',
    hardware: true,
  });
  expect(all.get('maintenance_work_mem')).toMatchObject({
    ...{ documented: '64MB', applied: '32MB', reason: 'PostgreSQL runs with 32MB (source: user)' },
  });
  expect(all.get('auto_explain.log_min_duration')?.reason).toContain(
    'neither PostgreSQL nor a library that it loaded',
  );
  // Until a restart, it runs with the configured value.
  expect(all.get('shared_buffers')).toMatchObject({ applied: '16384kB', reason: null });
  const changed = ['work_mem', 'maintenance_work_mem', 'auto_explain.log_min_duration'];
  for (const one of settings.filter(({ setting }) => !changed.includes(setting)))
    expect(all.get(one.setting)).toEqual(one);
});

test('a PostgreSQL that does not answer ends with 93', async () => {
  const nobody = { ...postgres.database, password: 'guessed' };
  await expect(settingsInForce(nobody, settingsOf(CONFIGURED), CONFIGURED)).rejects.toMatchObject({
    exitCode: 93,
    message: expect.stringContaining('the settings in force cannot be read'),
  });
});

test('a local stack reports the settings of the run itself, whatever the scenario says', async () => {
  const scenario = scenarioOf({ logging_collector: 'on', work_mem: '5120' });
  const stack = await openSmallStack(scenario, { watchdog });
  const { settings } = stack;
  await stack.close();
  const of = (name: string) => settings.find(({ setting }) => setting === name);
  expect(of('logging_collector')).toMatchObject({
    documented: 'on',
    applied: 'off',
    reason: 'PostgreSQL runs with off (source: configuration file)',
  });
  expect(of('work_mem')).toMatchObject({ applied: '5120', reason: null });
});
