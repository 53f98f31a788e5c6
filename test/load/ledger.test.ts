import { expect, test } from 'vitest';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { random } from '../../src/rng.ts';
import { figuresOf } from './ledger-figures.ts';

test('sent and acknowledged numbers are recorded separately for each entity', () => {
  const ledger = new SequenceLedger(3);
  for (const sequence of [5, 6, 7]) ledger.sent(1, sequence);
  for (const sequence of [7, 5]) ledger.acked(1, sequence);
  ledger.sent(2, 1);
  const { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax } = figuresOf(ledger.toData());
  expect([...sentN]).toEqual([0, 3, 1]);
  expect([...sentSum]).toEqual([0, 18, 1]);
  expect([...sentMax]).toEqual([0, 7, 1]);
  expect([...ackedN]).toEqual([0, 2, 0]);
  expect([...ackedSum]).toEqual([0, 12, 0]);
  expect([...ackedMax]).toEqual([0, 7, 0]);
});

test('a number that was not sent after all is not in the record, unless it had been sent before', () => {
  const ledger = new SequenceLedger(1);
  const sentMax = () => figuresOf(ledger.toData()).sentMax[0];
  ledger.welcome(0, 3);
  for (const sequence of [4, 5]) ledger.sent(0, sequence);
  ledger.unsent(0, 4);
  expect(sentMax()).toBe(5);
  ledger.unsent(0, 5);
  expect(sentMax()).toBe(4);
  ledger.sent(0, 5);
  // 5 is void, and used again.
  ledger.resume(0, 4, 5, [4, 5]);
  ledger.sent(0, 5);
  ledger.unsent(0, 5);
  expect(sentMax()).toBe(5);
  ledger.sent(0, 5);
  ledger.sent(0, 6);
  ledger.unsent(0, 6);
  expect(sentMax()).toBe(5);
  expect(ledger.toData().breaches).toMatchObject({ forgotten: 0, invented: 0 });
});

test("the workers' ledgers are added", () => {
  const [a, b, all] = [new SequenceLedger(3), new SequenceLedger(3), new SequenceLedger(3)];
  a.welcome(0, 10);
  for (const sequence of [11, 12, 13]) a.sent(0, sequence);
  for (const sequence of [11, 13]) a.acked(0, sequence);
  a.stated(0, 7);
  b.welcome(1, 5);
  b.sent(1, 6);
  b.resume(1, 3, 6, [6]);
  for (const one of [a, b]) all.add(one.toData());
  const { sentN, sentMax, ackedN, ackedSum } = figuresOf(all.toData());
  expect([...sentN]).toEqual([3, 1, 0]);
  expect([...sentMax]).toEqual([13, 6, 0]);
  expect([...ackedN]).toEqual([2, 0, 0]);
  expect([...ackedSum]).toEqual([24, 0, 0]);
  const { acked, stated, breaches } = all.toData();
  expect([...acked.gaps]).toEqual([0, 12, 12]);
  expect([...stated]).toEqual([8, 0, 0]);
  expect(breaches).toEqual({
    forgotten: 2,
    invented: 0,
    examples: ['entity 1: welcomed with 3, and 5 was acknowledged before'],
  });
});

/**
 * A model of one entity with sets: sent and acknowledged numbers, and the rows of a server that commits in order.
 * `open` has what was sent since the last welcome and is unacknowledged; `line` what is in flight and uncommitted.
 */
class Model {
  readonly sent = new Set<number>();
  readonly acked = new Set<number>();
  readonly base: number;
  committed: number;
  last: number;
  /** The highest number that a welcome stated. */
  named = 0;
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
  const { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax } = figuresOf(ledger.toData());
  expect({ n: sentN[1], sum: sentSum[1], max: sentMax[1] }).toEqual(figures(model.sent));
  expect({ n: ackedN[1], sum: ackedSum[1], max: ackedMax[1] }).toEqual(figures(model.acked));
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
    const forgotten = new Set<number>();
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
        // Committed operations are answered in any order, and some answers come late.
        const ready = model.open.filter((number) => !model.line.includes(number));
        const number = ready[Math.floor(draw() * ready.length)];
        if (number === undefined) continue;
        model.open.splice(model.open.indexOf(number), 1);
        model.acked.add(number);
        ledger.acked(1, number);
      } else {
        const arrived = Math.floor(draw() * (model.line.length + 1));
        model.committed = model.line[arrived - 1] ?? model.committed;
        const highest = Math.max(model.base, model.named, ...model.acked);
        if (draw() < forgetful) model.committed = Math.max(0, model.committed - 1 - Math.floor(draw() * 4));
        const stated = model.committed;
        if (stated < highest) {
          const named = Math.max(model.base, model.named);
          for (let number = stated + 1; number <= highest; number++) {
            if (number <= named || model.acked.has(number)) forgotten.add(number);
          }
        }
        model.named = Math.max(model.named, stated);
        const { last, breach } = ledger.resume(1, stated, model.last, model.open);
        for (const number of model.open) if (number <= stated) model.acked.add(number);
        expect(last).toBeGreaterThanOrEqual(Math.max(stated, highest));
        if (stated < highest) expect(breach).toBe('forgot');
        if (forgetful === 0) expect({ last, breach }).toEqual({ last: stated, breach: null });
        model.last = last;
        model.committed = last;
        model.open = [];
        model.line = [];
      }
      expectSame(ledger, model);
      // No gap: every number was used in the run or before it.
      expect(model.sent.size).toBe(Math.max(model.base, ...model.sent) - model.base);
      const { breaches } = ledger.toData();
      expect(breaches.invented).toBe(0);
      expect(breaches.forgotten).toBeLessThanOrEqual(forgotten.size);
      expect(breaches.forgotten > 0).toBe(forgotten.size > 0);
      if (forgetful === 0) {
        expect(Math.max(0, ...model.acked)).toBeLessThanOrEqual(model.committed);
      }
    }
    if (forgetful === 0) expect(forgotten.size).toBe(0);
  }
});

test('a void number that a welcome covers is acknowledged; one that was never sent is not', () => {
  const ledger = new SequenceLedger(2);
  ledger.welcome(1, 0);
  for (const sequence of [1, 2, 3, 4]) ledger.sent(1, sequence);
  ledger.acked(1, 1);
  expect(ledger.resume(1, 2, 4, [2, 3, 4])).toEqual({ last: 2, breach: null });
  ledger.sent(1, 3);
  expect(ledger.resume(1, 4, 3, [3])).toEqual({ last: 4, breach: null });
  const figures = () => {
    const { sentN, ackedN, ackedSum } = figuresOf(ledger.toData());
    return [sentN[1], ackedN[1], ackedSum[1]];
  };
  expect(figures()).toEqual([4, 4, 10]);
  expect(ledger.resume(1, 9, 4, [])).toEqual({ last: 9, breach: 'invented' });
  expect(figures()).toEqual([4, 4, 10]);
  // Numbers never fall below that again, because another client used those.
  expect(ledger.resume(1, 5, 9, [])).toEqual({ last: 9, breach: 'forgot' });
  // The server invented 5 to 9 and then forgot 6 to 9.
  expect(ledger.toData().breaches).toMatchObject({ forgotten: 4, invented: 5 });
  // Each is counted once, however often it is stated.
  expect(ledger.resume(1, 7, 9, [])).toMatchObject({ breach: 'forgot' });
  expect(ledger.resume(1, 3, 9, [])).toMatchObject({ breach: 'forgot' });
  expect(ledger.toData().breaches.forgotten).toBe(6);
});

test('a stated place can be cleared', () => {
  const ledger = new SequenceLedger(1);
  ledger.stated(0, 7);
  expect(ledger.lastStated[0]).toBe(8);
  ledger.stated(0, null);
  expect(ledger.lastStated[0]).toBe(0);
});
