import type pg from 'pg';
import { monotonic } from '../../clock.ts';
import type { CeilingFacts } from '../../measurement/measurements.ts';
import { clientOf, closeClient, endAmong } from '../../probe/postgres-client.ts';
import { random } from '../../rng.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { sequenceHash } from '../../sequence-hash.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { PgInt4Array, PgInt8Array } from './pg-array.ts';
import { fluxWorld } from './scenario.ts';

const STATEMENT_TIMEOUT_MS = 30_000;

/** Scratch tables with the shape of the world's rows, which are not touched. */
const TABLES = `
  drop table if exists capbench_ceiling, capbench_ceiling_insert;
  create table capbench_ceiling (id int primary key, place int not null, damage int not null,
    last_seq int not null, applied_n int not null, seq_sum bigint not null, seq_hash bigint not null) with (fillfactor = 30);
  create table capbench_ceiling_insert (like capbench_ceiling);
`;
const FILL = `insert into capbench_ceiling select id, 0, 0, 0, 0, 0, 0 from generate_series(0, $1::int - 1) id`;

const INSERT = `
  insert into capbench_ceiling_insert
  select unnest($1::int4[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::int4[]), 1, unnest($5::int8[]),
         unnest($6::int8[])`;

const UPDATE_ONE = `
  update capbench_ceiling
     set place = $2, damage = $3, last_seq = greatest(last_seq, $4), applied_n = applied_n + 1, seq_sum = seq_sum + $5,
         seq_hash = seq_hash + $6
   where id = $1`;

/** Forces nested loops over the primary key: the planner would hash the whole table for every batch. */
const PLAN = `set enable_hashjoin = off; set enable_mergejoin = off`;
const UPDATE_BATCH = `
  update capbench_ceiling c
     set place = u.place, damage = u.damage, last_seq = greatest(c.last_seq, u.last_seq),
         applied_n = c.applied_n + 1, seq_sum = c.seq_sum + u.seq_sum,
         seq_hash = c.seq_hash + u.seq_hash
    from (select unnest($1::int4[]) as id, unnest($2::int4[]) as place, unnest($3::int4[]) as damage,
                 unnest($4::int4[]) as last_seq, unnest($5::int8[]) as seq_sum,
                 unnest($6::int8[]) as seq_hash) u
   where c.id = u.id`;

/** Reusable parameters of one connection: sorted ids of its own contiguous range, so that connections do not wait for each other's row locks. */
function batchOf(rows: number, from: number, to: number, seed: number): () => Buffer[] {
  const next = random(seed);
  const columns = [0, 1, 2, 3].map(() => new PgInt4Array(rows));
  const [sums, hashes] = [new PgInt8Array(rows), new PgInt8Array(rows)];
  const stride = (to - from) / rows;
  let seq = 0;
  return () => {
    seq += 1;
    for (const column of columns) column.reset();
    sums.reset();
    hashes.reset();
    for (let i = 0; i < rows; i++) {
      // One id from each interval of the range, so the ids are distinct and already sorted.
      columns[0]!.push(from + Math.floor((i + next()) * stride));
      columns[1]!.push(seq);
      columns[2]!.push(0);
      columns[3]!.push(seq);
      sums.push(seq);
      hashes.push(sequenceHash(seq));
    }
    return [...columns.map((column) => column.bytes()), sums.bytes(), hashes.bytes()];
  };
}

/** Rows a second over all connections, each running one statement after another (a closed loop). */
async function rate(
  seconds: number,
  clients: readonly pg.Client[],
  step: (client: pg.Client, index: number) => Promise<number>,
  signal: AbortSignal,
): Promise<number> {
  const start = monotonic();
  const end = start + seconds * 1e6;
  let rows = 0;
  await Promise.all(
    clients.map(async (client, index) => {
      while (monotonic() < end && !signal.aborted) rows += await step(client, index);
    }),
  );
  return (rows * 1e6) / (monotonic() - start);
}

/**
 * Measures the database before the load: batched INSERTs, single UPDATEs and batched UPDATEs, each durable, over as many
 * connections as there are world servers. Null when the scenario skips them, or when aborted.
 */
export async function measureCeilings(
  database: DatabaseEndpoint,
  scenario: Scenario,
  signal: AbortSignal,
): Promise<CeilingFacts | null> {
  const { secondsEach, rows } = scenario.ceilings;
  const { servers: connections, batch } = fluxWorld(scenario);
  if (secondsEach === 0) return null;
  const clients = Array.from({ length: connections }, () => clientOf(database, STATEMENT_TIMEOUT_MS));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const [first] = clients;
    if (first === undefined) return null;
    await first.query(TABLES);
    await first.query(FILL, [rows]);
    await first.query('vacuum analyze capbench_ceiling');
    await Promise.all(clients.map((client) => client.query(PLAN)));

    const share = Math.floor(rows / connections);
    const size = Math.min(batch.operations, share);
    const batches = clients.map((_, index) => batchOf(size, index * share, (index + 1) * share, index));
    const picks = clients.map((_, index) => random(index, connections));

    const batched =
      (name: string, text: string) =>
      async (client: pg.Client, index: number): Promise<number> =>
        (await client.query({ name, text, values: batches[index]!() })).rowCount ?? 0;
    const single = async (client: pg.Client, index: number): Promise<number> => {
      const id = index * share + Math.floor(picks[index]!() * share);
      return (
        (await client.query({ name: 'one', text: UPDATE_ONE, values: [id, 1, 0, 1, 1, 1] })).rowCount ?? 0
      );
    };

    const rates = {
      insertsPerSecond: await rate(secondsEach, clients, batched('insert', INSERT), signal),
      updatesPerSecondSingle: await rate(secondsEach, clients, single, signal),
      updatesPerSecondBatched: await rate(secondsEach, clients, batched('update', UPDATE_BATCH), signal),
    };
    if (signal.aborted) return null;
    return {
      ...rates,
      batchRows: size,
      connections,
      statement:
        'UPDATE .. FROM (select unnest(..)) prepared, binary arrays, ids sorted, a contiguous range per connection, nested loops; every batch its own durable transaction',
    };
  } catch (error) {
    throw endAmong(clients) ?? error;
  } finally {
    await clients[0]
      ?.query('drop table if exists capbench_ceiling, capbench_ceiling_insert')
      .catch(() => undefined);
    await Promise.all(clients.map(closeClient));
  }
}
