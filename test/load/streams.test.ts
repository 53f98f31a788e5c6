import { expect, test } from 'vitest';
import { STREAM } from '../../src/load/streams.ts';
import { FLUX_STREAM } from '../../src/systems/flux/workload.ts';

test('all streams of random numbers have different numbers', () => {
  const numbers = [...Object.values(STREAM), ...Object.values(FLUX_STREAM)];
  expect(new Set(numbers).size).toBe(numbers.length);
});
