import { expect, test } from 'vitest';
import {
  contains,
  countOf,
  hasNumber,
  lastOf,
  NO_NUMBERS,
  type NumberRanges,
  numbersBeyond,
  sumOf,
  united,
} from '../src/number-ranges.ts';

const UP_TO = 6;
/** Every set of the numbers 1 to 6, by its bits. */
const numbersOf = (bits: number): readonly number[] =>
  Array.from({ length: UP_TO }, (_, i) => i + 1).filter((number) => (bits >> (number - 1)) & 1);
const rangesOf = (numbers: readonly number[]): NumberRanges =>
  numbers.reduce<NumberRanges>((ranges, number) => united(ranges, [[number, number]]), NO_NUMBERS);
const SETS = Array.from({ length: 2 ** UP_TO }, (_, bits) => numbersOf(bits));

test('ranges are in order, with gaps between them', () => {
  expect(rangesOf([5, 1, 2, 7, 6])).toEqual([
    [1, 2],
    [5, 7],
  ]);
  expect(
    united(
      [
        [1, 2],
        [6, 9],
      ],
      [[2, 7]],
    ),
  ).toEqual([[1, 9]]);
});

test('of every set: its numbers, their count, sum and last', () => {
  for (const numbers of SETS) {
    const ranges = rangesOf(numbers);
    expect(numbersBeyond(ranges, NO_NUMBERS)).toEqual(numbers);
    expect(countOf(ranges)).toBe(numbers.length);
    expect(sumOf(ranges)).toBe(numbers.reduce((sum, number) => sum + number, 0));
    expect(lastOf(ranges)).toBe(numbers.at(-1) ?? 0);
    for (let number = 0; number <= UP_TO + 1; number++)
      expect(hasNumber(ranges, number)).toBe(numbers.includes(number));
  }
});

test('of every pair of sets: what they have together, and what one lacks', () => {
  const ranges = SETS.map(rangesOf);
  let wrong = 0;
  for (let one = 0; one < SETS.length; one++) {
    for (let other = 0; other < SETS.length; other++) {
      const [a, b] = [ranges[one]!, ranges[other]!];
      if (JSON.stringify(united(a, b)) !== JSON.stringify(ranges[one | other])) wrong += 1;
      if (contains(a, b) !== ((one & other) === other)) wrong += 1;
      if (String(numbersBeyond(a, b)) !== String(SETS[one & ~other])) wrong += 1;
    }
  }
  expect(wrong).toBe(0);
});
