import pg from 'pg';
import { messageOf, stackFailed } from '../../../errors.ts';
import type { WorldConfig } from './config.ts';
import { lockInstance } from './table.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 20;
/** cannot_connect_now. A PostgreSQL that starts up forks a process for each attempt, so it is retried less often. */
const STARTING_UP = '57P03';
const RETRY_WHILE_STARTING_MS = 100;
/** How long a starting server waits until the session of its killed predecessor ends. */
const PREDECESSOR_MS = 2_000;

/**
 * The planner would choose a hash join, which scans the whole table for every batch; without it, a nested loop over the
 * primary key is left. A generic plan is made once, since it does not depend on the parameters. Durability is left to
 * PostgreSQL's own setting (synchronous_commit, on unless the scenario sets it), so that the report shows what runs.
 */
const SESSION = `
  set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan`;

/** Error codes of a connection that failed, or of a PostgreSQL that is stopping or starting. */
const FAILURE_CODES: ReadonlySet<unknown> = new Set([
  ...['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
  ...['57P01', '57P02', '57P03', '53300'],
]);
/** pg throws these errors without a code. */
const FAILURE_MESSAGES = /^(Connection terminated|timeout expired|Client has encountered a connection error)/;

const isConnectionFailure = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && FAILURE_CODES.has(error.code)) || FAILURE_MESSAGES.test(error.message));

/** The connection was lost: it is not known whether the last statement was executed. */
export class ConnectionLost extends Error {}

export interface ConnectionWatcher {
  /** The connection was lost for good. Called once. */
  fatal(why: string): void;
  disconnected(why: string): void;
  reconnected(millis: number): void;
}

/**
 * The one connection of a world server to PostgreSQL, which holds the instance's advisory lock. If the configuration allows
 * it, a lost connection is reopened. It counts as open once it holds the lock: then the earlier session has ended, and
 * nothing of it can commit any more.
 */
export class DatabaseConnection {
  readonly #config: WorldConfig;
  readonly #watcher: ConnectionWatcher;
  #client: pg.Client;
  #restoring: Promise<void> | null = null;
  #closed = false;

  private constructor(config: WorldConfig, watcher: ConnectionWatcher, client: pg.Client) {
    this.#config = config;
    this.#watcher = watcher;
    this.#client = client;
    this.#watchClient(client);
  }

  /** @throws CapbenchError (93) when PostgreSQL cannot be reached, or the instance already runs */
  static async open(config: WorldConfig, watcher: ConnectionWatcher): Promise<DatabaseConnection> {
    const until = performance.now() + config.reconnectSeconds * 1e3;
    for (;;) {
      try {
        return new DatabaseConnection(config, watcher, await connected(config, PREDECESSOR_MS));
      } catch (error) {
        if (!isConnectionFailure(error) || performance.now() >= until)
          throw explained(config.database, error);
      }
      await pause(RETRY_WHILE_STARTING_MS);
    }
  }

  /** True from the loss of the connection until it is open again. */
  get isDisconnected(): boolean {
    return this.#restoring !== null;
  }

  /** Runs idempotent work; if the connection is lost meanwhile, runs it again over the next connection. */
  async runIdempotent(work: (client: pg.Client) => Promise<void>): Promise<void> {
    for (;;) {
      const client = this.#client;
      try {
        return await work(client);
      } catch (error) {
        if (!isConnectionFailure(error) || this.#config.reconnectSeconds === 0) throw error;
        this.#lost(client, messageOf(error));
      }
      await this.restored();
    }
  }

  /** @throws ConnectionLost when the connection fails; any other error of PostgreSQL as it is */
  async query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    if (this.#restoring !== null) throw new ConnectionLost('not connected');
    const client = this.#client;
    try {
      return await client.query<Row>(query);
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      this.#lost(client, messageOf(error));
      throw new ConnectionLost(messageOf(error));
    }
  }

  /** Resolves when the connection is open; never when it could not be reopened, which is fatal. */
  async restored(): Promise<void> {
    await this.#restoring;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.end();
  }

  #watchClient(client: pg.Client): void {
    client.on('error', (error) => this.#lost(client, messageOf(error)));
    client.on('end', () => this.#lost(client, 'the connection was closed'));
  }

  #lost(client: pg.Client, why: string): void {
    if (this.#closed || client !== this.#client || this.#restoring !== null) return;
    if (this.#config.reconnectSeconds === 0) {
      this.#closed = true;
      this.#watcher.fatal(`the connection to PostgreSQL ended: ${why}`);
      return;
    }
    this.#watcher.disconnected(why);
    this.#restoring = this.#restore(client);
  }

  async #restore(lost: pg.Client): Promise<void> {
    const { reconnectSeconds } = this.#config;
    const since = performance.now();
    let last = 'no answer';
    // This also covers a PostgreSQL that accepts the connection and never answers.
    const tooLate = setTimeout(
      () =>
        this.#watcher.fatal(`PostgreSQL could not be reached again within ${reconnectSeconds} s: ${last}`),
      reconnectSeconds * 1e3,
    );
    void lost.end().catch(() => undefined);
    for (;;) {
      try {
        this.#client = await connected(this.#config, reconnectSeconds * 1e3);
        break;
      } catch (error) {
        last = messageOf(error);
        const starting = error instanceof Error && 'code' in error && error.code === STARTING_UP;
        await pause(starting ? RETRY_WHILE_STARTING_MS : RETRY_MS);
      }
    }
    clearTimeout(tooLate);
    this.#restoring = null;
    this.#watchClient(this.#client);
    this.#watcher.reconnected(performance.now() - since);
  }
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** Opens a connection and takes the instance's lock, waiting for it for `lockMillis`. */
async function connected({ database, instance }: WorldConfig, lockMillis: number): Promise<pg.Client> {
  const { name, ...access } = database;
  const client = new pg.Client({
    ...access,
    database: name,
    application_name: `capbench-world-${instance}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // The pending query rejects as well; without a listener the event would be thrown.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(SESSION);
    await lockInstance(client, instance, lockMillis);
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

function explained(database: WorldConfig['database'], error: unknown): unknown {
  if (error instanceof Error && 'exitCode' in error) return error;
  return stackFailed(
    `cannot connect to database "${database.name}" of PostgreSQL at ${database.host}, port ${database.port}, as "${database.user}": ${messageOf(error)}`,
    'Check that it runs, and that DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME are right.',
    error,
  );
}
