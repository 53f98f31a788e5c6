import { appendFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { codeOf, messageOf } from '../errors.ts';
import {
  type Confine,
  describeExit,
  POSTGRES_LADDER,
  type SupervisedProcess,
  startProcess,
} from '../supervision/process.ts';
import { pause, START_LIMITS, type StartLimits, unlessAborted, within } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type ComponentProcess, openComponent } from './component.ts';
import type { StartedComponent } from './component-spec.ts';
import {
  adviceIn,
  type ClusterPlan,
  checkSpace,
  configurationFile,
  makeCluster,
  postgresFailed,
  sharedMemoryCleanup,
} from './postgres-cluster.ts';
import type { DatabaseEndpoint } from './stack.ts';

/** A PostgreSQL that the run started: its data, its socket and its log are in the run's folder. */
export type Postgres = Required<Pick<StartedComponent, 'component' | 'database' | 'logs'>>;

interface PostgresPlan extends ClusterPlan {
  /** Settings by their PostgreSQL names, values without quotes. */
  readonly configuration: Readonly<Record<string, string>>;
  /** The superuser's password. */
  readonly password: string;
  /** Aborted when the stack is closed: ends faults in progress. */
  readonly closing?: AbortSignal;
  /** Of PostgreSQL itself, and not of `initdb`. */
  readonly confine?: Confine;
}

const SUPERUSER = 'capbench';
const DATABASE = 'capbench';
/** Only a part of the socket's name: no TCP port is opened. */
const PORT = 5432;
const POLL_MS = 20;
/** Each attempt costs a starting server one process: so fewer attempts until it logs that it is ready. */
const POLL_STARTING_MS = 250;
const READY = 'database system is ready to accept connections';
/** Errors that pass: no socket yet, a server that is starting (57P03), or all clients reconnecting at once (53300). */
const NOT_YET: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', '57P03', '53300']);
/** Logged when a backend crashed. PostgreSQL recovers within seconds, but the run must fail. */
const CRASHED = 'terminating any other active server processes';

/**
 * Makes a cluster, starts PostgreSQL on a UNIX socket, waits until it answers, and makes an empty database. Rejects with
 * exit code 93, or with the signal's reason; all its processes have ended by then.
 */
export async function startPostgres(plan: PostgresPlan): Promise<Postgres> {
  const { folder, user, signal } = plan;
  await checkSpace(folder.path);
  const data = await folder.folder('data', user);
  const sockets = await folder.folder('s', user);
  const { password } = plan;
  await makeCluster(plan, data, SUPERUSER, password);
  const configuration = { ...recovery(plan), ...plan.configuration, ...placement(sockets) };
  await appendFile(join(data, 'postgresql.conf'), configurationFile(configuration));
  signal.throwIfAborted();

  const start = (prepare: Preparation, aborted: AbortSignal): Promise<ComponentProcess> =>
    startComponentProcess({ ...plan, data, sockets, prepare }, aborted);
  const first = await start(
    (endpoint, starting) => makeDatabase(endpoint, plan.configuration, starting),
    signal,
  );
  const component = openComponent(first, (aborted) => start(ask, aborted), plan.closing ?? NEVER);
  return {
    component,
    database: {
      ...endpointOf(sockets, password),
      get pid() {
        return component.pid;
      },
    },
    logs: new Map([['initdb', folder.file('initdb.log')]]),
  };
}

const NEVER = new AbortController().signal;

const endpointOf = (sockets: string, password: string): DatabaseEndpoint => ({
  ...{ host: sockets, port: PORT, user: SUPERUSER, password, database: DATABASE, pid: null },
});

/** The statements that a started PostgreSQL has to answer before it counts as ready. */
type Preparation = (endpoint: DatabaseEndpoint, starting: Starting) => Promise<void>;

interface ComponentProcessPlan extends PostgresPlan {
  readonly data: string;
  readonly sockets: string;
  readonly prepare: Preparation;
}

/**
 * Starts PostgreSQL on a new cluster or on that of a killed PostgreSQL, and resolves when it answers: it has recovered
 * then, and has removed the shared memory and lock files that the killed one left behind.
 */
async function startComponentProcess(
  plan: ComponentProcessPlan,
  aborted: AbortSignal,
): Promise<ComponentProcess> {
  const { data, sockets, folder, watchdog, user, confine, limits = START_LIMITS } = plan;
  const server = await startProcess({
    name: 'postgres',
    command: join(plan.build.bin, 'postgres'),
    args: ['-D', data],
    // Messages in English, and no locale threads on macOS.
    env: { HOME: data, LC_ALL: 'C' },
    cwd: data,
    log: folder.file('postgres.log'),
    watchdog,
    ladder: POSTGRES_LADDER,
    endMethod: 'postmaster',
    cleanup: sharedMemoryCleanup(plan, data),
    user,
    lowPriority: true,
    confine,
  });
  const failure = watch(server);
  const ready = new Promise<void>((resolve) => {
    server.onOutput((text) => {
      if (text.includes(READY)) resolve();
    });
  });
  const endpoint = endpointOf(sockets, plan.password);
  const upWithin = async (prepare: Preparation, signal: AbortSignal): Promise<void> => {
    const stopAsking = new AbortController();
    const asked = AbortSignal.any([signal, stopAsking.signal]);
    try {
      await unlessAborted(
        Promise.race([
          prepare(endpoint, { server, ready, signal: asked, limits }),
          failure.then(({ message }) => Promise.reject(postgresFailed(message, server.tail()))),
        ]),
        signal,
      );
    } finally {
      stopAsking.abort();
    }
  };
  try {
    await upWithin(plan.prepare, aborted);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { process: server, failure, answers: (signal) => upWithin(ask, signal) };
}

/** Settings that a scenario cannot change: reachable only for this run, durable, logged to stderr. */
const placement = (sockets: string): Readonly<Record<string, string>> => ({
  listen_addresses: '',
  port: String(PORT),
  unix_socket_directories: sockets,
  unix_socket_permissions: '0700',
  logging_collector: 'off',
  log_destination: 'stderr',
  fsync: 'on',
});

/**
 * Before it recovers, PostgreSQL syncs every file of the cluster, which takes seconds on a busy disk. Linux can sync the
 * whole file system in milliseconds instead.
 */
const recovery = ({ build }: PostgresPlan): Readonly<Record<string, string>> =>
  platform() === 'linux' && Number.parseInt(build.version, 10) >= 14
    ? { recovery_init_sync_method: 'syncfs' }
    : {};

/** PostgreSQL fails when the postmaster ends, or when one backend crashes, since that resets all connections. */
function watch(server: SupervisedProcess): Promise<StackFailure> {
  return new Promise((resolve) => {
    const fail = (message: string, hint: string) =>
      resolve({ component: 'postgres', message, hint: adviceIn(server.tail(50)) ?? hint });
    let carried = '';
    server.onOutput((text) => {
      const seen = carried + text;
      if (seen.includes(CRASHED))
        fail('a PostgreSQL backend crashed, and all connections were reset', 'see logs/postgres.log');
      carried = seen.slice(-CRASHED.length);
    });
    void server.exited.then((exit) => {
      if (server.stopping) return;
      fail(
        `PostgreSQL ended unexpectedly: ${describeExit(exit)}`,
        exit.signal === 'SIGKILL' ? 'check whether the host ran out of memory' : 'see logs/postgres.log',
      );
    });
  });
}

/** A starting server and its time limits. */
interface Starting {
  readonly server: SupervisedProcess;
  /** Resolves when it logs that it is ready. */
  readonly ready: Promise<void>;
  readonly signal: AbortSignal;
  readonly limits: StartLimits;
}

/** Resolves when PostgreSQL answers. */
async function ask(endpoint: DatabaseEndpoint, starting: Starting): Promise<void> {
  const client = await connected(endpoint, starting);
  void client.end().catch(() => {});
}

/** Also makes the database and the extension that the probes read. */
async function makeDatabase(
  endpoint: DatabaseEndpoint,
  configuration: Readonly<Record<string, string>>,
  starting: Starting,
): Promise<void> {
  await execute({ ...endpoint, database: 'postgres' }, `create database ${DATABASE}`, starting);
  if (/\bpg_stat_statements\b/.test(configuration.shared_preload_libraries ?? ''))
    await execute(endpoint, 'create extension if not exists pg_stat_statements', starting);
}

async function execute(endpoint: DatabaseEndpoint, statement: string, starting: Starting): Promise<void> {
  const client = await connected(endpoint, starting);
  try {
    await client.query(statement);
  } catch (error) {
    const { server, limits } = starting;
    const happened = isLate(error)
      ? `PostgreSQL did not answer "${statement}" ${within(limits.answer)}`
      : `PostgreSQL refused "${statement}": ${messageOf(error)}`;
    throw postgresFailed(happened, server.tail(), error);
  } finally {
    // Not awaited, since a server that does not answer does not confirm the end either.
    void client.end().catch(() => {});
  }
}

async function connected(
  { host, port, user, password, database }: DatabaseEndpoint,
  { server, ready, signal, limits }: Starting,
): Promise<pg.Client> {
  let isReady = false;
  const becomesReady = ready.then(() => {
    isReady = true;
  });
  const until = performance.now() + limits.postgres;
  for (;;) {
    signal.throwIfAborted();
    const client = new pg.Client({
      ...{ host, port, user, password, database, ssl: false },
      ...{ connectionTimeoutMillis: limits.answer, query_timeout: limits.answer },
    });
    // The pending query reports a lost connection; without a listener the error would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      return client;
    } catch (error) {
      void client.end().catch(() => {});
      const failed = (what: string) => postgresFailed(`PostgreSQL ${what}`, server.tail(), error);
      if (isLate(error)) throw failed(`did not answer a connection ${within(limits.answer)}`);
      const code = codeOf(error);
      if (!NOT_YET.has(code)) throw failed(`does not answer: ${messageOf(error)}`);
      if (performance.now() > until)
        throw failed(`was not ready ${within(limits.postgres)}: ${messageOf(error)}`);
      if (code === '57P03' && !isReady) {
        await Promise.race([pause(POLL_STARTING_MS, signal), becomesReady]);
        continue;
      }
    }
    await pause(POLL_MS, signal);
  }
}

/** Whether the client's own time limit was exceeded. pg gives these errors no code. */
const isLate = (error: unknown): boolean =>
  error instanceof Error && /^(Query read timeout|timeout expired)$/.test(error.message);
