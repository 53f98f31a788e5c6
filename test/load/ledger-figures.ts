import type { Ledger } from '../../src/load/engine.ts';
import { NumberSets } from '../../src/load/number-sets.ts';
import { type CountedRows, compareLedger } from '../../src/probe/counted-rows.ts';
import { HASH_MODULUS } from '../../src/probe/hash-sums.ts';
import { sequenceHash } from '../../src/sequence-hash.ts';

/** Count, sum and maximum of the sent and of the acknowledged numbers of each entity; 0 where there are none. */
export function figuresOf({ base, sent, acked }: Ledger) {
  const column = (figure: (entity: number) => number): Float64Array =>
    base.map((_, entity) => figure(entity));
  const [sentSets, ackedSets] = [NumberSets.from(base, sent), NumberSets.from(base, acked)];
  const max = (sets: NumberSets) => column((id) => (sets.count(id) > 0 ? (sets.max[id] ?? 0) : 0));
  return {
    sentN: column((id) => sentSets.count(id)),
    sentSum: column((id) => sentSets.sum(id)),
    sentMax: max(sentSets),
    ackedN: column((id) => ackedSets.count(id)),
    ackedSum: column((id) => ackedSets.sum(id)),
    ackedMax: max(ackedSets),
  };
}

/** The comparison of a ledger with the rows of these servers. */
export function findings(
  ledger: Ledger,
  servers: readonly { readonly rows: ReadonlyMap<number, readonly number[]> }[],
) {
  const entities = ledger.base.length;
  const rows = rowsOf(
    servers.flatMap((server) => [...server.rows]),
    entities,
  );
  return compareLedger(ledger, rowsOf([], entities), rows);
}

/** A row for each entity, as the integrity check reads it, from the numbers that were applied to it. */
export function rowsOf(
  applied: Iterable<readonly [entity: number, numbers: readonly number[]]>,
  entities: number,
): CountedRows {
  const rows: CountedRows = {
    lastSeq: new Float64Array(entities),
    appliedN: new Float64Array(entities),
    seqSum: new Float64Array(entities),
    seqHash: new Float64Array(entities),
    unknownRows: 0,
  };
  for (const [entity, numbers] of applied) {
    rows.lastSeq[entity] = Math.max(0, ...numbers);
    rows.appliedN[entity] = numbers.length;
    rows.seqSum[entity] = numbers.reduce((sum, number) => sum + number, 0);
    rows.seqHash[entity] = numbers.reduce((sum, number) => sum + sequenceHash(number), 0) % HASH_MODULUS;
  }
  return rows;
}
