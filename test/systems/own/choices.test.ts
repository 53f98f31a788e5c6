import { expect, test } from 'vitest';
import { WeightedChoice } from '../../../src/load/player/weighted-choice.ts';
import { Choices } from '../../../src/systems/own/choices.ts';
import { read, workload } from '../../scenario/scenario-text.ts';

const ids = Int32Array.of(0, 1, 2);
const operationsOf = (operations: string) =>
  workload(
    read(
      `name: a\nsystem: own\nplayers: { module: ./a.mjs }\nload: { players: 3, operations: ${operations} }\n`,
    ),
  ).operations;
const drawn = (choices: Choices, operation: number, times = 3000): readonly number[] => {
  const counts: number[] = [];
  for (let i = 0; i < times; i++) {
    const choice = choices.draw(i % 3, operation);
    counts[choice] = (counts[choice] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
};

test('within a kind, what is sent is drawn by weight', () => {
  const all = [
    { weight: 1, operation: 'look' },
    { weight: 1, operation: 'create' },
    { weight: 3, operation: 'look' },
  ];
  const choices = new Choices(
    all,
    operationsOf('{ create: { perSecond: 1 }, look: { perSecond: 1 } }'),
    7,
    ids,
  );
  expect(drawn(choices, 0)).toEqual([0, 3000]);
  const [one = 0, none, three = 0] = drawn(choices, 1);
  expect([none, one + three]).toEqual([0, 3000]);
  expect(three / one).toBeGreaterThan(2.5);
  expect(three / one).toBeLessThan(3.5);
});

test('a single kind draws from all, in the order of earlier versions', () => {
  const all = [{ weight: 1 }, { weight: 2, operation: 'look' }];
  const choices = new Choices(all, operationsOf('{ look: { perSecond: 1 } }'), 7, ids);
  const plain = new WeightedChoice(all, 7, ids);
  for (let i = 0; i < 50; i++) expect(choices.draw(i % 3, 0)).toBe(plain.draw(i % 3));
});

test('kinds draw independently of each other', () => {
  const all = ['a', 'b'].flatMap((operation) => [1, 1].map((weight) => ({ weight, operation })));
  const choices = new Choices(all, operationsOf('{ a: { perSecond: 1 }, b: { perSecond: 1 } }'), 7, ids);
  const of = (operation: number): readonly number[] =>
    Array.from({ length: 40 }, () => choices.draw(0, operation) - 2 * operation);
  expect(of(0)).not.toEqual(of(1));
});
