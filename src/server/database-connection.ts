import pg from 'pg';
import { messageOf, stackFailed } from '../errors.ts';
import { type BackoffPlan, openBackoff } from './backoff.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** cannot_connect_now. A PostgreSQL that starts up forks a process for each attempt, so it is retried less often. */
const STARTING_UP = '57P03';
const RETRY_WHILE_STARTING_MS = 100;
/** How long the first connection may take where reconnecting has no limit. */
const FIRST_SECONDS = 30;

/** Where PostgreSQL is. */
export interface DatabaseAccess {
  /** A host name, or the folder of a UNIX socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The database's. */
  readonly name: string;
}

export interface ConnectionPlan {
  readonly database: DatabaseAccess;
  /** As in pg_stat_activity. */
  readonly application: string;
  /** How long a lost connection may take to be reopened; 0: not at all, null: as long as it takes. */
  readonly reconnectSeconds: number | null;
  /** Between two attempts to reconnect. */
  readonly backoff: BackoffPlan;
  /** Settings and locks of a new session; it counts as open once this resolves. */
  prepare?(client: pg.Client, isFirst: boolean): Promise<void>;
}

/** Error codes of a connection that failed, or of a PostgreSQL that is stopping or starting. */
const FAILURE_CODES: ReadonlySet<unknown> = new Set([
  ...['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
  ...['57P01', '57P02', '57P03', '53300'],
]);
/** pg throws these errors without a code. */
const FAILURE_MESSAGES = /^(Connection terminated|timeout expired|Client has encountered a connection error)/;

export const isConnectionFailure = (error: unknown): boolean =>
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
 * One connection of a server to PostgreSQL. If the plan allows it, a lost connection is reopened. Where `prepare` takes a
 * lock that a session holds, an open connection means that the earlier session has ended, and nothing of it can commit
 * any more.
 */
export class DatabaseConnection {
  readonly #plan: ConnectionPlan;
  readonly #watcher: ConnectionWatcher;
  #client: pg.Client;
  #restoring: Promise<void> | null = null;
  #closed = false;

  private constructor(plan: ConnectionPlan, watcher: ConnectionWatcher, client: pg.Client) {
    this.#plan = plan;
    this.#watcher = watcher;
    this.#client = client;
    this.#watchClient(client);
  }

  /** @throws CapbenchError (93) when PostgreSQL cannot be reached, and what `prepare` throws */
  static async open(plan: ConnectionPlan, watcher: ConnectionWatcher): Promise<DatabaseConnection> {
    const until = performance.now() + (plan.reconnectSeconds ?? FIRST_SECONDS) * 1e3;
    for (;;) {
      try {
        return new DatabaseConnection(plan, watcher, await connected(plan, true));
      } catch (error) {
        if (!isConnectionFailure(error) || performance.now() >= until) throw explained(plan.database, error);
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
        if (!isConnectionFailure(error) || this.#plan.reconnectSeconds === 0 || this.#closed) throw error;
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
    if (this.#plan.reconnectSeconds === 0) {
      this.#closed = true;
      this.#watcher.fatal(`the connection to PostgreSQL ended: ${why}`);
      return;
    }
    this.#watcher.disconnected(why);
    this.#restoring = this.#restore(client);
  }

  async #restore(lost: pg.Client): Promise<void> {
    const { reconnectSeconds } = this.#plan;
    const backoff = openBackoff(this.#plan.backoff);
    const since = performance.now();
    let last = 'no answer';
    const giveUp = (): void =>
      this.#watcher.fatal(`PostgreSQL could not be reached again within ${reconnectSeconds} s: ${last}`);
    // This also covers a PostgreSQL that accepts the connection and never answers.
    const tooLate = reconnectSeconds === null ? undefined : setTimeout(giveUp, reconnectSeconds * 1e3);
    void lost.end().catch(() => undefined);
    while (!this.#closed) {
      try {
        this.#client = await connected(this.#plan, false);
        break;
      } catch (error) {
        last = messageOf(error);
        const isStarting = error instanceof Error && 'code' in error && error.code === STARTING_UP;
        await pause(Math.max(backoff.next(), isStarting ? RETRY_WHILE_STARTING_MS : 0));
      }
    }
    clearTimeout(tooLate);
    this.#restoring = null;
    if (this.#closed) {
      void this.#client.end().catch(() => undefined);
      return;
    }
    this.#watchClient(this.#client);
    this.#watcher.reconnected(performance.now() - since);
  }
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

async function connected(
  { database, application, prepare }: ConnectionPlan,
  isFirst: boolean,
): Promise<pg.Client> {
  const { name, ...access } = database;
  const client = new pg.Client({
    ...access,
    database: name,
    application_name: application,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // The pending query rejects as well; without a listener the event would be thrown.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await prepare?.(client, isFirst);
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

function explained(database: DatabaseAccess, error: unknown): unknown {
  if (error instanceof Error && 'exitCode' in error) return error;
  return stackFailed(
    `cannot connect to database "${database.name}" of PostgreSQL at ${database.host}, port ${database.port}, as "${database.user}": ${messageOf(error)}`,
    'Check that it runs, and that DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME are right.',
    error,
  );
}
