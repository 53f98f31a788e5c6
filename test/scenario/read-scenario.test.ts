import { describe, expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { ScenarioError } from '../../src/scenario/problem.ts';
import { DEFAULT_RULES } from '../../src/scenario/rules.ts';
import { LANES } from '../../src/systems/flux/monsters/lanes.ts';
import { OPERATIONS } from '../../src/systems/flux/scenario.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { minimal, problemsOf, read, written } from './scenario-text.ts';

const flux = (load: string): string => `name: a\nsystem: flux\nload: ${load}`;
const lines = (text: string | Uint8Array) =>
  problemsOf(text).map(({ where, path, message }) => `${where} ${path}: ${message}`);

test('the smallest scenario has the documented defaults', () => {
  const { operations, traits, ...rest } = read(minimal());
  expect(operations).toEqual(OPERATIONS);
  expect(traits).toMatchObject({ needsTarget: false, entities: 100, table: 'entity' });
  expect(rest).toEqual({
    ...{ name: 'mine', description: '', system: 'flux', seed: 1, scale: 1, altered: [] },
    load: {
      ...{ players: 100, operations: { intent: { perSecond: 100 }, monsterCommand: { perSecond: 0 } } },
      ...{ monsters: 0, commandsPerPost: 200, connectsPerSecond: 1000, outstanding: 4, skipAfter: 1e6 },
      ...{ timeout: 10e6, ramp: 5e6, warmUp: 5e6, duration: 60e6, drain: 10e6 },
    },
    world: {
      ...{ servers: 4, playersPerPlace: 10, rowShape: 'columns', heap: 3072 },
      batch: { operations: 1663, interval: 10e3 },
    },
    postgres: { version: 16, settings: {} },
    ceilings: { secondsEach: 2, rows: 100_000 },
    calibration: { seconds: 2, factor: 1.5 },
    ...{ deviations: [], faults: [], rules: DEFAULT_RULES, budgets: [] },
  });
});

test('a key without a value is the same as no key', () => {
  expect(read(minimal('budgets:\nworld:\n')).world.servers).toBe(4);
});

test('there is a server for each target, unless the scenario says how many there are', () => {
  expect(read(minimal(), { targets: 2 }).world.servers).toBe(2);
  expect(read(minimal('world: { playersPerPlace: 20 }'), { targets: 1 }).world).toMatchObject({
    ...{ servers: 1, playersPerPlace: 20 },
  });
  expect(read(minimal('world: { servers: 3 }'), { targets: 1 }).world.servers).toBe(3);
  expect(read(minimal(), { targets: 2, set: ['world.servers=5'] }).world.servers).toBe(5);
  expect(read(minimal(), { targets: 0 }).world.servers).toBe(4);
});

test('tables to count are kept, with or without their schema', () => {
  const scenario = read(minimal('probe: { tables: [characters, world.items_2] }'));
  expect(scenario.probe).toEqual({ tables: ['characters', 'world.items_2'] });
  expect(read(written(scenario)).probe).toEqual(scenario.probe);
  expect(read(minimal())).not.toHaveProperty('probe');
});

test("PostgreSQL's settings keep their spelling", () => {
  const text = minimal(
    "postgres:\n  settings:\n    synchronous_commit: on\n    log_connections: false\n    random_page_cost: 1.1\n    listen_addresses: ''\n    log_line_prefix: '%t '\n",
  );
  expect(read(text).postgres.settings).toEqual({
    synchronous_commit: 'on',
    log_connections: 'off',
    random_page_cost: '1.1',
    listen_addresses: '',
    log_line_prefix: '%t ',
  });
});

describe('an input that is no scenario', () => {
  const noisy = Uint8Array.from({ length: 2000 }, (_, i) => (i * 197 + 131) % 256);
  test.each([
    ['an empty file', '', 'x.yaml:1:1 : the file is empty, expected a map'],
    ['comments alone', '# nothing\n', 'x.yaml:1:1 : the file is empty'],
    ['a list', '- a\n- b\n', 'x.yaml:1:1 : got a list of 2, expected a map'],
    ['a word', 'hello', 'x.yaml:1:1 : got "hello", expected a map'],
    ['a large file', minimal('#'.repeat(300 * 1024)), 'x.yaml:1:1 : the file is larger than 256 KB'],
    ['binary garbage', noisy, 'x.yaml:1:1 : the file is not UTF-8'],
    ['a zero byte', minimal('seed: 1\0'), 'x.yaml:1:1 : the file has control characters'],
    ['open brackets', '['.repeat(200_000), 'x.yaml:1:1 : got hundreds of open brackets'],
    ['lists in lists', '- '.repeat(100_000), 'invalid YAML'],
    ['an unclosed quote', 'name: "abc\n', 'x.yaml:2:1 : invalid YAML'],
    ['a tab', 'load:\n\tplayers: 1\n', 'x.yaml:2:1 : got a tab'],
    ['two documents', `${minimal()}---\nname: b\n`, 'x.yaml:5:1 : got a second document'],
    ['a key twice', `${minimal()}seed: 1\nseed: 2\n`, 'x.yaml:6:1 : the key "seed" appears twice'],
    [
      'an inner key twice',
      minimal('world: { servers: 1, servers: 2 }\n'),
      'x.yaml:5:22 : the key "servers" appears twice',
    ],
    ['a custom tag', minimal('seed: !run 1\n'), 'x.yaml:5:7 : got a tag, expected plain data'],
    ['a known tag', minimal('description: !!binary aGk=\n'), 'x.yaml:5:14 : got a tag, expected plain data'],
    ['an unknown alias', minimal('seed: *one\n'), 'invalid YAML: Unresolved alias'],
    ['a map as key', minimal('? { a: 1 }\n: 2\n'), 'x.yaml:5:3 : invalid YAML'],
  ])('%s', (_, text, expected) => {
    expect(lines(text)[0]).toContain(expected);
  });

  test('aliases that multiply are refused', () => {
    const rows = Array.from(
      'bcdefgh',
      (c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`,
    );
    expect(lines(`a: &a [x, x]\n${rows.join('\n')}\n`)[0]).toContain('Excessive alias count');
  });

  test('an alias is read, a merge key is not', () => {
    expect(read(minimal('ceilings: { rows: &n 5000 }\nseed: *n\n')).seed).toBe(5000);
    expect(lines('base: &base { players: 5 }\nname: a\nsystem: flux\nload:\n  <<: *base\n')).toContainEqual(
      expect.stringContaining('x.yaml:5:3 load.<<: unknown key "<<"'),
    );
  });

  test('YAML 1.1 is not read, whatever the file declares', () => {
    expect(lines(`%YAML 1.1\n---\n${minimal('seed: 1_000\n')}`)).toEqual([
      expect.stringContaining('x.yaml:7:7 seed: got "1_000"'),
    ]);
  });

  test('a key that every JavaScript object has is checked like any other', () => {
    expect(lines(minimal('__proto__: { seed: 7 }\n'))).toEqual([
      expect.stringContaining('x.yaml:5:1 __proto__: unknown key'),
    ]);
  });
});

describe('a single wrong value', () => {
  test.each([
    ['name: Bad Name\nsystem: flux\nload: { players: 1 }\nworld: { servers: 1 }', '1:7 name: got "Bad Name"'],
    [
      'name: a\nsystem: quake\nload: { players: 10 }',
      `2:9 system: got "quake", expected one of ${SYSTEMS.names.join(', ')}`,
    ],
    [
      'name: a\nload: { players: 10 }',
      `1:1 system: got nothing, expected one of ${SYSTEMS.names.join(', ')}`,
    ],
    ['name: a\nsystem: flux', '1:1 load: got nothing, expected a map with the keys players'],
    [flux('{}'), '3:7 load.players: got nothing, expected a whole number'],
    [flux('5'), '3:7 load: got 5, expected a map'],
    [flux('{ players: 0 }'), '3:18 load.players: got 0, expected a whole number of 1 to 1,000,000'],
    [flux('{ players: 1000001 }'), '3:18 load.players: got 1000001'],
    [flux('{ players: 10.5 }'), '3:18 load.players: got 10.5'],
    [flux('{ players: .nan }'), '3:18 load.players: got .nan'],
    [flux('{ players: .inf }'), '3:18 load.players: got .inf'],
    [flux('{ players: 1e999 }'), '3:18 load.players: got .inf'],
    [flux('{ players: "100" }'), '3:18 load.players: got "100"'],
    [flux('{ players: true }'), '3:18 load.players: got true'],
    [flux('{ players: ~ }'), '3:18 load.players: got null'],
    [
      minimal('  intentsPerSecond: -1'),
      '5:21 load.intentsPerSecond: got -1, expected a rate per second of 0 to 10,000,000',
    ],
    [minimal('  intentsPerSecond: -.inf'), '5:21 load.intentsPerSecond: got -.inf'],
    [minimal('  monsters: 1.5'), '5:13 load.monsters: got 1.5'],
    [
      minimal('  commandsPerPost: 5001'),
      '5:20 load.commandsPerPost: got 5001, expected a whole number of 1 to 5,000',
    ],
    [minimal('  duration: 999ms'), '5:13 load.duration: got "999ms", expected a duration of 1s to 24h'],
    [minimal('  duration: 25h'), '5:13 load.duration: got "25h"'],
    [minimal('  duration: 30'), '5:13 load.duration: got 30'],
    [minimal('  duration: soon'), '5:13 load.duration: got "soon"'],
    [minimal('  duration: -5s'), '5:13 load.duration: got "-5s"'],
    [minimal('world: { servers: 0 }'), '5:19 world.servers: got 0'],
    [
      minimal('world: { batch: { operations: 0 } }'),
      '5:31 world.batch.operations: got 0, expected a whole number of 1 to 100,000',
    ],
    [minimal('world: { batch: { interval: 0ms } }'), '5:29 world.batch.interval: got "0ms"'],
    [minimal('world: { heap: 3072 }'), '5:16 world.heap: got 3072, expected a size of 64MB to 64GB'],
    [minimal('world: { heap: 100.5MB }'), '5:16 world.heap: got "100.5MB"'],
    [minimal('world: { rowShape: wide }'), '5:20 world.rowShape: got "wide", expected one of columns, jsonb'],
    [minimal('seed: 4294967296'), '5:7 seed: got 4294967296'],
    [
      minimal('rules: { sentPercent: 101 }'),
      '5:23 rules.sentPercent: got 101, expected a percentage of 0 to 100',
    ],
    [minimal('ceilings: { rows: 10 }'), '5:19 ceilings.rows: got 10'],
    [minimal('probe: { tables: [] }'), '5:18 probe.tables: got an empty list, expected at least one table'],
    [
      minimal("probe: { tables: [characters, 'a;b'] }"),
      '5:31 probe.tables.1: got "a;b", expected the name of a table such as characters, or world.characters',
    ],
    [minimal('probe: { table: [a] }'), '5:10 probe.table: unknown key "table", expected one of tables'],
    [minimal('budgets: 5'), '5:10 budgets: got 5, expected a list'],
    [minimal('deviations: [{ setting: a }]'), '5:14 deviations.0.documented: got nothing'],
    [minimal('description: "a\\0b"'), '5:14 description: got "a\\u0000b", expected text of at most 2000'],
    [minimal('description: "\\e[2J"'), '5:14 description: got "\\u001b[2J"'],
    [
      minimal('budgets: [{ id: a, metric: load.peakCcu, op: <, limit: 5, unit: players, title: "a\\nb" }]'),
      '5:81 budgets.0.title: got "a\\nb", expected text of 1 to 300 characters on one line',
    ],
  ])('%j', (text, expected) => {
    expect(lines(text)).toContainEqual(expect.stringContaining(`x.yaml:${expected}`));
  });

  test.each([
    [
      'load',
      minimal('  playerz: 5'),
      '5:3 load.playerz: unknown key "playerz", expected one of players',
      'did you mean players?',
    ],
    ['top', minimal('budget: []'), '5:1 budget: unknown key "budget"', 'did you mean budgets?'],
    [
      'batch',
      minimal('world: { batch: { operation: 5 } }'),
      '5:19 world.batch.operation: unknown key',
      'did you mean operations?',
    ],
    [
      'case',
      minimal('  monsterCommandsPersecond: 5'),
      '5:3 load.monsterCommandsPersecond: unknown key',
      'did you mean monsterCommandsPerSecond?',
    ],
    ['far off', minimal('zebra: 5'), '5:1 zebra: unknown key', null],
  ])('the error for an unknown key (%s) suggests the nearest known one', (_, text, expected, hint) => {
    expect(lines(text)).toEqual([expect.stringContaining(`x.yaml:${expected}`)]);
    expect(problemsOf(text)[0]?.hint).toBe(hint);
  });

  test.each([
    [flux('{ players: 20_000 }'), 'write it without quotes and separators: 20000'],
    [minimal('  drain: 5'), 'add its unit: 5s'],
    [minimal('world: { heap: 512 }'), 'add its unit: 512MB'],
    // With a unit these would be refused, too.
    [minimal('  duration: 0'), null],
    [minimal('world: { heap: -1 }'), null],
    [flux('{ players: .nan }'), 'comparisons with it are meaningless'],
  ])('the error for %j has a hint', (text, hint) => {
    expect(problemsOf(text).map((problem) => problem.hint)).toEqual([hint]);
  });
});

describe('settings that a scenario may not have', () => {
  test.each([
    ['archive_command', 'rm -rf /'],
    ['restore_command', 'x'],
    ['ssl_passphrase_command', 'x'],
    ['session_preload_libraries', 'x'],
    ['local_preload_libraries', 'x'],
    ['shared_preload_libraries', 'evil'],
    ['shared_preload_libraries', 'pg_stat_statements,evil'],
    ['dynamic_library_path', '/tmp'],
    ['archive_library', 'x'],
    ['jit_provider', 'x'],
    ['data_directory', '/'],
    ['hba_file', '/tmp/x'],
    ['unix_socket_directories', '/tmp'],
    ['log_directory', '/'],
    ['log_filename', '../x'],
    ['include', 'x'],
    ['include_dir', 'x'],
    ['port', '5432'],
    ['listen_addresses', '*'],
    ['listen_addresses', '0.0.0.0'],
    ['primary_conninfo', 'host=elsewhere'],
    ['work_mem', "1MB'\\narchive_command = 'x"],
    ['Work-Mem', '1MB'],
    ['work_mem = 1\\n#', '1MB'],
  ])('%s = %s', (name, value) => {
    const text = minimal(`postgres:\n  settings:\n    "${name}": "${value}"\n`);
    expect(lines(text)).toEqual([expect.stringContaining('x.yaml:7:')]);
  });
});

describe('numbers that contradict one another', () => {
  test.each([
    [flux('{ players: 3 }'), '3:18 load.players: got 3 players for 4 world servers'],
    [minimal('  monsterCommandsPerSecond: 5'), '4:3 load.monsters: got 0 monsters for 4 world servers'],
    [
      minimal(`  monsters: ${4 * LANES - 1}\n  monsterCommandsPerSecond: 5`),
      `5:13 load.monsters: got ${4 * LANES - 1} monsters for 4 world servers, expected at least ${LANES}`,
    ],
    [minimal('  intentsPerSecond: 0'), '5:21 load.intentsPerSecond: no operation is ever due'],
    [
      minimal('  intentsPerSecond: 100001'),
      '5:21 load.intentsPerSecond: got 1,000.01 a second for each player',
    ],
    [
      minimal('  monsters: 100\n  monsterCommandsPerSecond: 200000\n  commandsPerPost: 1'),
      '6:29 load.monsterCommandsPerSecond: got 200,000 posts a second',
    ],
    [minimal('  duration: 24h'), '5:13 load.duration: ramp, warmUp and duration together'],
  ])('%j', (text, expected) => {
    expect(lines(text)).toEqual([
      expect.stringContaining(
        expected.startsWith('4:3') ? 'load.monsters: got 0 monsters' : `x.yaml:${expected}`,
      ),
    ]);
  });
});

test('all errors are reported at once, in the order of the file, with the exit code of bad input', () => {
  const text = `name: a b
system: flux
load:
  players: -1
  ramp: 5
extra: 1
world:
  servers: 65
postgres:
  settings: { archive_command: x, work_mem: [1] }
budgets:
  - { claim: FLX-999, metric: load.peakCcu }
  - { id: a, metric: load.peak, op: <, limit: 5, unit: players }
  - 7
untestable:
  - { missing: 'price: x', claims: [FLX-001, FLX-001] }
`;
  expect(problemsOf(text).map(({ where, path }) => `${where} ${path}`)).toEqual([
    'x.yaml:1:7 name',
    'x.yaml:4:12 load.players',
    'x.yaml:5:9 load.ramp',
    'x.yaml:6:1 extra',
    'x.yaml:8:12 world.servers',
    'x.yaml:10:32 postgres.settings.archive_command',
    'x.yaml:10:45 postgres.settings.work_mem',
    'x.yaml:12:14 budgets.0.claim',
    'x.yaml:13:5 budgets.1',
    'x.yaml:14:5 budgets.2',
    'x.yaml:16:46 untestable.0.claims.1',
  ]);
  expect(() => read(text)).toThrow(ScenarioError);
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      exitCode: EXIT.badInput,
      message: expect.stringMatching(/^11 problems\n {2}x\.yaml:1:7 name: /),
    }),
  );
});

test('a file with only unknown keys is refused without a message for each', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `key${i}: 1`).join('\n');
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThan(10);
  expect(problems.length).toBeLessThan(100);
});

test('of a file of nothing but errors of notation the first thousand are kept, and all are counted', () => {
  const text = '""'.repeat(2_000);
  expect(problemsOf(text)).toHaveLength(1_000);
  expect(() => read(text)).toThrow(/^1999 problems\n(?:.*\n)+ {2}and \d+ more$/);
});
