import { addRow, askOnce, type CountedRows, noRows } from '../../probe/counted-rows.ts';
import { HASH_MODULUS } from '../../probe/hash-sums.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';

/** Whose row each entity is. */
export const TABLE = 'entity';

/** Reads the rows over a connection of its own. `entities` is the number of ids, 0 .. entities-1. */
export async function readRows(database: DatabaseEndpoint, entities: number): Promise<CountedRows> {
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
  /** NaN where the rows do not say. */
  const places = new Float64Array(entities).fill(Number.NaN);
  for (const [id, lastSeq, appliedN, seqSum, seqHash, place] of read) {
    if (addRow(rows, [id, lastSeq, appliedN, seqSum, seqHash])) places[id] = place ?? Number.NaN;
  }
  return {
    ...rows,
    contradicts: (id, stated) => {
      const place = places[id]!;
      if (Number.isNaN(place) || place === stated) return null;
      return `place ${stated} acknowledged, the row says place ${place}`;
    },
  };
}

/** Rows of a table that may be anybody's, and of any size: counted up to so many. */
export async function countRows(database: DatabaseEndpoint, most: number): Promise<number> {
  const [row] = await askOnce<[string]>(
    database,
    `select count(*) from (select 1 from ${TABLE} limit ${most}) as first`,
  );
  return Number(row?.[0] ?? 0);
}
