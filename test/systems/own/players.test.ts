import { describe, expect, test } from 'vitest';
import { scenarioHash } from '../../../src/scenario/resolved.ts';
import { ownWorkload } from '../../../src/systems/own/players.ts';
import { playersOf } from '../../../src/systems/own/scenario.ts';
import { minimal, problemsOf, read, workload, written } from '../../scenario/scenario-text.ts';

const of = (players: string): string => minimal(`players: ${players}\n`);

test('a scenario without players has those of the flux world, and its hash is unchanged', () => {
  const plain = read(minimal());
  expect(playersOf(plain)).toBeUndefined();
  expect(read(of('{ protocol: flux }'))).toEqual(plain);
  expect(scenarioHash(read(of('{ protocol: flux }')))).toBe(scenarioHash(plain));
  expect(ownWorkload(workload(plain)).playing).toBeUndefined();
});

test.each([
  ['{ module: ./my-player.mjs }', { protocol: 'module', module: './my-player.mjs' }],
  [
    '{ protocol: json, commands: [{ command: look }] }',
    {
      ...{ protocol: 'json', path: '/', idAt: 'id', errorAt: 'error' },
      commands: [{ type: 'command', command: 'look', weight: 1 }],
    },
  ],
  [
    '{ protocol: json, path: "/ws?p={player}", idAt: re.id, errorAt: re.error, commands: [{ type: say, command: hi, weight: 0.5 }] }',
    {
      ...{ protocol: 'json', path: '/ws?p={player}', idAt: 're.id', errorAt: 're.error' },
      commands: [{ type: 'say', command: 'hi', weight: 0.5 }],
    },
  ],
  [
    `{ protocol: json, data: ./users.csv, environment: [KEY], login: { path: /in, form: { user: "{name}" }, tokenAt: token,
        frame: { type: auth, token: "{token}", key: "{env.KEY}" }, okAt: ok }, commands: [{ body: { id: "{id}", to: [{ x: 1 }] } }] }`,
    {
      ...{
        protocol: 'json',
        path: '/',
        idAt: 'id',
        errorAt: 'error',
        data: './users.csv',
        environment: ['KEY'],
      },
      login: {
        ...{ path: '/in', form: { user: '{name}' }, tokenAt: 'token' },
        ...{ frame: { type: 'auth', token: '{token}', key: '{env.KEY}' }, okAt: 'ok' },
      },
      commands: [{ type: 'command', body: { id: '{id}', to: [{ x: 1 }] }, weight: 1 }],
    },
  ],
  [
    '{ module: ./a.mjs, deflate: true, subprotocols: [game.v1], largestFrame: 64kB }',
    {
      ...{ protocol: 'module', module: './a.mjs', deflate: true },
      ...{ subprotocols: ['game.v1'], largestFrame: '64kB' },
    },
  ],
  [
    `{ protocol: http, requests: [{ path: /health }, { method: POST, path: /moves, body: '{"to":"north"}', weight: 3 }] }`,
    {
      protocol: 'http',
      requests: [
        { method: 'GET', path: '/health', weight: 1 },
        { method: 'POST', path: '/moves', body: '{"to":"north"}', weight: 3 },
      ],
    },
  ],
])('%s is read, written into the bundle and read again', (text, players) => {
  const scenario = read(of(text));
  expect(playersOf(scenario)).toEqual(players);
  expect(ownWorkload(workload(scenario)).playing).toEqual(players);
  const again = read(written(scenario));
  expect(again).toEqual(scenario);
  expect(scenarioHash(again)).toBe(scenarioHash(scenario));
  expect(scenarioHash(scenario)).not.toBe(scenarioHash(read(minimal())));
});

describe('refused, with the place', () => {
  test.each([
    ['{ protocol: smtp }', 'players.protocol'],
    ['flux', 'players'],
    ['{ module: ./my-player.txt }', 'players.module'],
    ['{ module: "a\\nb.mjs" }', 'players.module'],
    ['{ module: ./a.mjs, path: /x }', 'players.path'],
    ['{ protocol: json, commands: [{ type: say }] }', 'players.commands.0'],
    ['{ protocol: json, commands: [{ command: a, body: { id: "{id}" } }] }', 'players.commands.0'],
    ['{ protocol: json, commands: [{ body: { type: move } }] }', 'players.commands.0.body'],
    ['{ protocol: json, commands: [{ body: "{id}" }] }', 'players.commands.0.body'],
    ['{ protocol: json, commands: [{ body: { id: "{id}", x: .nan } }] }', 'players.commands.0.body'],
    ['{ protocol: json, commands: [{ command: "hi {name}" }] }', 'players.commands.0.command'],
    ['{ protocol: json, path: "/{id}", commands: [{ command: a }] }', 'players.path'],
    ['{ protocol: json, login: {}, commands: [{ command: a }] }', 'players.login'],
    ['{ protocol: json, login: { path: /in, okAt: ok }, commands: [{ command: a }] }', 'players.login.okAt'],
    [
      '{ protocol: json, login: { frame: { a: 1 }, tokenAt: t }, commands: [{ command: a }] }',
      'players.login.tokenAt',
    ],
    [
      '{ protocol: json, login: { frame: [{ t: "{token}" }] }, commands: [{ command: a }] }',
      'players.login.frame.0.t',
    ],
    ['{ protocol: http, login: { body: x }, requests: [{ path: / }] }', 'players.login.path'],
    [
      '{ protocol: http, login: { path: /, body: x, form: { a: b } }, requests: [{ path: / }] }',
      'players.login.form',
    ],
    ['{ protocol: http, requests: [{ path: "/{env.TOKEN}" }] }', 'players.requests.0.path'],
    ['{ protocol: http, environment: [A-B], requests: [{ path: / }] }', 'players.environment.0'],
    ['{ protocol: http, data: users.json, requests: [{ path: / }] }', 'players.data'],
    ['{ protocol: http, requests: [{ path: /, body: { a: "{b}" } }] }', 'players.requests.0.body.a'],
    ['{ module: ./a.mjs, data: users.csv }', 'players.data'],
    ['{ module: ./a.mjs, deflate: yes please }', 'players.deflate'],
    ['{ module: ./a.mjs, subprotocols: game.v1 }', 'players.subprotocols'],
    ['{ module: ./a.mjs, subprotocols: ["game v1"] }', 'players.subprotocols.0'],
    ['{ module: ./a.mjs, largestFrame: 16 }', 'players.largestFrame'],
    ['{ module: ./a.mjs, largestFrame: 2GB }', 'players.largestFrame'],
    ['{ protocol: http, deflate: true, requests: [{ path: / }] }', 'players.deflate'],
    ['{ protocol: json }', 'players.commands'],
    ['{ protocol: json, commands: [] }', 'players.commands'],
    ['{ protocol: json, commands: [{ command: look, weight: 0 }] }', 'players.commands.0.weight'],
    ['{ protocol: json, commands: [{ command: look, weight: .nan }] }', 'players.commands.0.weight'],
    ['{ protocol: json, path: ws, commands: [{ command: look }] }', 'players.path'],
    ['{ protocol: json, idAt: "a b", commands: [{ command: look }] }', 'players.idAt'],
    ['{ protocol: http, requests: [{ path: "http://elsewhere/" }] }', 'players.requests.0.path'],
    ['{ protocol: http, requests: [{ path: /, method: TRACE }] }', 'players.requests.0.method'],
    ['{ protocol: http, requests: [{ path: /, url: /x }] }', 'players.requests.0.url'],
  ])('%s', (players, path) => {
    expect(problemsOf(of(players)).map((problem) => problem.path)).toContain(path);
  });

  test('monster commands, which need players of the flux world', () => {
    const text = minimal('  monsters: 5000\n  monsterCommandsPerSecond: 10\nplayers: { module: ./a.mjs }\n');
    expect(problemsOf(text)).toMatchObject([{ path: 'load.monsterCommandsPerSecond' }]);
    expect(problemsOf(text)[0]?.message).toContain(
      "monster commands of the flux world need the world's own players",
    );
  });
});

test('a scenario whose players only drive a target need not fit a world of capbench', () => {
  const few = (players: string): string =>
    `name: mine\nsystem: flux\nload: { players: 2 }\nplayers: ${players}\n`;
  expect(read(few('{ protocol: http, requests: [{ path: / }] }')).load.players).toBe(2);
  expect(problemsOf(few('{ module: ./a.mjs }'))).toMatchObject([{ path: 'load.players' }]);
});

test('another player is another load', () => {
  const scenario = read(of('{ module: ./a.mjs }'), { set: ['players.module=./b.mjs'] });
  expect(scenario.altered).toEqual(['players.module=./b.mjs']);
});
