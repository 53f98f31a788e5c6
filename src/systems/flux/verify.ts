import { messageOf } from '../../errors.ts';
import { addRow, askOnce, type CountedRows, noRows, readTableWrites } from '../../probe/counted-rows.ts';
import { HASH_MODULUS } from '../../probe/hash-sums.ts';
import type { Probe } from '../../probe/probe.ts';
import { type OpenVerification, STILL_OF_TARGET_MS, verifyRows } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { TABLE } from './workload.ts';

/** Verifies acknowledged operations in the entity table, whose rows count the numbers that were applied. */
export const openVerification: OpenVerification = async ({ endpoints, workload, probes }) => {
  const { database } = endpoints;
  if (database === null) return { because: 'no PostgreSQL URL was given: --probe-postgres' };
  const isAttached = database.attached !== undefined;
  const because = isAttached ? await whyNoRows(database, workload.entities) : null;
  if (because !== null) return { because };
  return verifyRows(
    {
      read: () => readRows(database, workload.entities),
      writes: () => Promise.all([rowWritesOf(probes), readTableWrites(database, TABLE)]),
      ...(isAttached ? { stillMs: STILL_OF_TARGET_MS } : {}),
    },
    workload.entities,
  );
};

/** Error codes of PostgreSQL: insufficient privilege, undefined table, column or function. */
const NO_ANSWER = /^42(?:501|P01|703|883)$/;

/**
 * Why the rows of a target's database cannot be compared with the ledger; null if they can: the table exists, is readable, and
 * has each entity of the world once.
 */
async function whyNoRows(database: DatabaseEndpoint, entities: number): Promise<string | null> {
  const at = `the PostgreSQL at ${database.attached?.shown}`;
  try {
    // The table may be another application's and large, so it is counted up to one row too many.
    const [first] = await askOnce<[string]>(
      database,
      `select count(*) from (select 1 from ${TABLE} limit ${entities + 1}) as first`,
    );
    const count = Number(first?.[0] ?? 0);
    if (count !== entities) {
      const found = count > entities ? `more than ${entities}` : count;
      return `the table ${TABLE} of ${at} has ${found} rows, and the world has ${entities} entities: it belongs to another world`;
    }
    const { unknownRows } = await readRows(database, entities);
    if (unknownRows === 0) return null;
    return `${unknownRows} rows in the table ${TABLE} of ${at} have no entity of this world: it belongs to another world`;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_ANSWER.test(String(error.code)))) throw error;
    return `the rows of ${at} cannot be read: ${messageOf(error)}`;
  }
}

/** Row writes since the servers' start, by their own counters. */
async function rowWritesOf(probes: readonly Probe[]): Promise<number> {
  const readings = await Promise.all(probes.map((probe) => probe.sample()));
  return readings
    .flat()
    .filter(({ series }) => series.endsWith('.rowWrites'))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Reads all rows. The ids are 0 to `entities` - 1. */
async function readRows(database: DatabaseEndpoint, entities: number): Promise<CountedRows> {
  const [shape] = await askOnce<[place: string | null, hash: string | null]>(
    database,
    `select max(case attname when 'place' then 'place' when 'state' then '(state->>''place'')::int' end),
            max('seq_hash & ${HASH_MODULUS - 1}') filter (where attname = 'seq_hash' and atttypid = 'bigint'::regtype)
       from pg_attribute where attrelid = to_regclass('${TABLE}') and attnum > 0 and not attisdropped`,
  );
  const read = await askOnce<[number, number, number, string, string | null, number | null]>(
    database,
    `select id, last_seq, applied_n, seq_sum, ${shape?.[1] ?? 'null'}, ${shape?.[0] ?? 'null'} from ${TABLE}`,
  );
  const rows = noRows(entities);
  /** NaN where the row has no place. */
  const places = new Float64Array(entities).fill(Number.NaN);
  for (const [id, lastSeq, appliedN, seqSum, seqHash, place] of read) {
    if (addRow(rows, [id, lastSeq, appliedN, seqSum, seqHash])) places[id] = place ?? Number.NaN;
  }
  return {
    ...rows,
    contradicts: (id, stated) => {
      const place = places[id]!;
      if (Number.isNaN(place) || place === stated) return null;
      return `place ${stated} was acknowledged, the row has place ${place}`;
    },
  };
}
