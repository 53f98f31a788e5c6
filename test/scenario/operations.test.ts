import { describe, expect, test } from 'vitest';
import { NO_OVERRIDES } from '../../src/scenario/overrides.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import { OPERATIONS } from '../../src/systems/flux/scenario.ts';
import { SYSTEMS, systemsOf } from '../../src/systems/registry.ts';
import type { System } from '../../src/systems/system.ts';
import { claims, minimal, problemsOf, rates, read, written } from './scenario-text.ts';

const of = (load: string): string => minimal(`${load}  monsters: 100\n`);
const ALIAS = '  intentsPerSecond: 5\n  monsterCommandsPerSecond: 7\n';
const NAMES = '  operations: { intent: { perSecond: 5 }, monsterCommand: { perSecond: 7 } }\n';
const messagesOf = (...args: Parameters<typeof problemsOf>): readonly string[] =>
  problemsOf(...args).map(({ where, path, message }) => `${where} ${path}: ${message}`);

describe('rates by either name', () => {
  test('are the same scenario, and a bundle has the canonical name', () => {
    const [alias, name] = [read(of(ALIAS)), read(of(NAMES))];
    expect(rates(alias)).toEqual([5, 7]);
    expect(alias).toEqual(name);
    expect(scenarioHash(alias)).toBe(scenarioHash(name));
    expect(written(alias)).toContain('  operations:\n    intent:\n      perSecond: 5\n');
    expect(written(alias)).not.toContain('intentsPerSecond');
    expect(read(written(alias))).toEqual(alias);
  });

  test.each([
    ['alias', 'alias', ALIAS, ['load.intentsPerSecond=9']],
    ['alias', 'name', ALIAS, ['load.operations.intent.perSecond=9']],
    ['name', 'alias', NAMES, ['load.intentsPerSecond=9']],
    ['name', 'name', NAMES, ['load.operations.intent.perSecond=9']],
    ['name', 'a map of names', NAMES, ['load.operations.intent={perSecond: 9}']],
    ['alias', 'a map of names', ALIAS, ['load.operations.intent={perSecond: 9}']],
    ['neither', 'alias', '  monsterCommandsPerSecond: 7\n', ['load.intentsPerSecond=9']],
    ['name', 'both', NAMES, ['load.operations.intent.perSecond=8', 'load.intentsPerSecond=9']],
    ['alias', 'both', ALIAS, ['load.intentsPerSecond=8', 'load.operations.intent.perSecond=9']],
  ])('%s in the file, %s in --set: the last --set wins', (_file, _flag, text, set) => {
    const scenario = read(of(text), { set });
    expect(rates(scenario)).toEqual([9, 7]);
    expect(scenario.altered).toEqual([
      set.at(-1)?.replace('intent={perSecond: 9}', 'intent={"perSecond":9}'),
    ]);
  });

  test('--set with the present value changes nothing, by either name', () => {
    expect(read(of(ALIAS), { set: ['load.operations.intent.perSecond=5'] }).altered).toEqual([]);
    expect(read(of(NAMES), { set: ['load.intentsPerSecond=5'] }).altered).toEqual([]);
  });

  test('--set of one name replaces the value that a bundle has for the other', () => {
    const bundle = written(read(of(NAMES), { set: ['load.intentsPerSecond=9'] }));
    const again = read(bundle, { set: ['load.operations.intent.perSecond=4'] });
    expect(again.altered).toEqual(['load.operations.intent.perSecond=4']);
  });

  test('both names in one file are refused', () => {
    const text = of('  intentsPerSecond: 5\n  operations: { intent: { perSecond: 5 } }\n');
    expect(messagesOf(text)).toEqual([
      'x.yaml:5:3 load.intentsPerSecond: got 5 beside load.operations.intent.perSecond, expected only one of the two: they are the same key',
    ]);
    expect(problemsOf(text)[0]?.hint).toBe('keep load.operations.intent.perSecond');
    expect(
      messagesOf(minimal(), {
        set: ['load={players: 5, intentsPerSecond: 1, operations: {intent: {perSecond: 1}}}'],
      }),
    ).toEqual([expect.stringMatching(/^--set load=\{.* load\.intentsPerSecond: got 1 beside /)]);
  });

  test.each([
    [
      'a wrong value',
      '  intentsPerSecond: fast\n',
      '5:21 load.intentsPerSecond: got "fast", expected a rate',
    ],
    [
      'a wrong value',
      '  operations: { intent: { perSecond: fast } }\n',
      '5:38 load.operations.intent.perSecond: got "fast"',
    ],
    [
      'too much',
      '  monsterCommandsPerSecond: 9e6\n  commandsPerPost: 1\n',
      '5:29 load.monsterCommandsPerSecond: got 9,000,000 posts a second',
    ],
    ['nothing at all', '  intentsPerSecond: 0\n', '5:21 load.intentsPerSecond: no operation is ever due'],
    [
      'what is no map',
      '  intentsPerSecond: 5\n  operations: 5\n',
      '6:15 load.operations: got 5, expected a map with the keys intent, monsterCommand',
    ],
  ])('%s is reported with the name that the file uses: %j', (_, text, expected) => {
    expect(messagesOf(of(text))).toEqual([expect.stringContaining(`x.yaml:${expected}`)]);
  });

  test('a rate that is too high after --scale is reported with the name that the file uses', () => {
    const text = of('  monsterCommandsPerSecond: 9e5\n  commandsPerPost: 5000\n');
    expect(messagesOf(text, { scale: 100 })).toEqual([
      'with --scale 100 load.monsterCommandsPerSecond: got 90,000,000 a second, expected 10,000,000 at most',
    ]);
  });
});

describe('weights', () => {
  const WEIGHT = '  operations: { intent: { weight: 2 } }\n';

  test('share one operation a second for each player, or load.operationsPerSecond', () => {
    expect(rates(read(of(WEIGHT)))).toEqual([100, 0]);
    const scenario = read(of(`  operationsPerSecond: 30\n${WEIGHT}`), { scale: 0.5 });
    expect(rates(scenario)).toEqual([15, 0]);
    expect(written(scenario)).not.toMatch(/weight|operationsPerSecond/);
    expect(read(written(scenario))).toEqual(scenario);
    expect(read(of(WEIGHT), { set: ['load.operationsPerSecond=30'] }).altered).toEqual([
      'load.operationsPerSecond=30',
    ]);
  });

  test('of several operations are proportional, beside rates and defaults', () => {
    const operations = ['look', 'move', 'trade', 'rest'].map((id) => ({ ...OPERATIONS[0]!, id }));
    const toy: System = {
      name: 'toy',
      workerModule: () => '',
      scenario: {
        ...{ name: 'toy', operations, components: () => [] },
        defaultPerSecond: (_, { players }) => players / 10,
        workload: ({ load }) => ({ entities: load.players, own: null }),
      },
    };
    const text =
      'name: a\nsystem: toy\nload:\n  players: 40\n  operations: { look: { weight: 3 }, move: { weight: 1 }, trade: { perSecond: 2 } }\n';
    const file = { file: 'x.yaml', bytes: new TextEncoder().encode(text) };
    const scenario = readScenario(file, { systems: systemsOf([toy]), claims }, NO_OVERRIDES);
    expect(rates(scenario)).toEqual([30, 10, 2, 4]);
  });

  test.each([
    [
      '  operations: { intent: { perSecond: 5, weight: 2 } }\n',
      '5:49 load.operations.intent.weight: got 2, expected no weight beside perSecond',
    ],
    [
      '  intentsPerSecond: 5\n  operations: { intent: { weight: 2 } }\n',
      '6:35 load.operations.intent.weight: got 2, expected no weight beside perSecond',
    ],
    [
      '  operationsPerSecond: 5\n',
      '5:24 load.operationsPerSecond: got 5, expected an operation with a weight: load.operations: { intent: { weight: 1 } }',
    ],
    [
      '  operations: { monsterCommand: { weight: 2 } }\n',
      '5:35 load.operations.monsterCommand.weight: unknown key "weight", expected one of perSecond',
    ],
    [
      '  operations: { intent: { weight: 0 } }\n',
      '5:35 load.operations.intent.weight: got 0, expected a weight of 0.001 to 1,000,000',
    ],
  ])('%j is refused', (text, expected) => {
    expect(messagesOf(of(text))).toEqual([expect.stringContaining(`x.yaml:${expected}`)]);
  });
});

test('the error for an unknown operation lists the known ones and the nearest', () => {
  const text = of('  operations: { intents: { perSecond: 5 } }\n');
  expect(messagesOf(text)).toEqual([
    'x.yaml:5:17 load.operations.intents: unknown key "intents", expected one of intent, monsterCommand',
  ]);
  expect(problemsOf(text)[0]?.hint).toBe('did you mean intent?');
});

test('when the system is unknown, only keys that no system has are reported', () => {
  const text = of(`${ALIAS}  sped: 5\n  commandsPerPost: 0\n`).replace('flux', 'fluxx');
  expect(messagesOf(text)).toEqual([
    `x.yaml:2:9 system: got "fluxx", expected one of ${SYSTEMS.names.join(', ')}`,
    expect.stringContaining('x.yaml:7:3 load.sped: unknown key "sped"'),
    expect.stringContaining('x.yaml:8:20 load.commandsPerPost: got 0'),
  ]);
  expect(problemsOf(text)[0]?.hint).toBe('did you mean flux?');
});

test('another version of the format is refused, and version 1 is read', () => {
  expect(read(minimal('version: 1\n'))).toEqual(read(minimal()));
  expect(messagesOf(minimal('version: 2\n'))).toEqual([
    'x.yaml:5:10 version: got 2, expected 1, the version of scenarios that this capbench reads',
  ]);
  expect(problemsOf(minimal('version: 2\n'))[0]?.hint).toBe(
    'other versions need another version of capbench',
  );
});
