import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { comparisonOf, readScores, speedOf } from '../../src/model/scores.ts';
import { scoresOf } from './a-score.ts';

test('what is written can be read again', () => {
  const scores = scoresOf({ batchedUpdates: 'PostgreSQL is not installed' });
  expect(readScores(JSON.stringify(scores), 'here.json')).toEqual(scores);
});

test('scores of before some fields were added can be read', () => {
  const { otherCores: _, inMemory: __, ...older } = scoresOf();
  expect(readScores(JSON.stringify(older), 'older.json')).toEqual(older);
});

test.each([
  ['{', 'x.json is broken'],
  ['[]', 'x.json holds no scores: the file'],
  [JSON.stringify({ ...scoresOf(), schemaVersion: 2 }), 'schemaVersion'],
  [JSON.stringify({ ...scoresOf(), scores: { javascript: { value: 1 } } }), 'scores'],
  [JSON.stringify(scoresOf({ javascript: 0 })), 'scores.javascript'],
])('%s is refused with 104', (text, why) => {
  const refused = () => readScores(text, 'x.json');
  expect(refused).toThrow(why);
  expect(refused).toThrow(expect.objectContaining({ exitCode: EXIT.badInput }));
});

test('a ratio above 1 means better, whichever direction that is', () => {
  const here = scoresOf({ javascript: 300, webSocket: 300, fdatasyncP50: 2, loopback: 'no sockets' });
  const there = scoresOf({ javascript: 100, webSocket: 75, fdatasyncP50: 8, memoryBandwidth: 'too little' });
  const { ratios, core, differences } = comparisonOf(here, there);
  expect(ratios).toEqual({
    javascript: 3,
    webSocket: 4,
    fdatasyncP50: 4,
    fdatasyncP95: 1,
    batchedUpdates: 1,
  });
  expect(core).toBeCloseTo(Math.sqrt(12), 9);
  expect(core).toBeCloseTo(speedOf(here, 'here') / speedOf(there, 'there'), 9);
  expect(differences).toEqual([]);
});

test('without one of the two scores of a core it is not compared', () => {
  expect(comparisonOf(scoresOf({ webSocket: 'no sockets' }), scoresOf()).core).toBeNull();
});

test('other versions, and files in memory, are said', () => {
  const there = scoresOf({}, { node: 'v20.20.2', capbench: '0.9.0', inMemory: true });
  expect(comparisonOf(scoresOf(), there).differences).toEqual([
    'capbench 1.0.0 here, 0.9.0 there',
    'Node v22 here, v20 there',
    'files on a disk here, in memory there',
  ]);
  expect(comparisonOf(scoresOf(), scoresOf({}, { node: 'v22.1.0' })).differences).toEqual([]);
});
