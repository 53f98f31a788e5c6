import { expect, test } from 'vitest';
import { SequenceLedger } from '../../src/load/ledger.ts';
import type { LedgerPlan } from '../../src/scenario/system-scenario.ts';

/** A ledger with a clock that the test sets, in seconds. */
function ledgerOf(plan: LedgerPlan = { timed: true }, entities = 2) {
  let at = 0;
  const ledger = new SequenceLedger(entities, plan, () => at * 1e6);
  return {
    ledger,
    at(seconds: number): SequenceLedger {
      at = seconds;
      return ledger;
    },
    levels() {
      const { breaches, levels } = ledger.toData();
      const { saved, savedCount, unsaved, forgotten } = levels!;
      return {
        breaches,
        savedMax: [...saved.max],
        savedCount,
        unsaved: [...unsaved],
        forgotten: [...forgotten],
      };
    },
  };
}

const sendAndAck = (ledger: SequenceLedger, entity: number, ...numbers: readonly number[]): void => {
  for (const number of numbers) {
    ledger.sent(entity, number);
    ledger.acked(entity, number);
  }
};

test('what was acknowledged is kept with its time until it is reported as saved', () => {
  const { at, levels } = ledgerOf();
  sendAndAck(at(1), 0, 1, 2);
  sendAndAck(at(3), 1, 1);
  // Acknowledged again: the first time counts.
  at(4).acked(0, 2);
  expect(levels()).toMatchObject({ savedCount: 0, unsaved: [0, 1, 1e6, 0, 2, 1e6, 1, 1, 3e6] });
  at(5).saved(0, 1, 2);
  expect(levels()).toMatchObject({ savedCount: 2, savedMax: [2, 0], unsaved: [1, 1, 3e6] });
  // Reported once more.
  at(6).saved(0, 1, 2);
  expect(levels()).toMatchObject({ savedCount: 2, breaches: { invented: 0 } });
});

test('a number that is reported as saved before its answer counts as acknowledged', () => {
  const { ledger, levels } = ledgerOf();
  for (const number of [1, 2]) ledger.sent(0, number);
  ledger.saved(0, 1, 2);
  expect(ledger.ackedNumbers.count(0)).toBe(2);
  ledger.acked(0, 1);
  expect(levels()).toMatchObject({ savedCount: 2, unsaved: [] });
});

test('where rejected operations leave no trace, only an answer acknowledges, whatever range is saved', () => {
  const { ledger, levels } = ledgerOf({ timed: true, rejected: 'unrecorded' });
  for (const number of [1, 2, 3]) ledger.sent(0, number);
  ledger.acked(0, 1);
  // 2 was rejected; the answer of 3 is on its way.
  ledger.saved(0, 1, 3);
  expect(levels()).toMatchObject({ savedCount: 1, unsaved: [] });
  ledger.acked(0, 3);
  expect(levels()).toMatchObject({ savedCount: 2, unsaved: [] });
  expect(ledger.ackedNumbers.has(0, 2)).toBe(false);
  // A welcome proves its own number, and none below.
  for (const number of [4, 5, 6]) ledger.sent(0, number);
  expect(ledger.resume(0, 5, 6, [4, 5, 6])).toEqual({ last: 5, breach: null });
  expect([4, 5, 6].map((number) => ledger.ackedNumbers.has(0, number))).toEqual([false, true, false]);
});

test('a report of numbers that were never sent is invented', () => {
  const { ledger, levels } = ledgerOf();
  sendAndAck(ledger, 0, 1);
  ledger.saved(0, 1, 4);
  expect(levels()).toMatchObject({
    savedCount: 1,
    breaches: { invented: 3, examples: ['entity 0: reported as saved up to 4, and 1 was the last sent'] },
  });
});

test('a welcome that lacks unsaved numbers decides nothing; one that lacks saved ones is a loss', () => {
  const { ledger, at, levels } = ledgerOf();
  sendAndAck(at(1), 0, 1, 2);
  ledger.saved(0, 1, 2);
  sendAndAck(at(7), 0, 3, 4);
  expect(at(9).resume(0, 2, 4, [])).toEqual({ last: 4, breach: 'forgotUnsaved' });
  expect(levels()).toMatchObject({
    ...{ breaches: { forgotten: 0 }, unsaved: [] },
    forgotten: [0, 3, 7e6, 0, 4, 7e6],
  });
  // Both are judged by that welcome: they do not become saved by a range, and they do not count again.
  sendAndAck(at(10), 0, 5);
  ledger.saved(0, 3, 5);
  expect(levels()).toMatchObject({ savedCount: 3, forgotten: [0, 3, 7e6, 0, 4, 7e6] });
  expect(ledger.resume(0, 0, 5, [])).toEqual({ last: 5, breach: 'forgot' });
  // 1, 2 and 5.
  expect(levels()).toMatchObject({ breaches: { forgotten: 3 }, forgotten: [0, 3, 7e6, 0, 4, 7e6] });
  expect(ledger.resume(0, 0, 5, [])).toEqual({ last: 5, breach: 'forgotUnsaved' });
  expect(levels().breaches.forgotten).toBe(3);
});

test("the workers' records are added", () => {
  const [a, b] = [ledgerOf(), ledgerOf()];
  sendAndAck(a.at(1), 0, 1, 2);
  a.ledger.saved(0, 1, 1);
  b.ledger.welcome(1, 10);
  sendAndAck(b.at(2), 1, 11, 12);
  b.ledger.resume(1, 11, 12, []);
  const all = new SequenceLedger(2);
  for (const { ledger } of [a, b]) all.add(ledger.toData());
  const { levels } = all.toData();
  expect([...levels!.unsaved]).toEqual([0, 2, 1e6, 1, 11, 2e6]);
  expect([...levels!.forgotten]).toEqual([1, 12, 2e6]);
  expect(levels!.savedCount).toBe(1);
});

test('a ledger of one level has no such record, and no reports', () => {
  const ledger = new SequenceLedger(1);
  sendAndAck(ledger, 0, 1);
  expect(ledger.toData()).not.toHaveProperty('levels');
  expect(() => ledger.saved(0, 1, 1)).toThrow('does not plan a ledger of two levels');
});
