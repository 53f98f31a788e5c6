import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/load/engine.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { type CountedRows, compareLedger } from '../../src/probe/counted-rows.ts';
import { random } from '../../src/rng.ts';
import { rowsOf } from '../load/ledger-figures.ts';

/** What the last answer stated of it. */
const PLACE = 4;

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const NO_BREACHES = { forgotten: 0, invented: 0, examples: [] };

/** One entity that sent the numbers 1..sent, and to which those in `acked` were acknowledged. */
function ledgerOf(sent: number, acked: readonly number[], base = 0): Ledger {
  const ledger = new SequenceLedger(1);
  ledger.welcome(0, base);
  for (let number = base + 1; number <= base + sent; number++) ledger.sent(0, number);
  for (const number of acked) ledger.acked(0, number);
  ledger.stated(0, PLACE);
  return ledger.toData();
}

/** The row of a server that applied these, and maybe says something else. */
const rowOf = (
  applied: readonly number[],
  says: { lastSeq?: number; seqSum?: number; place?: number } = {},
): CountedRows => ({
  ...rowsOf([[0, applied]], 1),
  ...(says.lastSeq === undefined ? {} : { lastSeq: Float64Array.of(says.lastSeq) }),
  ...(says.seqSum === undefined ? {} : { seqSum: Float64Array.of(says.seqSum) }),
  contradicts: (_, stated) => (stated === (says.place ?? stated) ? null : `place ${stated} acknowledged`),
});
/** The same where the table has no seq_hash. */
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
  test.each([
    { what: 'all applied', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf([1, 2, 3]), found: {} },
    { what: 'nothing sent', ledger: ledgerOf(0, []), row: fresh, found: {} },
    { what: 'sent, nothing acknowledged or applied', ledger: ledgerOf(3, []), row: fresh, found: {} },
    { what: 'unanswered and applied', ledger: ledgerOf(3, [1, 2]), row: rowOf([1, 2, 3]), found: {} },
    { what: 'unanswered and not applied', ledger: ledgerOf(3, [1, 2]), row: rowOf([1, 2]), found: {} },
    {
      what: 'one of two unanswered applied, below what was acknowledged',
      ledger: ledgerOf(5, [1, 3, 5]),
      row: rowOf([1, 3, 4, 5]),
      found: {},
    },
    {
      what: 'some of many unanswered',
      ledger: ledgerOf(40, [3, 30]),
      row: rowOf([3, 4, 17, 30, 38]),
      found: { open: 1 },
    },
    {
      what: 'all of many unanswered, to the end of the row',
      ledger: ledgerOf(100, [50]),
      row: rowOf(upTo(80)),
      found: {},
    },
    { what: 'the last one gone', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf([1, 2]), found: { lost: 1 } },
    {
      what: 'last_seq put back',
      ledger: ledgerOf(3, [1, 2, 3]),
      row: rowOf([1, 2, 3], { lastSeq: 2 }),
      found: { lost: 1 },
    },
    {
      what: 'last_seq put forward, to what was sent and not applied',
      ledger: ledgerOf(4, [1, 2, 3]),
      row: rowOf([1, 2, 3], { lastSeq: 4 }),
      found: wrong,
    },
    {
      what: 'never sent',
      ledger: ledgerOf(3, [1, 2, 3]),
      row: rowOf([1, 2, 3], { lastSeq: 5 }),
      found: { phantom: 2 },
    },
    {
      what: 'applied twice',
      ledger: ledgerOf(3, [1, 2, 3]),
      row: rowOf([1, 2, 2, 3]),
      found: { duplicated: 1 },
    },
    { what: 'one for another', ledger: ledgerOf(3, [1, 2, 3]), row: rowOf([1, 1, 3]), found: wrong },
    {
      what: 'an acknowledged one missing beside one unanswered',
      ledger: ledgerOf(3, [1, 2]),
      row: rowOf([2, 3]),
      found: wrong,
    },
    {
      what: 'an unanswered one twice in place of an acknowledged one',
      ledger: ledgerOf(6, [1, 2, 3, 5]),
      row: rowOf([1, 2, 4, 4, 5]),
      found: wrong,
    },
    {
      what: 'a sum beyond all that was sent',
      ledger: ledgerOf(3, [1, 2]),
      row: rowOf([1, 2, 3], { seqSum: 999 }),
      found: wrong,
    },
    {
      what: 'nothing acknowledged, and others applied than were sent',
      ledger: ledgerOf(3, []),
      row: rowOf([1, 2, 3], { seqSum: 999 }),
      found: { holes: 1 },
    },
    {
      what: 'a row of nobody',
      ledger: ledgerOf(1, [1]),
      row: { ...rowOf([1]), strangers: 1 },
      found: { phantom: 1 },
    },
    {
      what: 'moved by hand',
      ledger: ledgerOf(3, [1, 2, 3]),
      row: rowOf([1, 2, 3], { place: 5 }),
      found: { lost: 1 },
    },
    {
      what: 'moved by hand, beside an unanswered one that was not applied',
      ledger: ledgerOf(3, [1, 2]),
      row: rowOf([1, 2], { place: 5 }),
      found: { lost: 1 },
    },
    {
      what: 'rows without places',
      ledger: ledgerOf(1, [1]),
      row: rowOf([1]),
      found: {},
    },
    {
      what: 'elsewhere, unanswered',
      ledger: ledgerOf(3, [1, 2]),
      row: rowOf([1, 2, 3], { place: 5 }),
      found: {},
    },
  ])('$what', ({ ledger, row, found }) => {
    expect(compareLedger(ledger, as(fresh), as(row))).toMatchObject({ ...none, ...found, hashed });
  });

  test('a table that was used before counts from where it stood', () => {
    const ledger = { ...ledgerOf(2, [11, 12], 10), told: Float64Array.of(0) };
    expect(compareLedger(ledger, as(rowOf(upTo(10))), as(rowOf(upTo(12))))).toMatchObject({
      ...none,
      ...{ sent: 2, acked: 2, applied: 2 },
    });
  });
});

/** What makes up for a lost number in count, sum and highest number: only the hashes know. */
test.each([
  {
    what: 'doubled ones',
    ledger: ledgerOf(10, upTo(10)),
    applied: [1, 2, 3, 4, 4, 7, 7, 8, 9, 10],
  },
  {
    what: 'equal in the sum of squares, too',
    ledger: ledgerOf(8, [2, 3, 7, 8]),
    applied: [1, 5, 6, 8],
  },
  {
    what: 'unanswered ones',
    ledger: ledgerOf(12, [1, 2, 3, 5, 7, 8, 10, 11, 12]),
    // 3 and 8 are gone, 4 and 7 again are there.
    applied: [1, 2, 4, 5, 7, 7, 10, 11, 12],
  },
])('a loss that $what make up for', ({ ledger, applied }) => {
  expect(compareLedger(ledger, fresh, rowOf(applied))).toMatchObject({ ...none, ...wrong });
  const blind = compareLedger(ledger, unhashed(fresh), unhashed(rowOf(applied)));
  expect(blind).toMatchObject({ ...none, hashed: false });
});

test('an honest server is never called one that lost, and one that lies is found out', () => {
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
    const ledger = { ...ledgerOf(sent, acked, base), told: Float64Array.of(0) };
    for (const as of [(rows: CountedRows) => rows, unhashed]) {
      expect(compareLedger(ledger, as(before), as(row(applied)))).toMatchObject({
        ...none,
        open: expect.any(Number),
      });
    }
    if (acked.length < 2) continue;
    // One acknowledged number is not applied; any others are, so that the count is right.
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

test('at most ten examples, all counted', () => {
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

test('of numbers that are known by count and sum alone, count and sum have to agree', () => {
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
