import pg from 'pg';
import type { DatabaseEndpoint } from '../../src/stack/stack.ts';

/** A connection of the test; losing it does not fail the test. */
export async function connectTo(endpoint: DatabaseEndpoint | null): Promise<pg.Client> {
  if (endpoint === null) throw new Error('no database');
  const { host, port, user, password, database } = endpoint;
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** The rows of one statement, over a new connection. */
export async function query(endpoint: DatabaseEndpoint | null, sql: string, values: unknown[] = []) {
  const client = await connectTo(endpoint);
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
