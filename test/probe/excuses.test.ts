import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/load/engine.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { excusableNumbers, type Outage, type StatedLoss, welcomeBreaches } from '../../src/probe/excuses.ts';
import { compareNumbers, type StoredNumbers } from '../../src/probe/stored-numbers.ts';

const WITHIN_6: readonly StatedLoss[] = [{ of: 'redis', withinSeconds: 6 }];
const AT_ANY_TIME: readonly StatedLoss[] = [{ of: 'redis', withinSeconds: null }];

const outage = (from: number, to: number | null, over: Partial<Outage> = {}): Outage => ({
  ...{ of: 'redis', action: 'kill', from: from * 1e6, to: to === null ? null : to * 1e6 },
  ...over,
});

/** One entity: what it sent beyond the acknowledged, and when each was acknowledged. */
function ledgerOf(
  acked: Readonly<Record<number, number>>,
  more: { readonly sent?: number; readonly saved?: number; readonly welcome?: number } = {},
): Ledger {
  let now = 0;
  const ledger = new SequenceLedger(1, { timed: true }, () => now * 1e6);
  const last = Math.max(...Object.keys(acked).map(Number));
  for (let number = 1; number <= Math.max(last, more.sent ?? 0); number++) ledger.sent(0, number);
  for (const [number, at] of Object.entries(acked)) {
    now = at;
    ledger.acked(0, Number(number));
  }
  if (more.saved !== undefined) ledger.saved(0, 1, more.saved);
  if (more.welcome !== undefined) ledger.resume(0, more.welcome, last, []);
  return ledger.toData();
}

const excused = (ledger: Ledger, losses: readonly StatedLoss[], outages: readonly Outage[]): number[] => [
  ...(excusableNumbers(ledger.levels, losses, outages).get(0) ?? []),
];

/** Numbers acknowledged at 1, 4, 10.5 and 13 s; the outage is from 10 to 12 s. */
const four = { 1: 1, 2: 4, 3: 10.5, 4: 13 };
const redisAway = [outage(10, 12)];

test.each<
  [what: string, ledger: Ledger, losses: readonly StatedLoss[], outages: readonly Outage[], numbers: number[]]
>([
  ['in the window, to both edges', ledgerOf(four), WITHIN_6, redisAway, [2, 3]],
  ['just outside the window', ledgerOf({ 1: 3.999, 2: 10.501 }), WITHIN_6, redisAway, []],
  ['while the component is away', ledgerOf({ 1: 11, 2: 12 }), WITHIN_6, redisAway, []],
  ['at any time before', ledgerOf(four), AT_ANY_TIME, redisAway, [1, 2, 3]],
  ['an outage that goes on', ledgerOf(four), WITHIN_6, [outage(10, null)], [2, 3]],
  ['reported as saved, whenever that was', ledgerOf(four, { saved: 2 }), WITHIN_6, redisAway, [3]],
  ['two outages', ledgerOf(four), WITHIN_6, [outage(2, 3), outage(12.5, 14)], [1, 3, 4]],
  ['an outage of something else', ledgerOf(four), WITHIN_6, [outage(10, 12, { of: 'world-1' })], []],
  ['stopped, which forgets nothing', ledgerOf(four), WITHIN_6, [outage(10, 12, { action: 'stop' })], []],
  ['restarted', ledgerOf(four), WITHIN_6, [outage(10, 12, { action: 'restart' })], [2, 3]],
  ['forgotten by a welcome', ledgerOf(four, { welcome: 2 }), WITHIN_6, redisAway, [2, 3]],
  ['no loss is stated', ledgerOf(four), [], redisAway, []],
])('excusable: %s', (_, ledger, losses, outages, numbers) => {
  expect(excused(ledger, losses, outages)).toEqual(numbers);
});

test('a welcome without unsaved numbers is a loss where no outage excuses them', () => {
  const ledger = ledgerOf(four, { saved: 1, welcome: 1 });
  expect(welcomeBreaches(ledger, WITHIN_6, redisAway)).toMatchObject({
    forgotten: 1,
    examples: ['entity 0: welcomed without number 4, which was acknowledged at 13.0 s'],
  });
  expect(welcomeBreaches(ledger, [], redisAway).forgotten).toBe(3);
  expect(welcomeBreaches(ledgerOf(four, { saved: 4, welcome: 2 }), AT_ANY_TIME, redisAway).forgotten).toBe(2);
  expect(welcomeBreaches(new SequenceLedger(1).toData(), [], []).forgotten).toBe(0);
});

const nothing = { lost: 0, lostInWindow: 0, phantom: 0, duplicated: 0, holes: 0, open: 0 };

describe('stores with every number', () => {
  const stored = (
    kept: readonly number[],
    saved: readonly number[] = [],
    wrong: readonly string[] = [],
  ): StoredNumbers => ({
    kept: new Map([[0, kept]]),
    saved: new Map([[0, saved]]),
    wrong,
  });
  const saved2 = ledgerOf(four, { saved: 2, sent: 6 });
  test.each<[what: string, ledger: Ledger, stores: StoredNumbers, found: object]>([
    ['all kept', ledgerOf(four), stored([1, 2, 3, 4]), {}],
    ['some saved, the others kept', saved2, stored([3, 4], [1, 2]), { saved: 2, unreported: 0 }],
    ['saved, and not reported', saved2, stored([4], [1, 2, 3]), { saved: 2, unreported: 1 }],
    ['unanswered, and there', saved2, stored([3, 4, 6], [1, 2]), {}],
    ['the excusable ones missing', ledgerOf(four), stored([1, 4]), { lostInWindow: 2 }],
    ['others missing, too', ledgerOf(four), stored([2]), { lost: 2, lostInWindow: 1 }],
    ['reported as saved, and only in a store above', saved2, stored([1, 2, 3, 4], [1]), { lost: 1 }],
    ['reported as saved, and nowhere', saved2, stored([3, 4], [1]), { lost: 1 }],
    ['never sent', saved2, stored([1, 2, 3, 4, 7], [1, 2]), { phantom: 1 }],
    ['kept twice', saved2, stored([1, 1, 2, 3, 4], [1, 2]), {}],
    ['saved twice', saved2, stored([3, 4], [1, 2, 2]), { duplicated: 1 }],
    [
      'whatever else is wrong',
      saved2,
      stored([3, 4], [1, 2], ['match 3 has 19 answers']),
      { lost: 1, examples: ['match 3 has 19 answers'] },
    ],
  ])('%s', (_, ledger, stores, found) => {
    const excusable = excusableNumbers(ledger.levels, WITHIN_6, redisAway);
    expect(compareNumbers(ledger, stores, excusable)).toMatchObject({ ...nothing, ...found });
  });

  test('numbers of before the run do not count', () => {
    const ledger = new SequenceLedger(1, { timed: true });
    ledger.welcome(0, 5);
    ledger.sent(0, 6);
    ledger.acked(0, 6);
    const findings = compareNumbers(ledger.toData(), stored([1, 2, 6]), null);
    expect(findings).toMatchObject({ sent: 1, acked: 1, applied: 1, lost: 0, phantom: 0 });
    expect(findings).not.toHaveProperty('lostInWindow');
  });

  test('what nobody can have sent is phantom: of an entity that the run does not have, or no number', () => {
    const ledger = new SequenceLedger(1, { timed: true });
    ledger.sent(0, 1);
    ledger.acked(0, 1);
    const of = (numbers: readonly number[]) =>
      new Map([
        [0, [1, ...numbers]],
        [7, [3]],
      ] as const);
    const findings = compareNumbers(ledger.toData(), { kept: of([0]), saved: of([]), wrong: [] }, null);
    expect(findings).toMatchObject({ lost: 0, phantom: 2, duplicated: 0 });
    expect(findings.examples).toContain('entity 7: a store has its number 3, and the run has no such entity');
  });
});
