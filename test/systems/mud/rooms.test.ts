import { expect, test } from 'vitest';
import { random } from '../../../src/rng.ts';
import { keyIn, lineOf, sayingOf, type Verb, verbOf } from '../../../src/systems/mud/command-mix.ts';
import { homeOf, isResident, playerOf, residentsOf, usernameOf } from '../../../src/systems/mud/rooms.ts';

test('every resident has one room, in which it begins', () => {
  const [players, rooms] = [61, 3];
  const all = Array.from({ length: rooms }, (_, room) => residentsOf(room, players, rooms));
  expect(all.flat().sort((a, b) => a - b)).toEqual(
    Array.from({ length: players }, (_, player) => player).filter(isResident),
  );
  all.forEach((residents, room) => {
    expect(residents.map((player) => homeOf(player, rooms))).toEqual(residents.map(() => room));
  });
});

test('a username names its player', () => {
  expect(playerOf(usernameOf(17))).toBe(17);
  expect(playerOf('guard-17')).toBe(-1);
});

test('commands have the documented shares, and residents never leave', () => {
  const draw = random(1, 42, 0);
  let walks = 0;
  const counts = new Map<Verb, number>();
  for (let i = 0; i < 20_000; i++) {
    const verb = verbOf(1, draw());
    counts.set(verb, (counts.get(verb) ?? 0) + 1);
    if (/north|south/.test(verbOf(2, draw()))) walks += 1;
  }
  expect(walks).toBe(0);
  const percent = (verb: Verb): number => Math.round((counts.get(verb) ?? 0) / 200);
  expect(percent('look')).toBeCloseTo(30, -1);
  expect(percent('say')).toBeCloseTo(25, -1);
  expect((counts.get('north') ?? 0) + (counts.get('south') ?? 0)).toBeGreaterThan(2_500);
});

test('what is said ends with a key that its hearers find', () => {
  expect(lineOf('say', 4, 9)).toMatch(/^say /);
  expect(keyIn(`player-4 says: ${lineOf('say', 4, 9).slice(4)}`)).toBe(sayingOf(4, 9));
  expect(keyIn('player-4 goes by.')).toBeNull();
});
