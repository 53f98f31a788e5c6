import { expect, test } from 'vitest';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { random } from '../../src/rng.ts';

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

/**
 * One entity against sets: what was sent, what is acknowledged, and the rows of a server that commits in order.
 * `open` is what was sent since the last welcome and is not acknowledged; `line` what is on its way, uncommitted.
 */
class Model {
  readonly sent = new Set<number>();
  readonly acked = new Set<number>();
  readonly base: number;
  committed: number;
  last: number;
  open: number[] = [];
  line: number[] = [];

  constructor(base: number) {
    this.base = base;
    this.committed = base;
    this.last = base;
  }
}

function expectSame(ledger: SequenceLedger, model: Model): void {
  const figures = (numbers: ReadonlySet<number>) => ({
    n: numbers.size,
    sum: [...numbers].reduce((sum, number) => sum + number, 0),
    max: Math.max(0, ...numbers),
  });
  expect({ n: ledger.sentN[1], sum: ledger.sentSum[1], max: ledger.sentMax[1] }).toEqual(figures(model.sent));
  expect({ n: ledger.ackedN[1], sum: ledger.ackedSum[1], max: ledger.ackedMax[1] }).toEqual(
    figures(model.acked),
  );
}

test.each([
  ['keeps its word', 0],
  ['forgets what it acknowledged', 0.3],
])('numbers that are used again, at a server that %s', (_, forgetful) => {
  for (let seed = 1; seed <= 150; seed++) {
    const draw = random(seed, 99);
    const ledger = new SequenceLedger(3);
    const model = new Model(Math.floor(draw() * 3) * 20);
    ledger.welcome(1, model.base);
    let forgot = false;
    for (let step = 0; step < 120; step++) {
      const choice = draw();
      if (choice < 0.45) {
        if (model.open.length >= 6) continue;
        model.last += 1;
        model.sent.add(model.last);
        model.open.push(model.last);
        model.line.push(model.last);
        ledger.sent(1, model.last);
      } else if (choice < 0.65) {
        model.committed = model.line.shift() ?? model.committed;
      } else if (choice < 0.85) {
        // Whatever is committed may be answered, in any order: some answers come late.
        const ready = model.open.filter((number) => !model.line.includes(number));
        const number = ready[Math.floor(draw() * ready.length)];
        if (number === undefined) continue;
        model.open.splice(model.open.indexOf(number), 1);
        model.acked.add(number);
        ledger.acked(1, number);
      } else {
        const arrived = Math.floor(draw() * (model.line.length + 1));
        model.committed = model.line[arrived - 1] ?? model.committed;
        const highest = Math.max(model.base, ...model.acked);
        if (draw() < forgetful) model.committed = Math.max(0, model.committed - 1 - Math.floor(draw() * 4));
        const told = model.committed;
        const { last, breach } = ledger.resume(1, told, model.last, model.open);
        for (const number of model.open) if (number <= told) model.acked.add(number);
        expect(last).toBeGreaterThanOrEqual(Math.max(told, highest));
        if (told < highest) expect(breach).toBe('forgot');
        if (forgetful === 0) expect({ last, breach }).toEqual({ last: told, breach: null });
        forgot ||= breach === 'forgot';
        model.last = last;
        model.committed = last;
        model.open = [];
        model.line = [];
      }
      expectSame(ledger, model);
      // Without a gap: a number is in use, or was before the run.
      expect(ledger.sentN[1]).toBe(Math.max(model.base, ledger.sentMax[1] ?? 0) - model.base);
      if (forgetful === 0) {
        expect(Math.max(0, ...model.acked)).toBeLessThanOrEqual(model.committed);
      }
    }
    if (forgetful === 0) expect(forgot).toBe(false);
  }
});

test('a number that was void and is named all the same is acknowledged; one that was never sent is not', () => {
  const ledger = new SequenceLedger(2);
  ledger.welcome(1, 0);
  for (const sequence of [1, 2, 3, 4]) ledger.sent(1, sequence);
  ledger.acked(1, 1);
  expect(ledger.resume(1, 2, 4, [2, 3, 4])).toEqual({ last: 2, breach: null });
  ledger.sent(1, 3);
  expect(ledger.resume(1, 4, 3, [3])).toEqual({ last: 4, breach: null });
  expect([ledger.sentN[1], ledger.ackedN[1], ledger.ackedSum[1]]).toEqual([4, 4, 10]);
  expect(ledger.resume(1, 9, 4, [])).toEqual({ last: 9, breach: 'invented' });
  expect([ledger.sentN[1], ledger.ackedN[1]]).toEqual([4, 4]);
  // And never below again: those numbers are not ours.
  expect(ledger.resume(1, 5, 9, [])).toEqual({ last: 9, breach: 'forgot' });
});

test('a place that was told can be taken back', () => {
  const ledger = new SequenceLedger(1);
  ledger.placed(0, 7);
  expect(ledger.told[0]).toBe(8);
  ledger.placed(0, null);
  expect(ledger.told[0]).toBe(0);
});
