import { type ChildProcess, fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import type pg from 'pg';
import { type Postgres, startPostgres } from '../../../../src/stack/postgres.ts';
import { preparePostgres } from '../../../../src/stack/postgres-build.ts';
import { openRunFolder } from '../../../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../../../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../../../../src/supervision/watchdog.ts';
import { bundled } from '../../../bundled.ts';
import { connectTo } from '../../../stack/sql.ts';

/** For the tests of the world: a real PostgreSQL, and real world servers as processes on it. */

export interface TestDatabase {
  /** An empty database, and a connection of the test's own to it. */
  create(name: string): Promise<pg.Client>;
  /** Another connection. */
  connect(name: string): Promise<pg.Client>;
  /** The environment of a world server on the newest database. */
  readonly environment: Readonly<Record<string, string>>;
  readonly postgres: Postgres;
  close(): Promise<void>;
}

export async function startDatabase(settings: Readonly<Record<string, string>> = {}): Promise<TestDatabase> {
  const watchdog = await openWatchdog(process.env);
  const user = unprivilegedUser();
  const folder = await openRunFolder(watchdog, [tmpdir(), '/tmp'], user);
  const { CAPBENCH_TEST_POSTGRES_BIN: ofSuite, CAPBENCH_POSTGRES_BIN: given } = process.env;
  const { signal } = new AbortController();
  const postgres = await startPostgres({
    build: await preparePostgres(16, ofSuite ?? given ?? null, user, folder, watchdog, signal),
    ...{ folder, watchdog, user, signal, password: 'of-these-tests-alone' },
    configuration: { shared_buffers: '256MB', max_wal_size: '4GB', max_connections: '40', ...settings },
  });
  const { host, port, user: role, password } = postgres.database;
  const clients: pg.Client[] = [];
  const connect = async (database: string): Promise<pg.Client> => {
    const client = await connectTo({ ...postgres.database, database });
    clients.push(client);
    return client;
  };
  let current = postgres.database.database;
  return {
    postgres,
    get environment() {
      const database = { DB_SOCKET_PATH: host, DB_PORT: String(port), DB_USER: role, DB_PASSWORD: password };
      return { ...database, DB_NAME: current };
    },
    connect,
    async create(name) {
      // A new connection: a test may have killed PostgreSQL.
      const admin = await connect(postgres.database.database);
      await admin.query(`create database "${name}"`);
      await admin.end();
      current = name;
      return connect(name);
    },
    async close() {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await postgres.component.close();
      await folder.remove();
      await watchdog.close();
    },
  };
}

let programs: ReturnType<typeof bundled> | undefined;

/** The server as it stands in the sources. */
async function program(): Promise<string> {
  programs ??= bundled({ 'flux-server': 'src/systems/flux/server/main.ts' }).then((all) => {
    process.once('exit', all.remove);
    return all;
  });
  return (await programs).file('flux-server');
}

export interface WorldProcess {
  /** `http://127.0.0.1:port`; empty when it ended before it was ready. */
  readonly url: string;
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  log(): string;
  readonly exited: Promise<number | null>;
  stop(): Promise<number | null>;
}

/** Ends the backends of the first world server of a database. */
export const END_BACKENDS =
  "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'capbench-world-1' and datname = current_database()";

/** A single server, unless the settings differ. Resolves when it is ready, or ended before. */
export async function startWorld(environment: Readonly<Record<string, string>>): Promise<WorldProcess> {
  const child = fork(await program(), [], {
    env: { PATH: process.env.PATH, INSTANCE_ID: '1', INSTANCES: '1', ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  // Not 'close': it does not come after a disconnect from this side.
  const exited = Promise.all([
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => child.stderr?.once('close', resolve)),
  ]).then(([code]) => code);
  const ready = new Promise<string>((resolve) => {
    child.on('message', (message: { type: string; port: number }) => {
      if (message.type === 'ready') resolve(`http://127.0.0.1:${message.port}`);
    });
  });
  return {
    url: await Promise.race([ready, exited.then(() => '')]),
    process: child,
    log: () => log,
    exited,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
