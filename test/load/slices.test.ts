import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { Slices } from '../../src/load/slices.ts';
import { INTENT, MONSTER_COMMAND, ofBoth, operationsOf } from './a-workload.ts';

test('an answer counts in the slice of its arrival', () => {
  const slices = new Slices(operationsOf(1, 1));
  slices.record(INTENT, 10, 1, 0);
  slices.record(INTENT, 30, 1, 199_999);
  slices.record(MONSTER_COMMAND, 50, 200, 200_000);
  slices.record(INTENT, 70, 2, 1_050_000);
  const taken = slices.take(1_100_000);
  const counts = taken.map(({ index, due }) => [index, ...Object.values(due).map(countOf)]);
  expect(counts).toEqual([
    [0, 2, 0],
    [1, 0, 200],
  ]);
  expect(taken[0]?.due.intent).toMatchObject({ min: 10, max: 30, sum: 40 });
  expect(slices.take(1_150_000)).toEqual([]);
  expect(slices.takeAll(1_150_000).map(({ index, due }) => [index, countOf(ofBoth(due).intent)])).toEqual([
    [5, 2],
  ]);
  expect(slices.takeAll(1_200_000)).toEqual([]);
});
