import { expect, test } from 'vitest';
import { SequenceLedger } from '../../src/load/ledger.ts';
import type { CountedRows } from '../../src/probe/counted-rows.ts';
import type { Outage } from '../../src/probe/excuses.ts';
import type { StoredNumbers } from '../../src/probe/stored-numbers.ts';
import { verifyNumbers, verifyRows } from '../../src/probe/verification.ts';
import { rowsOf } from '../load/ledger-figures.ts';

const never = new AbortController().signal;
const noOutages = () => [];
const away: Outage = { of: 'redis', action: 'kill', from: 3e6, to: 4e6 };
const losses = [{ of: 'redis', withinSeconds: 2 }];

/** One entity, whose numbers were acknowledged at these seconds. */
function acknowledged(...seconds: readonly number[]): SequenceLedger {
  let now = 0;
  const ledger = new SequenceLedger(1, { timed: true }, () => now * 1e6);
  for (const [i, at] of seconds.entries()) {
    now = at;
    ledger.sent(0, i + 1);
    ledger.acked(0, i + 1);
  }
  return ledger;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const rows = (last: number): CountedRows => rowsOf([[0, upTo(last)]], 1);

test('at the end only the last level counts, once what was acknowledged has been saved', async () => {
  const asked: boolean[] = [];
  const verification = await verifyRows(
    {
      read: async (end) => {
        asked.push(end);
        return rows(Math.max(0, asked.length - 2));
      },
    },
    1,
  );
  const found = await verification.verify(acknowledged(1, 2, 3).toData(), never, noOutages);
  expect(found).toMatchObject({ lost: 0, holes: 0, acked: 3, applied: 3, rowWritesServers: null });
  // It was read before GO, and then until three were saved.
  expect(asked).toEqual([false, true, true, true, true]);
});

test('what is not saved although nothing changes any more is lost, or excused', async () => {
  let reads = 0;
  const read = async () => {
    reads += 1;
    return { kept: new Map(), saved: new Map([[0, upTo(1)]]), wrong: [] };
  };
  const verification = await verifyNumbers({ read, losses, stillMs: 800 });
  const ledger = acknowledged(0, 2, 3.5, 5).toData();
  const found = await verification.verify(ledger, never, () => [away]);
  expect(found).toMatchObject({ lost: 1, lostInWindow: 2, acked: 4, applied: 1, saved: 0 });
  expect(reads).toBe(3);
});

test('an outage that begins while the stores are read excuses what it took', async () => {
  const outages: Outage[] = [];
  const stores = (last: number): StoredNumbers => ({
    kept: new Map([[0, upTo(last)]]),
    ...{ saved: new Map(), wrong: [] },
  });
  let kept = 3;
  const verification = await verifyNumbers({
    losses,
    read: async () => {
      if (kept === 1) outages.push({ ...away, to: null });
      return stores(kept);
    },
  });
  const ledger = async () => acknowledged(0, 2, 3).toData();
  expect(await verification.compareNow(ledger, () => outages)).toMatchObject({ lost: 0, lostInWindow: 0 });
  kept = 1;
  expect(await verification.compareNow(ledger, () => outages)).toMatchObject({ lost: 0, lostInWindow: 2 });
  kept = 0;
  expect(await verification.compareNow(ledger, () => outages)).toMatchObject({ lost: 1, lostInWindow: 2 });
});

test('during the load, what was acknowledged before the stores were read has to be there', async () => {
  const ledger = acknowledged(1, 2);
  const verification = await verifyNumbers({
    read: async () => {
      // Sent and acknowledged while they are read.
      for (const number of [3, 4]) ledger.sent(0, number);
      for (const number of [3, 4]) ledger.acked(0, number);
      return { kept: new Map([[0, [1, 2, 3]]]), saved: new Map(), wrong: [] };
    },
  });
  const found = await verification.compareNow(async () => structuredClone(ledger.toData()), noOutages);
  expect(found).toEqual({ lost: 0, phantom: 0, duplicated: 0, holes: 0 });
});
