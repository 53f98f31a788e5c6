import { expect, test } from 'vitest';
import { figuresOf } from '../../../../src/hashed-numbers.ts';
import { sequenceHash } from '../../../../src/sequence-hash.ts';
import { hasAllOf, merged, playedAway } from '../../../../src/systems/mud/server/merge.ts';
import { counted, newPlayer, type PlayerState } from '../../../../src/systems/mud/server/player-state.ts';

const ROOMS = 3;
const PLAYER = 2;

/** A state whose journal has the numbers that were played, so that it shows which commands it contains. */
const after = (numbers: readonly number[], from: PlayerState = newPlayer(PLAYER, ROOMS)): PlayerState =>
  numbers.reduce(
    (state, number) => ({ ...counted(state, number), journal: [...state.journal, String(number)] }),
    from,
  );
const away = (numbers: readonly number[], from: PlayerState): PlayerState =>
  numbers.reduce((state, number) => {
    const played = playedAway(state, number, `say ${number}`);
    return { ...played, journal: [...played.journal, `In room-1 you said: ${number}`] };
  }, from);
const both = (one: PlayerState, other: PlayerState): PlayerState => merged(PLAYER, one, other, ROOMS);
const said = ({ journal }: PlayerState): readonly string[] =>
  journal.map((entry) => entry.replace(/^.*: /, ''));

/** In either order, and again with either of them, it is the same. */
function mergedInEveryOrder(one: PlayerState, other: PlayerState): PlayerState {
  const result = both(one, other);
  for (const again of [both(other, one), both(result, one), both(result, other), both(one, result)])
    expect(again).toEqual(result);
  return result;
}

test('a state has every number once, however often it is counted', () => {
  const numbers = [1, 2, 3, 7, 8];
  const state = after([...numbers, 2, 8]);
  expect(figuresOf(state)).toEqual({
    ...{ lastSeq: 8, appliedN: 5, seqSum: 21 },
    seqHash: numbers.reduce((sum, number) => sum + sequenceHash(number), 0),
  });
});

test('an older state adds nothing', () => {
  const newer = after([1, 2, 3]);
  expect(mergedInEveryOrder(newer, after([1, 2]))).toEqual(newer);
});

test('what was played without Redis is played again on top of what Redis still has', () => {
  const row = after([1, 2, 3]);
  const inRedis = after([4, 5], row);
  const result = mergedInEveryOrder(inRedis, away([6, 7], row));
  expect(result).toMatchObject({
    numbers: [[1, 7]],
    outage: [
      [6, 'say 6'],
      [7, 'say 7'],
    ],
  });
  expect(said(result)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  expect(figuresOf(result)).toEqual(figuresOf(after([1, 2, 3, 4, 5, 6, 7])));
});

test('a command that reached Redis after all counts once, and is no longer one that Redis may lack', () => {
  const row = after([1, 2, 3]);
  const result = mergedInEveryOrder(after([4], row), away([4, 5], row));
  expect(result).toMatchObject({ numbers: [[1, 5]], outage: [[5, 'say 5']] });
  expect(said(result)).toEqual(['1', '2', '3', '4', '5']);
});

test('a save of what Redis has brought together empties the list of the row', () => {
  const row = away([2, 3], after([1]));
  const inRedis = { ...row, outage: [] };
  expect(hasAllOf(inRedis, row)).toBe(false);
  const saved = mergedInEveryOrder(row, after([4], inRedis));
  expect(saved).toMatchObject({ numbers: [[1, 4]], outage: [] });
  expect(hasAllOf(after([4], inRedis), saved)).toBe(true);
});

test('of two states with the same numbers, the one that Redis has goes on', () => {
  const row = after([1, 2, 3]);
  const inRedis = after([4], row);
  const result = mergedInEveryOrder(away([4], row), inRedis);
  expect(result).toEqual(inRedis);
});

test('two servers that played on the same row at once have both played', () => {
  const row = after([1, 2]);
  const result = mergedInEveryOrder(away([3], row), away([4], row));
  expect(result).toMatchObject({
    numbers: [[1, 4]],
    outage: [
      [3, 'say 3'],
      [4, 'say 4'],
    ],
  });
  expect([...said(result)].toSorted()).toEqual(['1', '2', '3', '4']);
});

test('a Redis that has come back with an old copy of its data takes the row', () => {
  const row = after([1, 2, 3, 4]);
  expect(mergedInEveryOrder(after([1, 2]), row)).toEqual(row);
  const played = away([7], row);
  expect(mergedInEveryOrder(after([1, 2, 3]), played)).toEqual(played);
});

test('after a loss the later state goes on, and no number is forgotten', () => {
  // A server saves what it had read before Redis was killed, when the game already goes on from the row.
  const result = mergedInEveryOrder(after([1, 2, 3, 4]), after([1, 2, 6, 7]));
  expect(result).toMatchObject({
    numbers: [
      [1, 4],
      [6, 7],
    ],
    outage: [],
  });
  expect(said(result)).toEqual(['1', '2', '6', '7']);
});
