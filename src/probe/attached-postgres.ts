import type pg from 'pg';
import { tlsProblemOf } from '../address/certificate.ts';
import { CapbenchError, codeOf, messageOf, stackFailed } from '../errors.ts';
import { nearest } from '../scenario/nearest.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { UnusablePostgres } from './attached-socket.ts';
import { type PostgresPart, postgresParts, samplesOf } from './postgres.ts';
import { ReconnectingClient, UnprotectedSession } from './postgres-client.ts';
import type { Absence, PartialProbe, Probe, Sample } from './probe.ts';
import { openPublishedCounts } from './published-counts.ts';

/** These figures need PostgreSQL's processes, which are not ours. */
const OF_PROCESSES: readonly Absence[] = [
  'database.cpuPercentOfHost',
  'database.memoryPercentOfHost',
  'database.waitedPercent',
].map((of) => ({ of, because: "the CPU and memory of a target's PostgreSQL cannot be read over SQL" }));

/**
 * Errors that will not go away during a run: not supported, no privilege, no such table, column or function, wrong state
 * (pg_stat_statements is not preloaded).
 */
const PERMANENT = /^(?:0A000|42501|42P01|42703|42883|55000)$/;

/** Published counts are read this often, and of slow readings so much less often. In milliseconds. */
const PUBLISHED_MS = 125;
const PUBLISHED_TIMES = 20;

/**
 * Probes the PostgreSQL of a target over one read-only connection. Figures that this server or this role does not provide
 * are reported as absent. `mustExist`: the user has named the tables. A lost connection is reopened at the next reading, and each miss is a gap. Rejects with exit
 * code 93 when it cannot be reached at all.
 */
export async function openAttachedPostgres(
  database: DatabaseEndpoint,
  shown: string,
  tables: readonly string[],
  mustExist = false,
): Promise<Probe & PartialProbe> {
  const parts = postgresParts(tables, 'nothing is no row');
  const client = new ReconnectingClient(database);
  const answered = new Set<PostgresPart>();
  const refused = new Map<PostgresPart, string>();

  const ask = async (open: pg.Client, part: PostgresPart): Promise<readonly Sample[]> => {
    try {
      const { rows } = await open.query(part.text);
      if (rows.length > 0) answered.add(part);
      return samplesOf(rows[0] ?? {});
    } catch (error) {
      if (!PERMANENT.test(codeOf(error))) throw error;
      refused.set(part, messageOf(error));
      return [];
    }
  };

  try {
    const open = await client.connected();
    if (mustExist) await refuseMissing(open, shown, tables);
  } catch (error) {
    void client.close();
    throw error instanceof CapbenchError ? error : unreachable(shown, error);
  }

  const published = new Map(
    parts.filter((part) => part.isPublished).map((part) => [part, openPublishedCounts()]),
  );
  let timer: NodeJS.Timeout | undefined;
  let isSampling = false;
  let reading: Promise<void> = Promise.resolve();
  /** A connection answers one query at a time. Where it is lost, the next reading of the probe opens it again. */
  const readPublished = async (): Promise<void> => {
    const { open } = client;
    if (open === null) return;
    for (const [part, even] of published) {
      const read = refused.has(part) ? [] : await ask(open, part).catch(() => []);
      if (read.length > 0) even(performance.now(), read);
    }
  };
  const readAgain = (after: number): void => {
    timer = setTimeout(async () => {
      const began = performance.now();
      if (!isSampling) reading = readPublished();
      await reading;
      if (timer !== undefined)
        readAgain(Math.max(PUBLISHED_MS, PUBLISHED_TIMES * (performance.now() - began)));
    }, after).unref();
  };

  return {
    name: 'postgres',
    async sample() {
      isSampling = true;
      try {
        await reading;
        const open = await client.connected();
        if (timer === undefined && published.size > 0) readAgain(PUBLISHED_MS);
        const samples: Sample[] = [];
        for (const part of parts) {
          if (refused.has(part)) continue;
          const read = await ask(open, part);
          samples.push(...(published.get(part)?.(performance.now(), read) ?? read));
        }
        return samples;
      } finally {
        isSampling = false;
      }
    },
    absences: () => [
      ...parts
        .filter((part) => !answered.has(part))
        .flatMap((part) => {
          const because =
            refused.get(part) === undefined
              ? `the PostgreSQL at ${shown}: ${part.empty}`
              : `the PostgreSQL at ${shown} refuses ${part.view}: ${refused.get(part)}`;
          return part.for.map((of) => ({ of, because }));
        }),
      ...OF_PROCESSES,
    ],
    close() {
      clearTimeout(timer);
      timer = undefined;
      return client.close();
    },
  };
}

/** @throws CapbenchError (93) for the first of the tables that the database does not have */
async function refuseMissing(open: pg.Client, shown: string, tables: readonly string[]): Promise<void> {
  const { rows } = await open.query<{ schema: string; name: string }>(
    'select schemaname as schema, relname as name from pg_stat_user_tables order by 1, 2',
  );
  const names = rows.flatMap(({ schema, name }) => [name, `${schema}.${name}`]);
  const missing = tables.find((table) => !names.includes(table));
  if (missing === undefined) return;
  const meant = nearest(missing, names);
  const has = rows.slice(0, MOST_SHOWN).map(({ schema, name }) => `${schema}.${name}`);
  throw stackFailed(
    `probe.tables: the PostgreSQL at ${shown} has no table ${missing} in this database`,
    meant !== undefined
      ? `did you mean ${meant}?`
      : has.length === 0
        ? 'it has no table of a user: check the database in the URL of --probe-postgres'
        : `it has ${has.join(', ')}${rows.length > MOST_SHOWN ? ', ..' : ''}`,
  );
}

const MOST_SHOWN = 8;

const NAME_IT =
  "use the address of the target's own PostgreSQL in --probe-postgres: postgresql://HOST:5432/DATABASE; another server may listen at that port";
const CUT =
  'closes the connection without an answer: it is not PostgreSQL, or does not accept connections from this host';
/** pg's messages for connections without an answer. */
const NO_ANSWER: Readonly<Record<string, string>> = {
  'timeout expired': 'does not answer within 5 s: it is not PostgreSQL, or is stopped',
  'Query read timeout': 'accepts a connection and does not answer a query within 5 s: it is stopped',
  'Connection terminated unexpectedly': CUT,
};

function unreachable(shown: string, error: unknown): Error {
  const code = codeOf(error);
  const at = `the PostgreSQL at ${shown}`;
  const failed = (what: string, hint: string): Error => stackFailed(what, hint, error);
  const tls = tlsProblemOf(error);
  if (tls !== null) {
    return failed(
      `${at}: ${tls.what}`,
      tls.ofAuthority ? 'add its CA certificate to the URL: ?sslmode=verify-full&sslrootcert=FILE' : tls.hint,
    );
  }
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    return failed(`connection refused at ${shown} (--probe-postgres)`, 'start it there, or correct the URL');
  }
  if (error instanceof UnusablePostgres) {
    return failed(`the server at ${shown} is not a PostgreSQL that can be read: ${error.message}`, NAME_IT);
  }
  if (error instanceof UnprotectedSession) {
    return failed(
      `${at} gave no read-only session: the request for one was dropped, as PgBouncer does with ignore_startup_parameters = options`,
      'use the address of PostgreSQL itself in --probe-postgres, not of a pooler in front of it: capbench does not read over a connection that could write',
    );
  }
  const noAnswer = NO_ANSWER[messageOf(error)] ?? (code === 'ECONNRESET' ? CUT : undefined);
  if (noAnswer !== undefined) return failed(`the server at ${shown} ${noAnswer}`, NAME_IT);
  const hint =
    code.startsWith('28') || /password|SASL/i.test(messageOf(error))
      ? 'check the user and the password in the URL (or in PGPASSWORD); a role with pg_monitor may read everything'
      : 'use the address of PostgreSQL itself in --probe-postgres, not of a pooler in front of it';
  return failed(`${at} cannot be read: ${messageOf(error)}`, hint);
}
