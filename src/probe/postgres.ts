import type pg from 'pg';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { ReconnectingClient } from './postgres-client.ts';
import type { Probe, Sample } from './probe.ts';

/** One query, and the paths in report.json that need its result. */
export interface PostgresPart {
  readonly view: string;
  readonly text: string;
  readonly for: readonly string[];
  /** The reason to report where it returns no row. */
  readonly empty: string;
  /** Sessions publish these counts at most once a second (published-counts.ts). */
  readonly isPublished?: boolean;
}

/** `characters` in any schema, or `world.characters`. */
const isTable = (name: string): string => {
  const [table = '', schema] = name.split('.').reverse();
  const inSchema = schema === undefined ? '' : ` and schemaname = '${schema}'`;
  return `(relname = '${table}'${inSchema})`;
};

/** Whether a statement is an UPDATE of the table, which may be quoted and have its schema before it. */
const isUpdateOf = (name: string): string => {
  const [table = '', schema = '[^".]+'] = name.split('.').reverse();
  const before = name.includes('.') ? `("?${schema}"?[.])` : `("?${schema}"?[.])?`;
  return `query ~* '^[[:space:]]*update[[:space:]]+(only[[:space:]]+)?${before}"?${table}("|[[:space:]]|$)'`;
};

/**
 * The queries of one reading. They are separate, since a version or a role may not support all of them. `tables`: whose
 * row writes and UPDATEs are counted (UPDATEs by their text, since pg_stat_statements has every statement of the
 * database); none: all tables. With `nothing is no row`, a query without data returns no row instead of 0.
 */
export function postgresParts(
  tables: readonly string[],
  nothing: 'nothing is 0' | 'nothing is no row',
): readonly PostgresPart[] {
  const some = nothing === 'nothing is 0' ? '' : 'having count(*) > 0';
  const ofTables = tables.length === 0 ? 'true' : tables.map(isTable).join(' or ');
  const isUpdate =
    tables.length === 0 ? `query ~* '^[[:space:]]*update[[:space:]]'` : tables.map(isUpdateOf).join(' or ');
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
      text: `select sum(n_tup_upd) as "rowsUpdated", sum(n_tup_hot_upd) as "rowsHotUpdated", sum(n_tup_ins) as "rowsInserted", sum(n_tup_del) as "rowsDeleted"
               from pg_stat_user_tables where ${ofTables} ${some}`,
      for: [
        ...['rowsUpdated', 'rowsInserted', 'rowsDeleted', 'rowWrites'].map(
          (rows) => `database.${rows}PerSecond`,
        ),
        'database.hotUpdatePercent',
      ],
      empty: `there is no table ${shown}`,
      isPublished: true,
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

/** bigint and numeric arrive as text and are converted to numbers. */
export const samplesOf = (row: Readonly<Record<string, unknown>>): Sample[] =>
  Object.entries(row).map(([name, value]) => ({
    series: `postgres.${name}`,
    kind: GAUGES.has(name) ? 'gauge' : 'counter',
    value: Number(value),
  }));

/**
 * Probes a PostgreSQL that was started here: all queries in one round trip, over one connection. A lost connection is
 * reopened at the next reading, and each miss is a gap. `tables`: see postgresParts.
 */
export async function openPostgresProbe(
  database: DatabaseEndpoint,
  tables: readonly string[],
): Promise<Probe> {
  const client = new ReconnectingClient(database);
  const first = await client.connected();
  // Fails only where another probe creates it at the same moment, and then it exists.
  await first.query('create extension if not exists pg_stat_statements').catch(() => undefined);
  const texts = [...postgresParts(tables, 'nothing is 0').map(({ text }) => text), WAL_SYNCS];
  const asked: string[] = [];
  // A connection runs one query at a time.
  for (const text of texts) {
    await first.query(text).then(
      () => asked.push(text),
      () => undefined,
    );
  }
  const query = asked.join(';\n');

  return {
    name: 'postgres',
    async sample() {
      const open = await client.connected();
      // `pg` returns one result for each statement, which its types do not express.
      const results: unknown = await open.query(query);
      return (results as pg.QueryResult[]).flatMap(({ rows }) => samplesOf(rows[0] ?? {}));
    },
    close: () => client.close(),
  };
}
