/**
 * The yardstick of the world server's row writes: one connection that sends the best statement known, again and
 * again, with as many rows as it is told. The rows change; there is no world, and nobody asks for anything.
 */
import pg from 'pg';
import { random } from '../../src/rng.ts';
import { sequenceHash } from '../../src/sequence-hash.ts';
import { PgInt4Array, PgInt8Array } from '../../src/systems/flux/pg-array.ts';

const [entities = 0, batchRows = 0, warmUpSeconds = 0, seconds = 0] = process.argv.slice(2).map(Number);

const TABLE = `
  create table if not exists bench_entity (id int primary key, place int not null, damage int not null,
    last_seq int not null, applied_n int not null, seq_sum bigint not null, seq_hash bigint not null) with (fillfactor = 30,
    autovacuum_vacuum_threshold = 100000, autovacuum_vacuum_scale_factor = 2,
    autovacuum_analyze_threshold = 100000, autovacuum_analyze_scale_factor = 10)`;
const FILL = `
  insert into bench_entity select id, 0, 0, 0, 0, 0, 0 from generate_series(0, $1::int - 1) as id
  on conflict (id) do nothing`;
const SESSION = `
  set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan`;
const UPDATE = `
  update bench_entity as e
     set place = u.place, damage = u.damage, last_seq = greatest(e.last_seq, u.last_seq),
         applied_n = e.applied_n + u.recorded, seq_sum = e.seq_sum + u.seq_sum,
         seq_hash = e.seq_hash + u.seq_hash
    from (select unnest($1::int4[]) as id, unnest($2::int4[]) as place, unnest($3::int4[]) as damage,
                 unnest($4::int4[]) as last_seq, unnest($5::int4[]) as recorded,
                 unnest($6::int8[]) as seq_sum, unnest($7::int8[]) as seq_hash) as u
   where e.id = u.id`;

/** Distinct ids in ascending order, anew for each batch: one from each stretch of the table. */
const next = random(1);
const columns = [0, 1, 2, 3, 4].map(() => new PgInt4Array(batchRows));
const [sums, hashes] = [new PgInt8Array(batchRows), new PgInt8Array(batchRows)];
let seq = 0;
function batch(): Buffer[] {
  const [ids, places, damages, lastSeqs, recorded] = columns;
  for (const column of columns) column.reset();
  sums.reset();
  hashes.reset();
  seq += 1;
  for (let i = 0; i < batchRows; i++) {
    ids!.push(Math.floor(((i + next()) * entities) / batchRows));
    places!.push(seq);
    damages!.push(0);
    lastSeqs!.push(seq);
    recorded!.push(1);
    sums.push(seq);
    hashes.push(sequenceHash(seq));
  }
  return [...columns.map((column) => column.bytes()), sums.bytes(), hashes.bytes()];
}

process.on('disconnect', () => process.exit(0));
const { DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME } = process.env;
const client = new pg.Client({
  host: DB_SOCKET_PATH,
  port: Number(DB_PORT),
  user: DB_USER,
  password: DB_PASSWORD,
  database: DB_NAME,
});
await client.connect();
await client.query(TABLE);
await client.query(FILL, [entities]);
await client.query('analyze bench_entity');
await client.query(SESSION);

async function flushFor(span: number): Promise<{ rowsPerSecond: number }> {
  const start = performance.now();
  let rows = 0;
  while (performance.now() < start + span * 1e3) {
    const { rowCount } = await client.query({ name: 'bare', text: UPDATE, values: batch() });
    rows += rowCount ?? 0;
  }
  return { rowsPerSecond: (rows * 1e3) / (performance.now() - start) };
}

await flushFor(warmUpSeconds);
const report = await flushFor(seconds);
await client.end();
process.send?.(report, () => process.exit(0));
