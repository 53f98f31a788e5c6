import type { Ledger } from '../load/engine.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { clientOf, closeClient } from './postgres-client.ts';

/** What the rows say of the operations that reached them, by entity id. */
export interface Rows {
  readonly lastSeq: Float64Array;
  readonly appliedN: Float64Array;
  readonly seqSum: Float64Array;
  /** Where the entity is; NaN where the rows do not say. */
  readonly place: Float64Array;
  /** Rows of entities that the world does not have. */
  strangers: number;
}

/** What the comparison found. */
export interface IntegrityFindings {
  /** Over all entities: what the generator sent, and what was acknowledged to it. */
  readonly sent: number;
  readonly acked: number;
  /** `sum(applied_n)` over the rows, since before GO. */
  readonly applied: number;
  readonly lost: number;
  readonly phantom: number;
  readonly duplicated: number;
  readonly holes: number;
  readonly entities: number;
  /** Up to ten, in words. */
  readonly examples: readonly string[];
}

const READ_TIMEOUT_MS = 60_000;
const EXAMPLES = 10;

/** Reads the rows over a connection of its own. `entities` is the number of ids, 0 .. entities-1. */
export async function readRows(database: DatabaseEndpoint, entities: number): Promise<Rows> {
  const rows: Rows = {
    lastSeq: new Float64Array(entities),
    appliedN: new Float64Array(entities),
    seqSum: new Float64Array(entities),
    place: new Float64Array(entities).fill(Number.NaN),
    strangers: 0,
  };
  const [shape] = await ask<[string | null]>(
    database,
    `select max(case column_name when 'place' then 'place' when 'state' then '(state->>''place'')::int' end)
       from information_schema.columns where table_name = 'entity'`,
  );
  const read = await ask<[number, number, number, string, number | null]>(
    database,
    `select id, last_seq, applied_n, seq_sum, ${shape?.[0] ?? 'null'} from entity`,
  );
  for (const [id, lastSeq, appliedN, seqSum, place] of read) {
    if (id < 0 || id >= entities) {
      rows.strangers += 1;
      continue;
    }
    rows.lastSeq[id] = lastSeq;
    rows.appliedN[id] = appliedN;
    rows.seqSum[id] = Number(seqSum);
    rows.place[id] = place ?? Number.NaN;
  }
  return rows;
}

/** Rows of a table that may be anybody's, and of any size: counted up to so many. */
export async function countRows(database: DatabaseEndpoint, most: number): Promise<number> {
  const [row] = await ask<[string]>(
    database,
    `select count(*) from (select 1 from entity limit ${most}) as first`,
  );
  return Number(row?.[0] ?? 0);
}

/** n_tup_upd of the world's table: PostgreSQL's own count of the row writes. */
export async function readUpdates(database: DatabaseEndpoint): Promise<number> {
  const [row] = await ask<[string]>(
    database,
    `select coalesce(sum(n_tup_upd), 0) from pg_stat_user_tables where relname = 'entity'`,
  );
  return Number(row?.[0] ?? 0);
}

/** A connection for one question: the writers' connections and the probe's are not shared with the check. */
async function ask<Row extends unknown[]>(database: DatabaseEndpoint, text: string): Promise<Row[]> {
  const client = clientOf(database, READ_TIMEOUT_MS);
  try {
    await client.connect();
    return (await client.query<Row>({ text, rowMode: 'array' })).rows;
  } finally {
    await closeClient(client);
  }
}

/**
 * Section D, generalized to runs in which some operations got no answer. Per entity, with the numbers
 * that the rows gained since `before`:
 *
 *   LOST        fewer operations applied than acknowledged, or an acknowledged number above last_seq
 *   PHANTOM     last_seq above anything sent
 *   DUPLICATED  more operations applied than sent
 *   HOLE        as many operations applied as acknowledged (or as sent), yet the sum of their numbers is another
 *               (with dense numbers from 1 that sum is last_seq (last_seq + 1) / 2); or a sum out of both bounds
 *   LOST too    every operation sent was acknowledged, and the row puts a player elsewhere than the last answer
 *
 * An operation that was sent and never answered may have been applied or not: between the two bounds
 * nothing is claimed. Only rows and the generator's own counters are compared, never settings.
 */
export function compareLedger(ledger: Ledger, before: Rows, after: Rows): IntegrityFindings {
  const total = { sent: 0, acked: 0, applied: 0, lost: 0, phantom: 0, duplicated: 0, holes: 0 };
  const examples: string[] = [];
  const found = (
    kind: 'lost' | 'phantom' | 'duplicated' | 'holes',
    count: number,
    id: number,
    what: string,
  ): void => {
    total[kind] += count;
    if (examples.length < EXAMPLES) examples.push(`entity ${id}: ${what}`);
  };

  for (let id = 0; id < ledger.sentN.length; id++) {
    const sent = ledger.sentN[id]!;
    const acked = ledger.ackedN[id]!;
    const applied = after.appliedN[id]! - before.appliedN[id]!;
    const sum = after.seqSum[id]! - before.seqSum[id]!;
    const lastSeq = after.lastSeq[id]!;
    const highestSent = Math.max(ledger.sentMax[id]!, before.lastSeq[id]!);
    total.sent += sent;
    total.acked += acked;
    total.applied += applied;

    if (applied < acked) {
      found('lost', acked - applied, id, `${acked} operations acknowledged, ${applied} in the row`);
    } else if (lastSeq < ledger.ackedMax[id]!) {
      found('lost', 1, id, `number ${ledger.ackedMax[id]!} acknowledged, the row ends at ${lastSeq}`);
    }
    if (lastSeq > highestSent) {
      found(
        'phantom',
        lastSeq - highestSent,
        id,
        `the row ends at ${lastSeq}, ${highestSent} was the last sent`,
      );
    }
    if (applied > sent) {
      found('duplicated', applied - sent, id, `${sent} operations sent, ${applied} in the row`);
    }
    const [ackedSum, sentSum] = [ledger.ackedSum[id]!, ledger.sentSum[id]!];
    const least = applied === sent ? sentSum : ackedSum;
    const most = applied === acked ? ackedSum : sentSum;
    if (applied >= acked && applied <= sent && (sum < least || sum > most)) {
      found('holes', 1, id, `the applied numbers add up to ${sum}, the acknowledged ones to ${ackedSum}`);
    }
    const told = ledger.told[id]! - 1;
    const place = after.place[id]!;
    if (told >= 0 && acked === sent && applied === acked && !Number.isNaN(place) && place !== told) {
      found('lost', 1, id, `place ${told} acknowledged, the row says place ${place}`);
    }
  }
  if (after.strangers > before.strangers) {
    const count = after.strangers - before.strangers;
    total.phantom += count;
    examples.push(`${count} rows of entities that the world does not have`);
  }
  return { ...total, entities: ledger.sentN.length, examples };
}
