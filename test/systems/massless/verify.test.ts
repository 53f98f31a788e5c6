import { expect, test } from 'vitest';
import { SequenceLedger } from '../../../src/load/ledger.ts';
import { excusableNumbers, type Outage } from '../../../src/probe/excuses.ts';
import { compareNumbers } from '../../../src/probe/stored-numbers.ts';
import { sequenceHash } from '../../../src/sequence-hash.ts';
import { statedPlace } from '../../../src/systems/massless/stated-place.ts';
import { type CharacterRow, type StoredRows, storedNumbers } from '../../../src/systems/massless/verify.ts';

const EXPECTED = { players: 2, zones: 2, itemsPerCharacter: 2 };
const LOSSES = [{ of: 'world-1', withinSeconds: 3, by: ['kill'] as const }];

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A row that has these numbers applied. */
const rowOf = (id: number, numbers: readonly number[], more: Partial<CharacterRow> = {}): CharacterRow => ({
  ...{ id, zone: 0, x: 1, z: 2, transferSeq: 0 },
  lastSeq: Math.max(0, ...numbers),
  appliedN: numbers.length,
  seqSum: numbers.reduce((sum, one) => sum + one, 0),
  seqHash: numbers.reduce((sum, one) => sum + sequenceHash(one), 0),
  ...more,
});

/** Player 0 begins with the items 1 and 2, player 1 with 3 and 4. */
const ITEMS = range(1, 4).map((item) => ({ item, owner: item < 3 ? 0 : 1 }));

const stored = (rows: Partial<StoredRows>): StoredRows => ({
  characters: [rowOf(0, []), rowOf(1, [])],
  ...{ trades: [], items: ITEMS },
  ...rows,
});

/** A ledger in which player 0 sent and got acknowledged these numbers, at second 1; `trades` are saved. */
function ledgerOf(sent: number, acked: readonly number[], trades: readonly number[] = []) {
  let at = 1e6;
  const ledger = new SequenceLedger(2, { timed: true, rejected: 'unrecorded' }, () => at);
  for (const id of [0, 1]) ledger.welcome(id, 0);
  for (const number of range(1, sent)) ledger.sent(0, number);
  for (const number of acked) ledger.acked(0, number);
  for (const number of trades) ledger.saved(0, number, number);
  return Object.assign(ledger, {
    later: (seconds: number) => {
      at = seconds * 1e6;
    },
  });
}

function found(
  rows: Partial<StoredRows>,
  ledger: SequenceLedger,
  { end = true, outages = [] as readonly Outage[] } = {},
) {
  const data = ledger.toData();
  const numbers = storedNumbers(stored(rows), data, EXPECTED, end);
  const { lost, phantom, duplicated, lostInWindow, applied, examples } = compareNumbers(
    data,
    numbers,
    excusableNumbers(data.levels, LOSSES, outages),
  );
  return { lost, phantom, duplicated, lostInWindow, applied, examples };
}

const NOTHING_LOST = { lost: 0, phantom: 0, duplicated: 0, lostInWindow: 0, examples: [] };
const TRADE = { giver: 0, taker: 1, seq: 3, item: 1 };
const TRADED = { trades: [TRADE], items: ITEMS.map((one) => (one.item === 1 ? { item: 1, owner: 1 } : one)) };

test('a row with all inputs, and the trades in their table, prove what was acknowledged', () => {
  const ledger = ledgerOf(5, range(1, 5), [3]);
  const characters = [rowOf(0, [1, 2, 4, 5]), rowOf(1, [])];
  expect(found({ ...TRADED, characters }, ledger)).toEqual({ ...NOTHING_LOST, applied: 5 });
});

test('unanswered inputs may be in a row or not; a refused trade leaves no trace', () => {
  const ledger = ledgerOf(6, [1, 2, 4]);
  for (const numbers of [
    [1, 2, 4],
    [1, 2, 4, 5],
    [1, 2, 4, 5, 6],
  ])
    expect(found({ characters: [rowOf(0, numbers), rowOf(1, [])] }, ledger)).toMatchObject(NOTHING_LOST);
});

test('during the load a row may be saved after the record was taken, and not at the end', () => {
  const ledger = ledgerOf(5, range(1, 5));
  const characters = [rowOf(0, range(1, 9)), rowOf(1, [])];
  expect(found({ characters }, ledger, { end: false })).toMatchObject(NOTHING_LOST);
  expect(found({ characters }, ledger)).toMatchObject({ lost: 1 });
  const torn = [rowOf(0, [1, 2, 4, 5]), rowOf(1, [])];
  expect(found({ characters: torn }, ledger, { end: false })).toMatchObject({ lost: 1 });
});

test.each<[what: string, rows: Partial<StoredRows>, example: RegExp]>([
  [
    'an input below the last one of the row',
    { characters: [rowOf(0, [1, 2, 5]), rowOf(1, [])] },
    /4 inputs acknowledged up to 5, and 3 applied/,
  ],
  [
    'another number in its place',
    { characters: [rowOf(0, [1, 2, 3, 5], { seqSum: 12 }), rowOf(1, [])] },
    /are not the 4 acknowledged up to 5/,
  ],
  [
    'a number twice',
    { characters: [rowOf(0, [1, 2, 4, 5, 5]), rowOf(1, [])] },
    /4 inputs sent up to 5, and 5 applied/,
  ],
  [
    'a number that was never sent',
    { characters: [rowOf(0, [1, 2, 4, 5, 9]), rowOf(1, [])] },
    /ends at 9, and 5 was the last sent/,
  ],
  [
    'inputs after the last save',
    { characters: [rowOf(0, [1, 2]), rowOf(1, [])] },
    /number 4 was acknowledged, and no store has it/,
  ],
  ['a trade', { trades: [], items: ITEMS }, /number 3 was reported as saved, and is not/],
  ['half of a trade: the item stayed', { items: ITEMS }, /item 1: began with character 0, is with 0/],
  [
    'the other half: nobody gave it',
    { trades: [{ ...TRADE, item: 2 }] },
    /item 1: began with character 0, is with 1, and its trades do not lead there/,
  ],
  ['an item', { items: TRADED.items.filter(({ item }) => item !== 4) }, /item 4: destroyed/],
  ['or one too many', { items: [...TRADED.items, { item: -1, owner: 1 }] }, /item -1: made out of nothing/],
  ['a zone', { characters: [rowOf(0, [1, 2, 4, 5], { zone: 2 }), rowOf(1, [])] }, /in zone 2/],
  [
    'a character too many',
    { characters: [rowOf(0, [1, 2, 4, 5]), rowOf(1, []), rowOf(2, [])] },
    /character 2: a row too many/,
  ],
])('what is wrong is found: %s', (_, rows, example) => {
  const ledger = ledgerOf(5, range(1, 5), [3]);
  const characters = [rowOf(0, [1, 2, 4, 5]), rowOf(1, [])];
  const { lost, examples } = found({ ...TRADED, characters, ...rows }, ledger);
  expect(lost).toBeGreaterThan(0);
  expect(examples.join('\n')).toMatch(example);
});

test('a trade that was never offered is a phantom', () => {
  const ledger = ledgerOf(2, [1, 2]);
  const characters = [rowOf(0, [1, 2]), rowOf(1, [])];
  expect(found({ ...TRADED, characters }, ledger)).toMatchObject({ phantom: 1 });
});

test('a place is held against the row only where the row has exactly what was acknowledged', () => {
  const ledger = ledgerOf(3, [1, 2]);
  ledger.stated(0, statedPlace({ x: 9, z: 2 }));
  expect(found({ characters: [rowOf(0, [1, 2]), rowOf(1, [])] }, ledger)).toMatchObject({
    lost: 1,
    examples: ['character 0: acknowledged at 9, 2, and saved at 1, 2'],
  });
  expect(found({ characters: [rowOf(0, [1, 2, 3]), rowOf(1, [])] }, ledger)).toMatchObject(NOTHING_LOST);
  expect(found({ characters: [rowOf(0, [1, 2], { x: 9 }), rowOf(1, [])] }, ledger)).toMatchObject(
    NOTHING_LOST,
  );
});

test('during the load what is not saved yet is in memory, but for what a welcome lacks', () => {
  const ledger = ledgerOf(6, range(1, 6));
  const characters = [rowOf(0, [1, 2]), rowOf(1, [])];
  expect(found({ characters }, ledger, { end: false })).toMatchObject(NOTHING_LOST);
  expect(found({ characters }, ledger)).toMatchObject({ lost: 4 });
  ledger.lacks(0, range(3, 6));
  expect(found({ characters }, ledger, { end: false })).toMatchObject({ lost: 4 });
});

test('a kill excuses the places since the last save, a restart nothing; trades are never excused', () => {
  const outage = (action: Outage['action']): Outage => ({ of: 'world-1', action, from: 2e6, to: 2.5e6 });
  const ledger = ledgerOf(6, range(1, 6), [3]);
  ledger.lacks(0, [5, 6]);
  ledger.later(4);
  for (const number of [7, 8]) {
    ledger.sent(0, number);
    ledger.acked(0, number);
  }
  const rows = { ...TRADED, characters: [rowOf(0, [1, 2, 4, 7, 8]), rowOf(1, [])] };
  expect(found(rows, ledger, { outages: [outage('kill')] })).toEqual({
    ...NOTHING_LOST,
    ...{ lostInWindow: 2, applied: 6 },
  });
  expect(found(rows, ledger, { outages: [outage('restart')] })).toMatchObject({ lost: 2, lostInWindow: 0 });
  expect(found({ ...rows, trades: [], items: ITEMS }, ledger, { outages: [outage('kill')] })).toMatchObject({
    lost: 1,
    lostInWindow: 2,
  });
});

test('numbers that a server lacks and had reported as saved are a breach at once', () => {
  const ledger = ledgerOf(4, range(1, 4), [3]);
  ledger.lacks(0, [3, 4]);
  expect(ledger.toData().breaches).toMatchObject({ forgotten: 1 });
  expect([...ledger.toData().levels!.forgotten]).toEqual([0, 4, 1e6]);
});
