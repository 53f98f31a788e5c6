import { expect, test } from 'vitest';
import type { Ledger } from '../../src/load/engine.ts';
import { compareLedger, type Rows } from '../../src/probe/integrity.ts';

/** Where the last answer put the player. */
const PLACE = 4;

/** One entity whose operations 1..sent were sent, and those in `acked` acknowledged. */
function ledgerOf(sent: number, acked: readonly number[]): Ledger {
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    sentN: Float64Array.of(sent),
    sentSum: Float64Array.of((sent * (sent + 1)) / 2),
    sentMax: Float64Array.of(sent),
    ackedN: Float64Array.of(acked.length),
    ackedSum: Float64Array.of(sum(acked)),
    ackedMax: Float64Array.of(Math.max(0, ...acked)),
    told: Float64Array.of(1 + PLACE),
  };
}

const rowOf = (lastSeq: number, appliedN: number, seqSum: number, place = PLACE): Rows => ({
  lastSeq: Float64Array.of(lastSeq),
  appliedN: Float64Array.of(appliedN),
  seqSum: Float64Array.of(seqSum),
  place: Float64Array.of(place),
  strangers: 0,
});
const fresh = rowOf(0, 0, 0);
const none = { lost: 0, phantom: 0, duplicated: 0, holes: 0 };

test.each([
  { what: 'all applied', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(3, 3, 6), found: {} },
  { what: 'nothing sent', ledger: ledgerOf(0, []), row: fresh, found: {} },
  { what: 'unanswered and applied', ledger: ledgerOf(3, [1, 2]), row: rowOf(3, 3, 6), found: {} },
  { what: 'unanswered and not applied', ledger: ledgerOf(3, [1, 2]), row: rowOf(2, 2, 3), found: {} },
  { what: 'the last one gone', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(2, 2, 3), found: { lost: 1 } },
  { what: 'last_seq put back', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(2, 3, 6), found: { lost: 1 } },
  { what: 'never sent', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(5, 3, 6), found: { phantom: 2 } },
  { what: 'applied twice', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(3, 4, 8), found: { duplicated: 1 } },
  { what: 'one for another', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(3, 3, 5), found: { holes: 1 } },
  {
    what: 'an acknowledged one missing beside one unanswered',
    ledger: ledgerOf(3, [1, 2]),
    row: rowOf(3, 2, 5),
    found: { holes: 1 },
  },
  {
    what: 'a sum beyond all that was sent',
    ledger: ledgerOf(3, [1, 2]),
    row: rowOf(3, 3, 999),
    found: { holes: 1 },
  },
  {
    what: 'a row of nobody',
    ledger: ledgerOf(1, [1]),
    row: { ...rowOf(1, 1, 1), strangers: 1 },
    found: { phantom: 1 },
  },
  { what: 'moved by hand', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf(3, 3, 6, 5), found: { lost: 1 } },
  { what: 'rows without places', ledger: ledgerOf(1, [1]), row: rowOf(1, 1, 1, Number.NaN), found: {} },
  { what: 'elsewhere, unanswered', ledger: ledgerOf(3, [1, 2]), row: rowOf(3, 3, 6, 5), found: {} },
])('$what', ({ ledger, row, found }) => {
  expect(compareLedger(ledger, fresh, row)).toMatchObject({ ...none, ...found });
});

test('a table that was used before counts from where it stood', () => {
  const ledger: Ledger = {
    sentN: Float64Array.of(2),
    sentSum: Float64Array.of(11 + 12),
    sentMax: Float64Array.of(12),
    ackedN: Float64Array.of(2),
    ackedSum: Float64Array.of(11 + 12),
    ackedMax: Float64Array.of(12),
    told: Float64Array.of(0),
  };
  expect(compareLedger(ledger, rowOf(10, 10, 55), rowOf(12, 12, 78))).toMatchObject({
    ...none,
    sent: 2,
    acked: 2,
    applied: 2,
  });
});

test('at most ten examples, all counted', () => {
  const size = 50;
  const filled = (value: number): Float64Array => new Float64Array(size).fill(value);
  const ledger: Ledger = {
    sentN: filled(1),
    sentSum: filled(1),
    sentMax: filled(1),
    ackedN: filled(1),
    ackedSum: filled(1),
    ackedMax: filled(1),
    told: filled(0),
  };
  const empty: Rows = {
    lastSeq: filled(0),
    appliedN: filled(0),
    seqSum: filled(0),
    place: filled(0),
    strangers: 0,
  };
  const findings = compareLedger(ledger, empty, empty);
  expect(findings.lost).toBe(size);
  expect(findings.examples).toHaveLength(10);
});
