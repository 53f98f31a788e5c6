import pg from 'pg';
import type { Attached, DatabaseEndpoint } from '../stack/stack.ts';
import { settlesWithin } from '../supervision/time-limit.ts';
import { AttachedSocket } from './attached-socket.ts';

const ends = new WeakMap<pg.Client, Error>();

/**
 * The error that ended one of the connections while it was idle. It has PostgreSQL's own message, where the next query
 * only gets the driver's error that the connection is closed.
 */
export const endAmong = (clients: readonly pg.Client[]): Error | undefined =>
  clients.map((client) => ends.get(client)).find((end) => end !== undefined);

/** A client that is not connected yet. A lost connection rejects the pending query. */
export function clientOf(database: DatabaseEndpoint, statementTimeoutMs: number): pg.Client {
  const client = new pg.Client({
    ...(database.attached === undefined
      ? {
          host: database.host,
          port: database.port,
          user: database.user,
          password: database.password,
          database: database.database,
          application_name: 'capbench-probe',
        }
      : readOnly(database.attached)),
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs,
    connectionTimeoutMillis: 5000,
  });
  // Without a listener the loss of an idle connection would be an uncaught error.
  client.on('error', (error) => {
    if (!ends.has(client)) ends.set(client, error);
  });
  return client;
}

/** How long a server may take to confirm the end of a connection. */
const END_LIMIT_MS = 1_000;

/** Ends the connection, or abandons it if the server does not confirm. Never rejects. */
export async function closeClient(client: pg.Client): Promise<void> {
  await settlesWithin(client.end(), END_LIMIT_MS);
}

/** The time limit of the first query. */
const FIRST_ANSWER_MS = 5000;

/**
 * Connects. A target's PostgreSQL has to confirm that the session is read-only, since a pooler may drop the startup
 * option that requests it (PgBouncer with `ignore_startup_parameters = options`). The session is not set to read-only
 * afterwards: a pooler shares sessions, and the game's own writes would fail.
 * @throws UnprotectedSession where the session is not read-only; errors of `pg`
 */
export async function connectClient(client: pg.Client, { attached }: DatabaseEndpoint): Promise<void> {
  await client.connect();
  if (attached === undefined) return;
  const question: pg.QueryConfig & { query_timeout: number } = {
    text: 'show transaction_read_only',
    query_timeout: FIRST_ANSWER_MS,
  };
  const { rows } = await client.query(question).catch((error) => {
    void client.end().catch(() => undefined);
    throw error;
  });
  if (rows[0]?.transaction_read_only === 'on') return;
  await client.end().catch(() => undefined);
  throw new UnprotectedSession();
}

/** A session over which a target's database could be written. */
export class UnprotectedSession extends Error {
  override readonly name = 'UnprotectedSession';

  constructor() {
    super('the session is not read-only, although that was requested');
  }
}

/** A read-only connection to the resolved address of a target's PostgreSQL. */
const readOnly = ({ connectionString, address }: Attached): pg.ClientConfig => ({
  connectionString,
  application_name: 'capbench',
  options: '-c default_transaction_read_only=on',
  stream: () => new AttachedSocket(address),
});

/** Within the second of one reading; a later answer is a gap. */
const TIMEOUT_MS = 900;

/** A probe's only connection, which is reopened on the next use after a loss. */
export class ReconnectingClient {
  private readonly database: DatabaseEndpoint;
  private client: pg.Client | null = null;

  constructor(database: DatabaseEndpoint) {
    this.database = database;
  }

  /** The connection, where there is one. */
  get open(): pg.Client | null {
    return this.client;
  }

  async connected(): Promise<pg.Client> {
    if (this.client !== null) return this.client;
    const fresh = clientOf(this.database, TIMEOUT_MS);
    const forget = (): void => {
      if (this.client === fresh) this.client = null;
    };
    fresh.on('error', forget);
    fresh.on('end', forget);
    await connectClient(fresh, this.database);
    this.client = fresh;
    return fresh;
  }

  async close(): Promise<void> {
    if (this.client !== null) await closeClient(this.client);
  }
}
