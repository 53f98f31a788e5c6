import type { Ledger } from '../load/engine.ts';
import { NumberSets } from '../load/number-sets.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import { AppliedNumbers } from './applied-numbers.ts';
import { HashSums } from './hash-sums.ts';
import { clientOf, closeClient, connectClient } from './postgres-client.ts';

/** The rows' own figures of the operations that were applied to them, by entity id. */
export interface CountedRows {
  readonly lastSeq: Float64Array;
  readonly appliedN: Float64Array;
  readonly seqSum: Float64Array;
  /** The sum of the numbers' hashes (sequence-hash.ts), modulo HASH_MODULUS; NaN where the rows have none. */
  readonly seqHash: Float64Array;
  /** The number of rows of unknown entities. */
  unknownRows: number;
  /**
   * Called for an entity whose row holds exactly the acknowledged numbers. Returns how the row differs from the state in
   * the last answer (`Listener.stated`), as a phrase; null where they agree. Absent: the rows have no such state.
   */
  contradicts?(id: number, stated: number): string | null;
}

/** The result of the comparison. */
export interface IntegrityFindings {
  /** Operations of all entities that the generator sent, and those that were acknowledged. */
  readonly sent: number;
  readonly acked: number;
  /** The sum of the rows' own counts, since before GO. */
  readonly applied: number;
  readonly lost: number;
  readonly phantom: number;
  readonly duplicated: number;
  readonly holes: number;
  /**
   * Acknowledged operations that are missing, and that an outage excuses (excuses.ts). Absent where no loss is stated.
   */
  readonly lostInWindow?: number;
  /** Operations that were acknowledged and reported as saved; absent where there is one level of acknowledgement. */
  readonly saved?: number;
  /** Acknowledged and in the last level, and not reported as saved; absent where that is not known number by number. */
  readonly unreported?: number;
  readonly entities: number;
  /** Entities whose rows are within the bounds, without a proof of which numbers were applied (applied-numbers.ts). */
  readonly open: number;
  /** The rows have the sum of the numbers' hashes; else only count, sum and last number were compared. */
  readonly hashed: boolean;
  /** Up to ten findings as text. */
  readonly examples: readonly string[];
}

const READ_TIMEOUT_MS = 60_000;
const EXAMPLES = 10;

/** Rows to which nothing was applied. `entities` is the number of ids, 0 .. entities-1. */
export const noRows = (entities: number): CountedRows => ({
  lastSeq: new Float64Array(entities),
  appliedN: new Float64Array(entities),
  seqSum: new Float64Array(entities),
  seqHash: new Float64Array(entities).fill(Number.NaN),
  unknownRows: 0,
});

/** One entity's row as `pg` returns it, with bigints as text. */
export type CountedRow = readonly [
  id: number,
  lastSeq: number,
  appliedN: number,
  seqSum: number | string,
  seqHash?: number | string | null,
];

/** @returns false where the row's entity is unknown; it was then counted in `unknownRows` */
export function addRow(
  rows: CountedRows,
  [id, lastSeq, appliedN, seqSum, seqHash = null]: CountedRow,
): boolean {
  if (id < 0 || id >= rows.lastSeq.length) {
    rows.unknownRows += 1;
    return false;
  }
  rows.lastSeq[id] = lastSeq;
  rows.appliedN[id] = appliedN;
  rows.seqSum[id] = Number(seqSum);
  rows.seqHash[id] = seqHash === null ? Number.NaN : Number(seqHash);
  return true;
}

/** Runs one query on its own connection, since those of the writers and of the probe are not shared. */
export async function askOnce<Row extends readonly unknown[]>(
  database: DatabaseEndpoint,
  text: string,
): Promise<Row[]> {
  const client = clientOf(database, READ_TIMEOUT_MS);
  try {
    await connectClient(client, database);
    // `pg` types a row as a mutable array.
    return (await client.query<Row & unknown[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await closeClient(client);
  }
}

/** PostgreSQL's own count of a table's row writes: its updates, and with `inserts` its inserts, too. */
export async function readTableWrites(
  database: DatabaseEndpoint,
  table: string,
  { inserts = false }: { readonly inserts?: boolean } = {},
): Promise<number> {
  const [row] = await askOnce<[string]>(
    database,
    `select coalesce(sum(n_tup_upd${inserts ? ' + n_tup_ins' : ''}), 0) from pg_stat_user_tables where relname = '${table}'`,
  );
  return Number(row?.[0] ?? 0);
}

/**
 * The integrity check of judge/README.md, which also works where operations got no answer. Of each entity, A is the set
 * of acknowledged numbers, S the set of sent numbers, and C the set of applied numbers, of which the row has the count,
 * the sum, the highest and, where the rows have it, the sum of hashes, each compared with `before`.
 *
 *   LOST        fewer numbers in the row than in A, or the highest of A above the row's
 *   PHANTOM     the row's highest number above anything sent
 *   DUPLICATED  more numbers in the row than in S
 *   HOLE        none of the above, and yet the row's figures fit no C with A within C and C within S. Such a row proves
 *               nothing about the acknowledged numbers, so one of them is counted as lost, too
 *   LOST too    C is A, and the row contradicts the last answer
 *
 * An operation that was sent and never answered may have been applied or not. Such operations of an entity are tried
 * in every combination, up to twenty of them. Of more, count and sum have to be within the bounds, and the entity is
 * `open`.
 *
 * The check cannot see: with hashes, another set of the same count, sum and highest number, which passes once in 2^32
 * (for each combination that was tried); without hashes, any such set, where other numbers, applied twice or never
 * acknowledged, make up for a lost one. Nor can it see a server that writes the figures of what it acknowledged instead
 * of what it applied. It compares only the rows and the generator's own record, never settings.
 */
export function compareLedger(ledger: Ledger, before: CountedRows, after: CountedRows): IntegrityFindings {
  const total = { sent: 0, acked: 0, applied: 0, lost: 0, phantom: 0, duplicated: 0, holes: 0, open: 0 };
  const examples: string[] = [];
  const sentNumbers = NumberSets.from(ledger.base, ledger.sent);
  const ackedNumbers = NumberSets.from(ledger.base, ledger.acked);
  const comparison = new RowComparison(ledger, { before, after }, sentNumbers, ackedNumbers);
  let hashed = ledger.base.length > 0;

  for (let id = 0; id < ledger.base.length; id++) {
    const acked = ackedNumbers.count(id);
    const applied = after.appliedN[id]! - before.appliedN[id]!;
    total.sent += sentNumbers.count(id);
    total.acked += acked;
    total.applied += applied;
    hashed &&= !Number.isNaN(after.seqHash[id]!) && !Number.isNaN(before.seqHash[id]!);

    const found = comparison.of(id);
    for (const kind of ['lost', 'phantom', 'duplicated', 'holes', 'open'] as const)
      total[kind] += found[kind];
    for (const what of found.examples) if (examples.length < EXAMPLES) examples.push(`entity ${id}: ${what}`);
  }
  if (after.unknownRows > before.unknownRows) {
    const count = after.unknownRows - before.unknownRows;
    total.phantom += count;
    examples.push(`${count} rows of unknown entities`);
  }
  return {
    ...total,
    ...(ledger.levels === undefined ? {} : { saved: ledger.levels.savedCount }),
    ...{ entities: ledger.base.length, hashed, examples },
  };
}

/** What one entity's row contradicts. */
interface RowFindings extends Record<'lost' | 'phantom' | 'duplicated' | 'holes' | 'open', number> {
  readonly examples: string[];
}

/** Compares rows with sent numbers and with those that have to be there. */
class RowComparison {
  private readonly ledger: Ledger;
  private readonly rows: { readonly before: CountedRows; readonly after: CountedRows };
  private readonly sent: NumberSets;
  private readonly acked: NumberSets;
  private readonly hashes = new HashSums();
  private readonly numbers: AppliedNumbers;

  constructor(ledger: Ledger, rows: RowComparison['rows'], sent: NumberSets, acked: NumberSets) {
    this.ledger = ledger;
    this.rows = rows;
    this.sent = sent;
    this.acked = acked;
    this.numbers = new AppliedNumbers(sent, acked, this.hashes);
  }

  of(id: number): RowFindings {
    const { before, after } = this.rows;
    const sent = this.sent.count(id);
    const acked = this.acked.count(id);
    const applied = after.appliedN[id]! - before.appliedN[id]!;
    const sum = after.seqSum[id]! - before.seqSum[id]!;
    const hash = this.hashes.difference(after.seqHash[id]!, before.seqHash[id]!);
    const [lastSeq, lastSeqBefore] = [after.lastSeq[id]!, before.lastSeq[id]!];
    const highestAcked = acked > 0 ? this.acked.max[id]! : 0;
    const highestSent = Math.max(this.sent.max[id]!, lastSeqBefore);
    const examples: string[] = [];
    const findings = { lost: 0, phantom: 0, duplicated: 0, holes: 0, open: 0, examples };
    const found = (kind: 'lost' | 'phantom' | 'duplicated' | 'holes', count: number, what: string): void => {
      findings[kind] += count;
      examples.push(what);
    };

    const short = applied < acked;
    const behind = lastSeq < highestAcked;
    if (short) {
      found('lost', acked - applied, `${acked} operations acknowledged, ${applied} in the row`);
    } else if (behind) {
      found('lost', 1, `number ${highestAcked} acknowledged, the row ends at ${lastSeq}`);
    }
    if (lastSeq > highestSent) {
      const what = `the row ends at ${lastSeq}, ${highestSent} was the last sent`;
      found('phantom', lastSeq - highestSent, what);
    }
    if (applied > sent) {
      found('duplicated', applied - sent, `${sent} operations sent, ${applied} in the row`);
    }
    if (short || applied > sent) return findings;
    const known = behind || lastSeq > highestSent ? null : lastSeq;
    const fit = this.numbers.of(id, { n: applied, sum, hash, lastSeq: known, lastSeqBefore });
    if (fit === 'open') findings.open += 1;
    if (fit === 'denied') {
      const ackedSum = this.acked.sum(id);
      found(
        'holes',
        1,
        `${applied} in the row add up to ${sum} and end at ${lastSeq}, the ${acked} acknowledged to ${ackedSum} and at ${highestAcked}${
          applied === acked && sum === ackedSum ? '; their hashes show that they are other numbers' : ''
        }`,
      );
      if (acked > 0 && !behind) findings.lost += 1;
    }
    const stated = this.ledger.stated[id]! - 1;
    const contradiction = fit === 'acked' && stated >= 0 ? after.contradicts?.(id, stated) : null;
    if (contradiction != null) found('lost', 1, contradiction);
    return findings;
  }
}
