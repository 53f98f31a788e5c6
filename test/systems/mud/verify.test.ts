import { expect, test } from 'vitest';
import { figuresOf } from '../../../src/hashed-numbers.ts';
import { counted, newPlayer, type PlayerState } from '../../../src/systems/mud/server/player-state.ts';
import { type GameRow, savedNumbers, storedNumbers } from '../../../src/systems/mud/verify.ts';

const PLAYER = 3;
const after = (...numbers: readonly number[]): PlayerState =>
  numbers.reduce(counted, { ...newPlayer(PLAYER, 2), inventory: ['coin'], journal: ['You came.'] });
const rowOf = (state: PlayerState): GameRow => {
  const { lastSeq, appliedN, seqSum, seqHash } = figuresOf(state);
  return [PLAYER, JSON.parse(JSON.stringify(state)), lastSeq, appliedN, String(seqSum), String(seqHash)];
};
const inRedis = (state: PlayerState) => new Map([[PLAYER, state]]);

test('during the load both stores count, at the end the rows alone', () => {
  const [redis, rows] = [inRedis(after(1, 2, 3)), [rowOf(after(1, 2, 5))]];
  const saved = new Map([[PLAYER, [1, 2, 5]]]);
  expect(storedNumbers(redis, rows)).toEqual({ kept: new Map([[PLAYER, [1, 2, 3]]]), saved, wrong: [] });
  expect(savedNumbers(redis, rows)).toEqual({ kept: new Map(), saved, wrong: [] });
});

test('a row whose figures are not those of its numbers is wrong', () => {
  const [player, state, ...figures] = rowOf(after(1, 2, 3));
  for (const column of figures.keys()) {
    const row = [player, state, ...figures.with(column, '7')] as unknown as GameRow;
    expect(storedNumbers(new Map(), [row]).wrong, String(column)).toHaveLength(1);
  }
  const other = { ...after(1, 2, 3), seqHash: 7 };
  expect(storedNumbers(new Map(), [rowOf(other)]).wrong).toHaveLength(1);
});

test('a row without a state is wrong, and has no numbers', () => {
  const [player, , ...figures] = rowOf(after(1));
  const { inventory: _, ...incomplete } = after(1);
  const states = [
    null,
    {},
    'state',
    incomplete,
    { ...after(1), numbers: [[2, 1]] },
    { ...after(1), room: '1' },
  ];
  for (const state of states) {
    const { saved, wrong } = savedNumbers(new Map(), [[player, state, ...figures]]);
    expect([saved.size, wrong.length], JSON.stringify(state)).toEqual([0, 1]);
  }
});

test('after the same commands a row has the character that Redis has', () => {
  const state = after(1, 2);
  const [room, found] = [state.room + 1, 9];
  for (const other of [{ inventory: [] }, { journal: [] }, { room }, { found }]) {
    const rows = [rowOf({ ...state, ...other })];
    expect(savedNumbers(inRedis(state), rows).wrong).toEqual([
      expect.stringContaining(`player ${PLAYER}: the ${Object.keys(other)[0]} in its row`),
    ]);
    // Which is later saved is another character.
    expect(savedNumbers(inRedis(after(1, 2, 3)), rows).wrong).toEqual([]);
  }
});
