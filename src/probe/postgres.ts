import type { DatabaseEndpoint } from '../stack/stack.ts';
import { LastingClient } from './postgres-client.ts';
import type { Probe, Sample } from './probe.ts';

/** The condition on `relname` that counts a system's own tables; no names: every table of a user. */
export const ofTables = (tables: readonly string[]): string =>
  tables.length === 0 ? 'true' : `relname in (${tables.map((table) => `'${table}'`).join(', ')})`;

/** The same of a statement's text: their UPDATEs, since pg_stat_statements keeps every statement of the database. */
export const updatesOf = (tables: readonly string[]): string =>
  tables.length === 0
    ? "query ilike 'update %'"
    : `(${tables.map((table) => `query ilike 'update ${table}%'`).join(' or ')})`;

/** One round trip. */
const statisticsOf = (tables: readonly string[]): string => `
  select d.numbackends                                        as connections,
         d.xact_commit                                        as commits,
         d.blks_hit                                           as "blocksHit",
         d.blks_read                                          as "blocksRead",
         t."rowsUpdated", t."rowsHotUpdated", t."rowsInserted", t."workingSetBytes",
         w.wal_bytes                                          as "walBytes",
         w.wal_sync                                           as "walSyncs"
    from pg_stat_database d
    cross join pg_stat_wal w
    cross join (select coalesce(sum(n_tup_upd), 0)                     as "rowsUpdated",
                       coalesce(sum(n_tup_hot_upd), 0)                 as "rowsHotUpdated",
                       coalesce(sum(n_tup_ins), 0)                     as "rowsInserted",
                       coalesce(sum(pg_total_relation_size(relid)), 0) as "workingSetBytes"
                  from pg_stat_user_tables where ${ofTables(tables)}) t
   where d.datname = current_database()`;

const statementsOf = (tables: readonly string[]): string => `
  select coalesce(sum(calls), 0) as statements, coalesce(sum(total_exec_time), 0) as "statementMs"
    from pg_stat_statements
   where dbid = (select oid from pg_database where datname = current_database())
     and ${updatesOf(tables)}`;

const GAUGES: ReadonlySet<string> = new Set(['connections', 'workingSetBytes']);

/** Numbers arrive as text (bigint, numeric): a series needs them as numbers. */
export const samplesOf = (row: Readonly<Record<string, unknown>>): Sample[] =>
  Object.entries(row).map(([name, value]) => ({
    series: `postgres.${name}`,
    kind: GAUGES.has(name) ? 'gauge' : 'counter',
    value: Number(value),
  }));

/**
 * pg_stat_database, _user_tables, _wal and, where the server has it, _statements, over one connection of
 * its own. A connection that is lost is opened again at the next reading, and each miss is a gap.
 * `tables`: whose rows and statements are counted; none: all of them.
 */
export async function openPostgresProbe(
  database: DatabaseEndpoint,
  tables: readonly string[],
): Promise<Probe> {
  const [STATISTICS, STATEMENTS] = [statisticsOf(tables), statementsOf(tables)];
  const client = new LastingClient(database);
  const first = await client.connected();
  // Two probes on one database may create it at once: the second finds it there, or loses the race and finds it too.
  await first.query('create extension if not exists pg_stat_statements').catch(() => undefined);
  const hasStatements = await first.query(STATEMENTS).then(
    () => true,
    () => false,
  );

  return {
    name: 'postgres',
    async sample() {
      const open = await client.connected();
      const statistics = await open.query(STATISTICS);
      const samples = samplesOf(statistics.rows[0] ?? {});
      if (hasStatements) samples.push(...samplesOf((await open.query(STATEMENTS)).rows[0] ?? {}));
      return samples;
    },
    close: () => client.close(),
  };
}
