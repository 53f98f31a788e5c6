import { expect, test } from 'vitest';
import { sessionSamples, wrongScores } from '../../../src/systems/massless/store-probe.ts';
import { problemsOf, read, workload, written } from '../../scenario/scenario-text.ts';

const text = (load: string, world = 'servers: 1'): string =>
  `name: z\nsystem: massless\nload: { duration: 5s, ${load} }\nworld: { ${world} }\n`;

test('players step five times a second and trade now and then unless told otherwise; a bundle can be read again', () => {
  const scenario = read(text('players: 100'));
  expect(scenario.load.operations).toMatchObject({
    input: { perSecond: 500 },
    trade: { perSecond: 2 },
    zone: { perSecond: 0 },
  });
  expect(workload(scenario)).toMatchObject({
    ...{ entities: 100, deliveries: true, ledger: { timed: true, rejected: 'unrecorded' } },
    own: {
      ...{ zones: 1, servers: 1, zoneSize: 128, itemsPerCharacter: 10, decodesOneOf: 20 },
      ...{ tickRate: 20, saveSeconds: 30 },
    },
  });
  expect(read(written(scenario))).toEqual(scenario);
});

test.each([
  ['players: 10', 'servers: 2, zones: 1', /^got one zone on 2 servers, expected at least one zone for each$/],
  [
    'players: 10, operations: { zone: { perSecond: 1 } }',
    'servers: 1',
    /^got transfers in a world of one zone/,
  ],
  ['players: 1', 'servers: 1', /^got trades of a single player/],
])('what cannot be is refused: %s in %s', (load, world, message) => {
  expect(problemsOf(text(load, world)).map((one) => one.message)).toEqual([expect.stringMatching(message)]);
});

test('without a number of zones each server has one', () => {
  expect(workload(read(text('players: 10', 'servers: 3')))).toMatchObject({ own: { zones: 3 } });
});

test('sessions are counted where they are there, and those that never expire by themselves', () => {
  const values = (lifetimes: readonly number[]) => sessionSamples(lifetimes).map(({ value }) => value);
  expect(values([60_000, 1, -1, -2])).toEqual([3, 1]);
  expect(values([])).toEqual([0, 0]);
});

test('scores are those of the trades, or wrong', () => {
  const stored = [
    [0, 3],
    [1, 1],
  ] as const;
  expect(wrongScores(stored, ['1', '1', '0', '3'])).toBe(0);
  expect(wrongScores(stored, ['0', '2', '1', '1'])).toBe(1);
  expect(wrongScores(stored, ['0', '3'])).toBe(1);
  expect(wrongScores(stored, ['0', '3', '1', '1', '2', '9'])).toBe(1);
  expect(wrongScores(stored, [])).toBe(2);
});
