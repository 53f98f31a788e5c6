import { expect, test } from 'vitest';
import { scenarioHash } from '../../../src/scenario/resolved.ts';
import { problemsOf, read, workload, written } from '../../scenario/scenario-text.ts';

const of = (group: string, players = '{ module: ./a.mjs, group: GROUP }'): string =>
  `name: quiz\nsystem: own\nload:\n  players: 100\nplayers: ${players.replace('GROUP', group)}\n`;
const messagesOf = (text: string): readonly string[] =>
  problemsOf(text).map(({ where, path, message }) => `${where} ${path}: ${message}`);

test('players.group is in the workload, whoever the players are; without it nothing has changed', () => {
  for (const players of [
    '{ module: ./a.mjs, group: GROUP }',
    '{ protocol: json, commands: [{ command: look }], group: GROUP }',
    '{ protocol: http, requests: [{ path: / }], group: GROUP }',
  ]) {
    const scenario = read(of('4', players));
    expect(workload(scenario).group).toBe(4);
    const again = read(written(scenario));
    expect(again).toEqual(scenario);
    expect(scenarioHash(again)).toBe(scenarioHash(scenario));
    expect(workload(read(of('1', players)))).not.toHaveProperty('group');
    const without = read(of('', players.replace(', group: GROUP', '')));
    expect(workload(without)).not.toHaveProperty('group');
    expect(without.sections?.players).not.toHaveProperty('group');
  }
  expect(workload(read(of('2'), { scale: 0.05 }))).toMatchObject({ players: 5, group: 2 });
});

test.each([
  ['0', 'got 0, expected a whole number of 1 to 1,000'],
  ['1001', 'got 1001, expected a whole number of 1 to 1,000'],
  ['2.5', 'got 2.5, expected a whole number of 1 to 1,000'],
  ['two', 'got "two", expected a whole number of 1 to 1,000'],
])('players.group: %s is refused with its line', (group, message) => {
  expect(messagesOf(of(group))).toEqual([expect.stringContaining(`players.group: ${message}`)]);
  expect(messagesOf(of(group))[0]).toMatch(/:5:\d+ /);
});

test('a world of capbench has to have whole groups at each server', () => {
  const flux = (group: number, servers: number): string =>
    of(String(group)).replace('system: own', `system: flux\nworld: { servers: ${servers} }`);
  for (const [group, servers] of [
    [25, 2],
    [7, 1],
    [25, 4],
  ] as const)
    expect(workload(read(flux(group, servers))).group).toBe(group);
  expect(messagesOf(flux(4, 2))).toEqual([
    expect.stringContaining(
      'players.group: got 4, expected a divisor of the players of each server: there are 100 players on 2 servers',
    ),
  ]);
});
