import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/load/engine.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { type CountedRows, compareLedger } from '../../src/probe/counted-rows.ts';
import { random } from '../../src/rng.ts';
import { rowsOf } from '../load/ledger-figures.ts';

/** The place that the last answer stated for the entity. */
const PLACE = 4;

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const NO_BREACHES = { forgotten: 0, invented: 0, examples: [] };

/** One entity that sent the numbers 1..sent, of which those in `acked` were acknowledged. */
function ledgerOf(sent: number, acked: readonly number[], base = 0): Ledger {
  const ledger = new SequenceLedger(1);
  ledger.welcome(0, base);
  for (let number = base + 1; number <= base + sent; number++) ledger.sent(0, number);
  for (const number of acked) ledger.acked(0, number);
  ledger.stated(0, PLACE);
  return ledger.toData();
}

/** The row of a server that applied these numbers; `says` changes what the row states. */
const rowOf = (
  applied: readonly number[],
  says: { lastSeq?: number; seqSum?: number; place?: number } = {},
): CountedRows => ({
  ...rowsOf([[0, applied]], 1),
  ...(says.lastSeq === undefined ? {} : { lastSeq: Float64Array.of(says.lastSeq) }),
  ...(says.seqSum === undefined ? {} : { seqSum: Float64Array.of(says.seqSum) }),
  contradicts: (_, stated) => (stated === (says.place ?? stated) ? null : `place ${stated} acknowledged`),
});
/** The same rows from a table without seq_hash. */
const unhashed = (rows: CountedRows): CountedRows => ({
  ...rows,
  seqHash: rows.seqHash.map(() => Number.NaN),
});

const fresh = rowOf([]);
const none = { lost: 0, phantom: 0, duplicated: 0, holes: 0, open: 0 };
const wrong = { lost: 1, holes: 1 };

describe.each([
  { shape: 'with hashes', as: (rows: CountedRows) => rows, hashed: true },
  { shape: 'by sums alone', as: unhashed, hashed: false },
])('$shape', ({ as, hashed }) => {
  const all = ledgerOf(3, [1, 2, 3]);
  const two = ledgerOf(3, [1, 2]);
  test.each<[what: string, ledger: Ledger, row: CountedRows, found: object]>([
    ['all applied', all, rowOf([1, 2, 3]), {}],
    ['nothing sent', ledgerOf(0, []), fresh, {}],
    ['sent, nothing acknowledged or applied', ledgerOf(3, []), fresh, {}],
    ['unanswered and applied', two, rowOf([1, 2, 3]), {}],
    ['unanswered and not applied', two, rowOf([1, 2]), {}],
    ['one of two unanswered applied, below acknowledged', ledgerOf(5, [1, 3, 5]), rowOf([1, 3, 4, 5]), {}],
    ['some of many unanswered', ledgerOf(40, [3, 30]), rowOf([3, 4, 17, 30, 38]), { open: 1 }],
    ['all of many unanswered, to the end of the row', ledgerOf(100, [50]), rowOf(upTo(80)), {}],
    ['the last one gone', all, rowOf([1, 2]), { lost: 1 }],
    ['last_seq put back', all, rowOf([1, 2, 3], { lastSeq: 2 }), { lost: 1 }],
    [
      'last_seq put forward, to one not applied',
      ledgerOf(4, [1, 2, 3]),
      rowOf([1, 2, 3], { lastSeq: 4 }),
      wrong,
    ],
    ['never sent', all, rowOf([1, 2, 3], { lastSeq: 5 }), { phantom: 2 }],
    ['applied twice', all, rowOf([1, 2, 2, 3]), { duplicated: 1 }],
    ['one for another', all, rowOf([1, 1, 3]), wrong],
    ['an acknowledged one missing beside one unanswered', two, rowOf([2, 3]), wrong],
    [
      'an unanswered one twice for an acknowledged one',
      ledgerOf(6, [1, 2, 3, 5]),
      rowOf([1, 2, 4, 4, 5]),
      wrong,
    ],
    ['a sum beyond all that was sent', two, rowOf([1, 2, 3], { seqSum: 999 }), wrong],
    [
      'none acknowledged, others applied than sent',
      ledgerOf(3, []),
      rowOf([1, 2, 3], { seqSum: 999 }),
      { holes: 1 },
    ],
    ['a row of an unknown entity', ledgerOf(1, [1]), { ...rowOf([1]), unknownRows: 1 }, { phantom: 1 }],
    ['moved by hand', all, rowOf([1, 2, 3], { place: 5 }), { lost: 1 }],
    [
      'moved by hand, beside an unanswered one that was not applied',
      two,
      rowOf([1, 2], { place: 5 }),
      { lost: 1 },
    ],
    ['elsewhere, unanswered', two, rowOf([1, 2, 3], { place: 5 }), {}],
  ])('%s', (_what, ledger, row, found) => {
    expect(compareLedger(ledger, as(fresh), as(row))).toMatchObject({ ...none, ...found, hashed });
  });

  test('a table that was used before counts from its earlier state', () => {
    const ledger = ledgerOf(2, [11, 12], 10);
    expect(compareLedger(ledger, as(rowOf(upTo(10))), as(rowOf(upTo(12))))).toMatchObject({
      ...none,
      ...{ sent: 2, acked: 2, applied: 2 },
    });
  });
});

/** Numbers that hide a loss from count, sum and highest number: only the hashes show it. */
test.each<[what: string, ledger: Ledger, applied: readonly number[]]>([
  ['doubled ones', ledgerOf(10, upTo(10)), [1, 2, 3, 4, 4, 7, 7, 8, 9, 10]],
  ['others, equal in the sum of squares, too,', ledgerOf(8, [2, 3, 7, 8]), [1, 5, 6, 8]],
  // 3 and 8 are missing, 4 and 7 were applied twice.
  ['unanswered ones', ledgerOf(12, [1, 2, 3, 5, 7, 8, 10, 11, 12]), [1, 2, 4, 5, 7, 7, 10, 11, 12]],
])('a loss that %s make up for', (_what, ledger, applied) => {
  expect(compareLedger(ledger, fresh, rowOf(applied))).toMatchObject({ ...none, ...wrong });
  const blind = compareLedger(ledger, unhashed(fresh), unhashed(rowOf(applied)));
  expect(blind).toMatchObject({ ...none, hashed: false });
});

test('a correct server is never reported as losing writes, and an incorrect one is detected', () => {
  let [lies, missed] = [0, 0];
  for (let seed = 1; seed <= 400; seed++) {
    const draw = random(seed, 31);
    const base = Math.floor(draw() * 3) * 1000;
    const sent = 2 + Math.floor(draw() * 30);
    const numbers = upTo(sent).map((number) => base + number);
    const share = draw();
    const acked = numbers.filter(() => draw() < 0.5 + share / 2);
    const open = numbers.filter((number) => !acked.includes(number));
    const applied = [...acked, ...open.filter(() => draw() < 0.5)];
    const before = rowOf(upTo(base));
    const row = (own: readonly number[]) => rowOf([...upTo(base), ...own]);
    const ledger = ledgerOf(sent, acked, base);
    for (const as of [(rows: CountedRows) => rows, unhashed]) {
      expect(compareLedger(ledger, as(before), as(row(applied)))).toMatchObject({
        ...none,
        open: expect.any(Number),
      });
    }
    if (acked.length < 2) continue;
    // One acknowledged number is not applied; others make the count right.
    const lost = acked[Math.floor(draw() * (acked.length - 1))];
    const lying = applied.filter((number) => number !== lost);
    lying.push(applied[Math.floor(draw() * applied.length)] ?? 0);
    if (lying.at(-1) === lost) continue;
    lies += 1;
    const { lost: found, holes, open: undecided } = compareLedger(ledger, before, row(lying));
    if (found + holes === 0) missed += 1;
    if (open.length <= 20) expect(undecided).toBe(0);
  }
  expect(lies).toBeGreaterThan(200);
  expect(missed).toBe(0);
});

test('at most ten examples are listed, and all losses are counted', () => {
  const size = 50;
  const ledger = new SequenceLedger(size);
  for (let entity = 0; entity < size; entity++) {
    ledger.sent(entity, 1);
    ledger.acked(entity, 1);
  }
  const findings = compareLedger(ledger.toData(), rowsOf([], size), rowsOf([], size));
  expect(findings.lost).toBe(size);
  expect(findings.examples).toHaveLength(10);
});

test('where only count and sum of the numbers are known, both have to agree', () => {
  const ledger: Ledger = {
    base: Float64Array.of(0),
    sent: { max: Float64Array.of(20), gaps: new Float64Array(0), blurred: new Float64Array(0) },
    // 1 and 20 were acknowledged, and two of the others, which add up to 21.
    acked: {
      max: Float64Array.of(20),
      gaps: Float64Array.of(0, 2, 19),
      blurred: Float64Array.of(0, 2, 21),
    },
    stated: Float64Array.of(0),
    breaches: NO_BREACHES,
  };
  const found = (applied: readonly number[]) => compareLedger(ledger, fresh, rowOf(applied));
  expect(found([1, 9, 12, 20])).toMatchObject({ ...none, acked: 4, open: 1 });
  expect(found([1, 9, 12, 15, 20])).toMatchObject({ ...none, open: 1 });
  expect(found([1, 9, 13, 20])).toMatchObject({ ...none, ...wrong });
  expect(found([1, 9, 20])).toMatchObject({ ...none, lost: 1 });
});
