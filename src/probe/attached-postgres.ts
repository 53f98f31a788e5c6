import type pg from 'pg';
import { tlsProblemOf } from '../address/certificate.ts';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { UnusablePostgres } from './attached-socket.ts';
import { type PostgresPart, postgresParts, samplesOf } from './postgres.ts';
import { ReconnectingClient, UnprotectedSession } from './postgres-client.ts';
import type { Absence, PartialProbe, Probe, Sample } from './probe.ts';

/** What only the processes tell, and they are not ours. */
const OF_PROCESSES: readonly Absence[] = [
  'database.cpuPercentOfHost',
  'database.memoryPercentOfHost',
  'database.waitedPercent',
].map((of) => ({ of, because: "a target's PostgreSQL tells nothing of its CPU and memory" }));

/**
 * By which a server says that it will never answer this question, to this role at least: not supported, no right, no
 * such table, column or function, not in the state for it (pg_stat_statements not preloaded).
 */
const FOR_EVER = /^(?:0A000|42501|42P01|42703|42883|55000)$/;

/**
 * The PostgreSQL of a target, over one connection that only reads. What this server or this role does not tell is named,
 * and left out; a connection that is lost is opened again at the next reading, and each miss is a gap. Rejects with exit
 * code 93 when it cannot be reached at all.
 */
export async function openAttachedPostgres(
  database: DatabaseEndpoint,
  shown: string,
  tables: readonly string[],
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
      if (!FOR_EVER.test(codeOf(error))) throw error;
      refused.set(part, messageOf(error));
      return [];
    }
  };

  try {
    await client.connected();
  } catch (error) {
    void client.close();
    throw unreachable(shown, error);
  }
  return {
    name: 'postgres',
    async sample() {
      const open = await client.connected();
      const samples: Sample[] = [];
      for (const part of parts) if (!refused.has(part)) samples.push(...(await ask(open, part)));
      return samples;
    },
    absences: () => [
      ...parts
        .filter((part) => !answered.has(part))
        .flatMap((part) => {
          const because =
            refused.get(part) === undefined
              ? `the PostgreSQL at ${shown}: ${part.empty}`
              : `the PostgreSQL at ${shown} does not tell ${part.view}: ${refused.get(part)}`;
          return part.for.map((of) => ({ of, because }));
        }),
      ...OF_PROCESSES,
    ],
    close: () => client.close(),
  };
}

const NAME_IT =
  'name the PostgreSQL of the target itself in --probe-postgres: postgresql://HOST:5432/DATABASE; another server may listen at that port';
const CUT = 'ends the connection without a word: it is no PostgreSQL, or lets nobody in from here';
/** How pg tells that nothing came. */
const SILENCES: Readonly<Record<string, string>> = {
  'timeout expired': 'says nothing for 5 s: it is no PostgreSQL, or stands still',
  'Query read timeout': 'lets a client in, and answers nothing for 5 s: it stands still',
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
      tls.ofAuthority ? 'its authority goes into the URL: ?sslmode=verify-full&sslrootcert=FILE' : tls.hint,
    );
  }
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    return failed(`connection refused at ${shown} (--probe-postgres)`, 'start it there, or correct the URL');
  }
  if (error instanceof UnusablePostgres) {
    return failed(`what listens at ${shown} is no PostgreSQL that can be read: ${error.message}`, NAME_IT);
  }
  if (error instanceof UnprotectedSession) {
    return failed(
      `${at} gave no read-only session: what was asked for at the start of the connection was dropped, as PgBouncer does with ignore_startup_parameters = options`,
      'name the PostgreSQL itself in --probe-postgres, not a pooler in front of it: nothing is read over a connection that could write',
    );
  }
  const silence = SILENCES[messageOf(error)] ?? (code === 'ECONNRESET' ? CUT : undefined);
  if (silence !== undefined) return failed(`what listens at ${shown} ${silence}`, NAME_IT);
  const hint =
    code.startsWith('28') || /password|SASL/i.test(messageOf(error))
      ? 'see the user and the password in the URL (or in PGPASSWORD); a role with pg_monitor reads all that is asked'
      : 'name the PostgreSQL itself in --probe-postgres, not a pooler in front of it';
  return failed(`${at} cannot be read: ${messageOf(error)}`, hint);
}
