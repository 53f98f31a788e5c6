import pg from 'pg';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { unlessAborted } from '../supervision/time-limit.ts';

const ROWS = 20_000;
const BATCH = 1_000;
const ANSWER_LIMIT_MS = 30_000;

const TABLE = `
  create table score_rows (id int primary key, x real not null, y real not null, seq bigint not null);
  insert into score_rows select id, 0, 0, 0 from generate_series(1, ${ROWS}) as id;
  vacuum analyze score_rows`;
const UPDATE = `
  update score_rows as row set x = new.x, y = new.y, seq = row.seq + 1
  from unnest($1::int[], $2::real[], $3::real[]) as new(id, x, y) where row.id = new.id`;

/**
 * Rows per second that one connection updates in batches of 1,000, each committed to the disk before the next begins: the
 * time of PostgreSQL, of the disk and of the driver together.
 * @returns a value for each repetition
 */
export async function batchedUpdates(
  { host, port, user, password, database }: DatabaseEndpoint,
  repetitions: number,
  { warmUpMs, measureMs }: { readonly warmUpMs: number; readonly measureMs: number },
  signal: AbortSignal,
): Promise<readonly number[]> {
  const client = new pg.Client({
    ...{ host, port, user, password, database, ssl: false, application_name: 'capbench score' },
    ...{ connectionTimeoutMillis: ANSWER_LIMIT_MS, query_timeout: ANSWER_LIMIT_MS },
  });
  // The pending query reports a lost connection.
  client.on('error', () => undefined);
  const ask = <T>(doing: Promise<T>): Promise<T> => unlessAborted(doing, signal);
  let batches = 0;
  const update = async (): Promise<void> => {
    const first = (batches * BATCH) % ROWS;
    const ids = Array.from({ length: BATCH }, (_, i) => first + i + 1);
    batches += 1;
    const { rowCount } = await ask(
      client.query({ name: 'update', text: UPDATE, values: [ids, ids, ids.map(() => batches)] }),
    );
    if (rowCount !== BATCH) throw new Error(`an UPDATE of ${BATCH} rows changed ${rowCount}`);
  };
  const updateFor = async (milliseconds: number): Promise<number> => {
    const start = performance.now();
    const before = batches;
    do await update();
    while (performance.now() - start < milliseconds);
    return ((batches - before) * BATCH) / ((performance.now() - start) / 1e3);
  };
  try {
    await ask(client.connect());
    for (const statement of TABLE.split(';')) await ask(client.query(statement));
    await updateFor(warmUpMs);
    const values: number[] = [];
    for (let i = 0; i < repetitions; i++) values.push(await updateFor(measureMs));
    return values;
  } finally {
    void client.end().catch(() => undefined);
  }
}
