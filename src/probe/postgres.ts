import type pg from 'pg';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { ReconnectingClient } from './postgres-client.ts';
import type { Probe, Sample } from './probe.ts';

/** One question, and the paths of the report that need its answer. */
export interface PostgresPart {
  readonly view: string;
  readonly text: string;
  readonly for: readonly string[];
  /** Why there may be no row. */
  readonly empty: string;
}

/**
 * What is asked once a second, each part apart: another version, or another role, may not answer all. `tables`: whose
 * rows are counted, and whose UPDATEs (told by their text, since pg_stat_statements keeps every statement of the
 * database); none: all of them. Where `nothing is no row`, a part that has nothing to say has no row, so that nothing
 * is no 0.
 */
export function postgresParts(
  tables: readonly string[],
  nothing: 'nothing is 0' | 'nothing is no row',
): readonly PostgresPart[] {
  const some = nothing === 'nothing is 0' ? '' : 'having count(*) > 0';
  const names = tables.map((table) => `'${table}'`).join(', ');
  const ofTables = tables.length === 0 ? 'true' : `relname in (${names})`;
  const updates = tables.length === 0 ? [''] : tables;
  const isUpdate = updates.map((table) => `query ilike 'update ${table}%'`).join(' or ');
  const shown = tables.join(', ') || 'of a user';
  return [
    {
      view: 'pg_stat_database',
      text: `select numbackends as connections, xact_commit as commits, blks_hit as "blocksHit", blks_read as "blocksRead"
               from pg_stat_database where datname = current_database()`,
      for: ['database.connections', 'database.commitsPerSecond', 'database.hitRatioPercent'],
      empty: 'pg_stat_database has no row for it',
    },
    {
      view: 'pg_stat_user_tables',
      text: `select sum(n_tup_upd) as "rowsUpdated", sum(n_tup_hot_upd) as "rowsHotUpdated", sum(n_tup_ins) as "rowsInserted"
               from pg_stat_user_tables where ${ofTables} ${some}`,
      for: ['database.rowsUpdatedPerSecond', 'database.hotUpdatePercent'],
      empty: `there is no table ${shown}`,
    },
    {
      view: 'pg_total_relation_size',
      text: `select sum(pg_total_relation_size(relid)) as "workingSetBytes"
               from pg_stat_user_tables where ${ofTables} ${some}`,
      for: ['database.workingSetBytes'],
      empty: `there is no table ${shown}`,
    },
    {
      view: 'pg_stat_wal',
      text: `select wal_bytes as "walBytes" from pg_stat_wal`,
      for: ['database.walBytesPerSecond'],
      empty: 'pg_stat_wal has no row',
    },
    {
      view: 'pg_stat_statements',
      text: `select sum(calls) as statements, sum(total_exec_time) as "statementMs"
               from pg_stat_statements
              where dbid = (select oid from pg_database where datname = current_database())
                and (${isUpdate}) ${some}`,
      for: ['database.statementMeanMs', 'database.statementsPerSecond'],
      empty: `pg_stat_statements shows no UPDATE of the table ${shown}: there is none, or the role may not read the statements of others (pg_read_all_stats)`,
    },
  ];
}

const WAL_SYNCS = 'select wal_sync as "walSyncs" from pg_stat_wal';

const GAUGES: ReadonlySet<string> = new Set(['connections', 'workingSetBytes']);

/** Numbers arrive as text (bigint, numeric): a series needs them as numbers. */
export const samplesOf = (row: Readonly<Record<string, unknown>>): Sample[] =>
  Object.entries(row).map(([name, value]) => ({
    series: `postgres.${name}`,
    kind: GAUGES.has(name) ? 'gauge' : 'counter',
    value: Number(value),
  }));

/**
 * A PostgreSQL that was started here: all parts in one round trip, over one connection of its own. A connection that is
 * lost is opened again at the next reading, and each miss is a gap. `tables`: see postgresParts.
 */
export async function openPostgresProbe(
  database: DatabaseEndpoint,
  tables: readonly string[],
): Promise<Probe> {
  const client = new ReconnectingClient(database);
  const first = await client.connected();
  // Two probes on one database may create it at once: the second finds it there, or loses the race and finds it too.
  await first.query('create extension if not exists pg_stat_statements').catch(() => undefined);
  const texts = [...postgresParts(tables, 'nothing is 0').map(({ text }) => text), WAL_SYNCS];
  const asked: string[] = [];
  // One after another: a connection takes one question at a time.
  for (const text of texts) {
    await first.query(text).then(
      () => asked.push(text),
      () => undefined,
    );
  }
  const question = asked.join(';\n');

  return {
    name: 'postgres',
    async sample() {
      const open = await client.connected();
      // Of several statements `pg` tells several results.
      const results: unknown = await open.query(question);
      return (results as pg.QueryResult[]).flatMap(({ rows }) => samplesOf(rows[0] ?? {}));
    },
    close: () => client.close(),
  };
}
