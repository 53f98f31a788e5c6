import { expect, test } from 'vitest';
import { STREAM } from '../../src/load/streams.ts';

test('no two streams of random numbers are one', () => {
  const numbers = Object.values(STREAM);
  expect(new Set(numbers).size).toBe(numbers.length);
});
