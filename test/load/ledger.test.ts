import { expect, test } from 'vitest';
import { SequenceLedger } from '../../src/load/ledger.ts';

test('what is sent and what is answered are kept apart, entity by entity', () => {
  const ledger = new SequenceLedger(3);
  for (const sequence of [5, 6, 7]) ledger.sent(1, sequence);
  for (const sequence of [7, 5]) ledger.acked(1, sequence);
  ledger.sent(2, 1);
  expect([...ledger.sentN]).toEqual([0, 3, 1]);
  expect([...ledger.sentSum]).toEqual([0, 18, 1]);
  expect([...ledger.sentMax]).toEqual([0, 7, 1]);
  expect([...ledger.ackedN]).toEqual([0, 2, 0]);
  expect([...ledger.ackedSum]).toEqual([0, 12, 0]);
  expect([...ledger.ackedMax]).toEqual([0, 7, 0]);
});

test('ledgers are added, the highest numbers compared', () => {
  const [a, b] = [new SequenceLedger(2), new SequenceLedger(2)];
  a.sent(0, 4);
  a.acked(0, 4);
  b.sent(0, 3);
  b.sent(1, 9);
  a.add(b.toData());
  expect([...a.sentN]).toEqual([2, 1]);
  expect([...a.sentSum]).toEqual([7, 9]);
  expect([...a.sentMax]).toEqual([4, 9]);
  expect([...a.ackedN]).toEqual([1, 0]);
});
