import type pg from 'pg';
import { stackFailed } from '../../../errors.ts';
import type { WorldConfig } from './config.ts';
import type { Entities } from './entities.ts';
import type { RowShape } from './row-shape.ts';

/** Advisory locks of the world: (this, 0) while the table is created, (this, instance) while that instance runs. */
const LOCK_CLASS = 0xca9b;
const LOCK_PAUSE_MS = 20;
const INSERT_ROWS = 2_000;

/**
 * Ensures one writer per entity: a second server of the same instance would write the same rows. Waits for `millis`, since
 * the session of a killed predecessor ends a moment later than its process.
 */
export async function lockInstance(client: pg.Client, instance: number, millis: number): Promise<void> {
  const until = performance.now() + millis;
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1::int, $2::int) as locked',
      [LOCK_CLASS, instance],
    );
    if (rows[0]?.locked === true) return;
    if (performance.now() > until) break;
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
  throw stackFailed(
    `a world server with INSTANCE_ID ${instance} already runs on this database`,
    'Stop it, or give this one another INSTANCE_ID.',
  );
}

/** Creates the table, or checks that the existing one belongs to this world. */
export async function openTable(client: pg.Client, config: WorldConfig, shape: RowShape): Promise<void> {
  const world = nameOf(config);
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1::int, 0)', [LOCK_CLASS]);
  const { rows } = await client.query<{ there: boolean; world: string | null }>(
    "select to_regclass('entity') is not null as there, obj_description(to_regclass('entity'), 'pg_class') as world",
  );
  if (rows[0]?.there === true) {
    await client.query('commit');
    if (rows[0].world === world) return;
    throw stackFailed(
      `the table "entity" of the database "${config.database.name}" belongs to another world: it is "${rows[0].world ?? 'not made by a flux world server'}", and this server is configured for "${world}"`,
      'Use another database, or drop the table.',
    );
  }
  await client.query(`
    create table if not exists entity (
      id int primary key, ${shape.definitions},
      last_seq int not null, applied_n int not null, seq_sum bigint not null, seq_hash bigint not null
    ) with (
      fillfactor = ${shape.fillfactor},
      -- The next update of a page removes the dead rows of HOT updates, so vacuum has little to do.
      autovacuum_vacuum_threshold = 100000, autovacuum_vacuum_scale_factor = 2,
      autovacuum_analyze_threshold = 100000, autovacuum_analyze_scale_factor = 10
    )`);
  await client.query(`comment on table entity is '${world}'`);
  await client.query('commit');
}

/** The table's comment: everything that the meaning of its rows depends on. */
const nameOf = (c: WorldConfig): string =>
  `flux world 2: ${c.players} players, ${c.monsters} monsters, ${c.instances} instances, ${c.playersPerPlace} players per place, ${c.rowShape}`;

/** Loads the entities from their rows; missing rows are inserted first. */
export async function loadEntities(client: pg.Client, entities: Entities, shape: RowShape): Promise<void> {
  if ((await restore(client, entities, shape)) === entities.count) return;
  await insertAll(client, entities, shape);
  await client.query('analyze entity');
  const restored = await restore(client, entities, shape);
  if (restored === entities.count) return;
  throw stackFailed(
    `the table "entity" holds ${restored} of the ${entities.count} entities of this server after they were inserted`,
    'Another process writes to this database: use another one.',
  );
}

async function restore(client: pg.Client, entities: Entities, shape: RowShape): Promise<number> {
  const { players, monsters, places, placeOffset } = entities.partition;
  const { rows } = await client.query<{ id: number; place: number; damage: number; last_seq: number }>(
    `select id, ${shape.selected}, last_seq from entity
      where id >= $1 and id < $2 or id >= $3 and id < $4`,
    [players.from, players.to, monsters.from, monsters.to],
  );
  for (const { id, place, damage, last_seq } of rows) {
    const local = place - placeOffset;
    if (!(local >= 0 && local < places)) {
      throw stackFailed(
        `the row of entity ${id} has place ${place}, expected one of this server's (${placeOffset} to ${placeOffset + places - 1})`,
        'Another process has changed the rows: use another database, or drop the table.',
      );
    }
    entities.restore(entities.indexOf(id), local, damage, last_seq);
  }
  return rows.length;
}

async function insertAll(client: pg.Client, entities: Entities, shape: RowShape): Promise<void> {
  const text = `
    insert into entity (id, ${shape.names}, last_seq, applied_n, seq_sum, seq_hash)
    select u.*, 0, 0, 0, 0 from (select unnest($1::int4[]) as id, ${shape.unnested}) as u
    on conflict (id) do nothing`;
  await client.query('begin');
  for (let from = 0; from < entities.count; from += INSERT_ROWS) {
    const to = Math.min(from + INSERT_ROWS, entities.count);
    const ids: number[] = [];
    shape.reset();
    for (let index = from; index < to; index++) {
      const id = entities.idOf(index);
      ids.push(id);
      shape.push(id, entities.startOf(index) + entities.partition.placeOffset, 0);
    }
    await client.query({ name: 'flux_insert', text, values: [ids, ...shape.bytes()] });
  }
  await client.query('commit');
}
