import pg from 'pg';
import type { Attached, DatabaseEndpoint } from '../stack/stack.ts';
import { settlesWithin } from '../supervision/time-limit.ts';
import { AttachedSocket } from './attached-socket.ts';

const ends = new WeakMap<pg.Client, Error>();

/**
 * What ended one of the connections while nobody waited for its answer: PostgreSQL's own last word, where the next query
 * is only told by the driver that it comes too late.
 */
export const endAmong = (clients: readonly pg.Client[]): Error | undefined =>
  clients.map((client) => ends.get(client)).find((end) => end !== undefined);

/** A client that is not connected yet. Where its connection is lost, whoever waits for an answer is told. */
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
  // One that is lost while it is idle has nobody to tell: without a listener that would be an error of the process.
  client.on('error', (error) => {
    if (!ends.has(client)) ends.set(client, error);
  });
  return client;
}

/** How long a server may take to agree to the end of a connection. */
const GOODBYE_MS = 1_000;

/** Ends the connection; one to a server that stands still is given up. Never rejects. */
export async function closeClient(client: pg.Client): Promise<void> {
  await settlesWithin(client.end(), GOODBYE_MS);
}

/** In which a PostgreSQL that is there answers its first question. */
const FIRST_ANSWER_MS = 5000;

/**
 * Connects. Somebody else's PostgreSQL has to say itself that nothing can be written over this connection: a pooler
 * (PgBouncer with `ignore_startup_parameters = options`) drops that it was asked for. It is not set afterwards: behind a
 * pooler the session is not ours alone, and the game's own writes would fail.
 * @throws UnprotectedSession where it does not; what `pg` throws
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
    super('the session is not read-only, although that was asked for');
  }
}

/** Somebody else's: nothing can be written over this connection, and it goes where its name was resolved to. */
const readOnly = ({ connectionString, address }: Attached): pg.ClientConfig => ({
  connectionString,
  application_name: 'capbench',
  options: '-c default_transaction_read_only=on',
  stream: () => new AttachedSocket(address),
});

/** A second for PostgreSQL to answer its own statistics; longer is a gap. */
const TIMEOUT_MS = 900;

/** A probe's one connection: one that is lost is opened again when it is asked for next. */
export class ReconnectingClient {
  private readonly database: DatabaseEndpoint;
  private client: pg.Client | null = null;

  constructor(database: DatabaseEndpoint) {
    this.database = database;
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
