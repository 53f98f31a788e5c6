import pg from 'pg';
import { messageOf, stackFailed } from '../../../errors.ts';
import type { WorldConfig } from './config.ts';
import { lockInstance } from './table.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const AGAIN_MS = 20;
/** A PostgreSQL that is starting up answers with a process for each question: it is asked less often. */
const STARTING_UP = '57P03';
const AGAIN_WHILE_STARTING_MS = 100;
/** How long a server that starts waits for the session of a predecessor that was killed. */
const PREDECESSOR_MS = 2_000;

/**
 * The planner would hash-join, and so scan the whole table for every batch; what is left to it is a nested loop
 * over the primary key. The plan does not depend on the parameters: it is made once. Durability is the server's
 * setting (synchronous_commit, on unless the scenario says otherwise), so that what the report shows is what runs.
 */
const SESSION = `
  set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan`;

/** What nobody, or a PostgreSQL that ends or starts, says. */
const AWAY: ReadonlySet<unknown> = new Set([
  ...['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
  ...['57P01', '57P02', '57P03', '53300'],
]);
/** pg gives these errors no code. */
const AWAY_WORDS = /^(Connection terminated|timeout expired|Client has encountered a connection error)/;

const isAway = (error: unknown): boolean =>
  error instanceof Error && (('code' in error && AWAY.has(error.code)) || AWAY_WORDS.test(error.message));

/** The connection was lost: whether what was asked last was done is not known. */
export class LinkLost extends Error {}

export interface LinkWatch {
  /** The connection ended and is not made again, or could not be. Called once. */
  fatal(why: string): void;
  away(why: string): void;
  back(millis: number): void;
}

/**
 * The one connection of a world server to PostgreSQL, and with it the instance's lock. Where the configuration
 * allows it, a connection that is lost is made again. It counts as made once the lock is had: by then the session
 * before it is gone, with whatever it was still doing, and nothing of it can commit any more.
 */
export class Link {
  readonly #config: WorldConfig;
  readonly #watch: LinkWatch;
  #client: pg.Client;
  #restoring: Promise<void> | null = null;
  #closed = false;

  private constructor(config: WorldConfig, watch: LinkWatch, client: pg.Client) {
    this.#config = config;
    this.#watch = watch;
    this.#client = client;
    this.#attend(client);
  }

  /** @throws CapbenchError (93) when PostgreSQL cannot be reached, or the instance runs already. */
  static async open(config: WorldConfig, watch: LinkWatch): Promise<Link> {
    const until = performance.now() + config.reconnectSeconds * 1e3;
    for (;;) {
      try {
        return new Link(config, watch, await connected(config, PREDECESSOR_MS));
      } catch (error) {
        if (!isAway(error) || performance.now() >= until) throw explained(config.database, error);
      }
      await pause(AGAIN_WHILE_STARTING_MS);
    }
  }

  /** True from the loss of the connection until it is made again. */
  get isAway(): boolean {
    return this.#restoring !== null;
  }

  /**
   * For what is done before there is anything to lose, and may be done twice: where the connection is lost meanwhile, it
   * is done again over the next one.
   */
  async done(work: (client: pg.Client) => Promise<void>): Promise<void> {
    for (;;) {
      const client = this.#client;
      try {
        return await work(client);
      } catch (error) {
        if (!isAway(error) || this.#config.reconnectSeconds === 0) throw error;
        this.#lost(client, messageOf(error));
      }
      await this.restored();
    }
  }

  /** @throws LinkLost; whatever else PostgreSQL objects to comes as it is. */
  async query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    if (this.#restoring !== null) throw new LinkLost('it is away');
    const client = this.#client;
    try {
      return await client.query<Row>(query);
    } catch (error) {
      if (!isAway(error)) throw error;
      this.#lost(client, messageOf(error));
      throw new LinkLost(messageOf(error));
    }
  }

  /** Resolves when the connection is there; never when it was given up, which is fatal. */
  async restored(): Promise<void> {
    await this.#restoring;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.end();
  }

  #attend(client: pg.Client): void {
    client.on('error', (error) => this.#lost(client, messageOf(error)));
    client.on('end', () => this.#lost(client, 'it was closed'));
  }

  #lost(client: pg.Client, why: string): void {
    if (this.#closed || client !== this.#client || this.#restoring !== null) return;
    if (this.#config.reconnectSeconds === 0) {
      this.#closed = true;
      this.#watch.fatal(`the connection to PostgreSQL ended: ${why}`);
      return;
    }
    this.#watch.away(why);
    this.#restoring = this.#restore(client);
  }

  async #restore(lost: pg.Client): Promise<void> {
    const { reconnectSeconds } = this.#config;
    const since = performance.now();
    let last = 'it does not answer';
    // Also where PostgreSQL takes the connection and then says nothing.
    const tooLate = setTimeout(
      () => this.#watch.fatal(`PostgreSQL did not come back within ${reconnectSeconds} s: ${last}`),
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
        await pause(starting ? AGAIN_WHILE_STARTING_MS : AGAIN_MS);
      }
    }
    clearTimeout(tooLate);
    this.#restoring = null;
    this.#attend(this.#client);
    this.#watch.back(performance.now() - since);
  }
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** A connection that holds the instance's lock, which is waited for so long. */
async function connected({ database, instance }: WorldConfig, lockMillis: number): Promise<pg.Client> {
  const { name, ...access } = database;
  const client = new pg.Client({
    ...access,
    database: name,
    application_name: `capbench-world-${instance}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Whoever waits for its answer is told.
  const deaf = (): void => undefined;
  client.on('error', deaf);
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
    `PostgreSQL at ${database.host}, port ${database.port}, does not let "${database.user}" into "${database.name}": ${messageOf(error)}`,
    'Is it running, and are DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME right?',
    error,
  );
}
