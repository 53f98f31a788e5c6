import { describe, expect, test } from 'vitest';
import { parseDurationFlag, parseScale, parseSeed } from '../../src/scenario/overrides.ts';
import { micros } from '../../src/units.ts';
import { minimal, problemsOf, read, shipped, written } from './scenario-text.ts';

const set = (...texts: string[]) => read(shipped('quickstart'), { set: texts });
const refused = (...texts: string[]) =>
  problemsOf(shipped('quickstart'), { set: texts }).map(
    ({ where, path, message }) => `${where} ${path}: ${message}`,
  );

describe('--set', () => {
  test('parses a value as YAML, and the last one wins', () => {
    const scenario = set(
      ...['load.players=500', 'load.players=501', 'load.duration=5s', 'description=a: b', 'seed=0x10'],
    );
    expect(scenario.load).toMatchObject({ players: 501, duration: 5e6 });
    expect(scenario).toMatchObject({ description: 'a: b', seed: 16 });
  });

  test.each([
    ['an alias of nothing', 'name=[*a]', 'name: got "[*a]"'],
    ['an alias', 'name=[&a 1, *a]', 'name: got "[&a 1, *a]"'],
    ['brackets without end', `name=${'['.repeat(4_000)}`, 'name: got "[[['],
    ['brackets by the thousand', `name=${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'name: got "[[['],
  ])('%s is text, not a key', (_what, text, expected) => {
    const [problem, ...more] = refused(text);
    expect(more).toEqual([]);
    expect(problem).toContain(expected);
    expect(problem?.length).toBeLessThan(500);
  });

  test('a path of excessive length is refused', () => {
    expect(() => set(`load${'.a'.repeat(20_000)}=1`)).toThrow('a path of 20 keys at most');
  });

  test('sets keys that the file leaves out', () => {
    expect(read(minimal(), { set: ['world.batch.operations=7', 'rules.sentPercent=95'] })).toMatchObject({
      world: { batch: { operations: 7, interval: 10e3 } },
      rules: { sentPercent: 95, generatorLoopDelayMs: 100 },
    });
  });

  test('finds a budget by its id, its claim or its position', () => {
    const limitOf = (id: string, text: string) => set(text).budgets.find((budget) => budget.id === id)?.limit;
    expect(limitOf('intent-p95', 'budgets.intent-p95.limit=7')).toBe(7);
    expect(limitOf('all-connected', 'budgets.0.limit=8')).toBe(8);
    const m4pro = read(shipped('m4pro-20k'), { set: ['budgets.FLX-151.metric=latency.intent.service'] });
    const metric = { path: 'latency.intent.service' };
    expect(m4pro.budgets.find(({ id }) => id === 'FLX-151')).toMatchObject({ metric });
  });

  test('accepts a list for `between`', () => {
    const scenario = set('budgets.intent-p95.op=between', 'budgets.intent-p95.limit=[1, 9]');
    expect(scenario.budgets.find(({ id }) => id === 'intent-p95')).toMatchObject({
      op: 'between',
      limit: [1, 9],
    });
  });

  test('accepts maps in braces and lists of them; a text stays one', () => {
    const { load, faults } = set(
      'load.churn={perSecond: 5, away: 2s}',
      'load.stages=[{name: a, lasting: 15s}, {name: b, lasting: 5s, reconnect: {}}]',
      'faults=[{action: drop, of: players, at: 1s}]',
    );
    expect(load).toMatchObject({ churn: { perSecond: 5, away: 2e6 }, duration: 20e6 });
    expect(load.stages?.map(({ name, reconnect }) => [name, reconnect?.sharePercent])).toEqual([
      ['a', undefined],
      ['b', 100],
    ]);
    expect(faults).toMatchObject([{ action: 'drop', at: 1e6 }]);
    expect(set('load.churn={perSecond: 5}').altered).toEqual(['load.churn={"perSecond":5}']);
    expect(set('description={player}').description).toBe('{player}');
    expect(set('description={"to": "north"}').description).toBe('{"to": "north"}');
    expect(refused('load.churn={perSecond: 5, awy: 2s}')).toEqual([
      expect.stringContaining('load.churn.awy: unknown key "awy"'),
    ]);
    expect(refused('load.churn={perSecond: 5, perSecond: 6}')).toEqual([
      expect.stringContaining('load.churn: got "{perSecond: 5, perSecond: 6}", expected a map'),
    ]);
    expect(refused('load.churn={__proto__: {perSecond: 5}}').join()).toContain(
      'load.churn.__proto__: unknown key',
    );
  });

  test("sets PostgreSQL's settings, including names with dots, and can empty one", () => {
    const scenario = set(
      'postgres.settings.work_mem=64MB',
      'postgres.settings.pg_stat_statements.max=100',
      'postgres.settings.shared_preload_libraries=',
    );
    expect(scenario.postgres.settings).toMatchObject({
      work_mem: '64MB',
      'pg_stat_statements.max': '100',
      shared_preload_libraries: '',
    });
  });

  test('leaves everything else unchanged', () => {
    const before = read(shipped('quickstart'));
    expect(set('load.drain=7s')).toEqual({ ...before, load: { ...before.load, drain: 7e6 } });
  });

  test('lists its changes to the load, the world and PostgreSQL, with the last value of each', () => {
    expect(set().altered).toEqual([]);
    expect(
      set(
        ...['load.players=500', 'load.players=501', 'load.monsters=0x10', 'load.monsterCommandsPerSecond=9'],
        ...['load.intentsPerSecond=5', 'world.batch.interval=20ms', 'postgres.settings.work_mem= 64MB '],
      ).altered,
    ).toEqual([
      ...[
        'load.players=501',
        'load.monsters=16',
        'load.monsterCommandsPerSecond=9',
        'load.intentsPerSecond=5',
      ],
      ...['world.batch.interval=20ms', 'postgres.settings.work_mem=64MB'],
    ]);
    expect(set('world=~').altered).toEqual(['world=null']);
    expect(set('world=~', 'world.servers=2').altered).toEqual(['world={"servers":2}']);
  });

  test('lists neither unchanged values nor changes outside the load', () => {
    const { load } = read(shipped('quickstart'));
    expect(
      set(
        ...['load.players=7', `load.players=${load.players}`, 'load.duration=5s', 'load.drain=1s', 'seed=3'],
        ...['description=other', 'ceilings.secondsEach=0', 'rules.sentPercent=95', 'budgets.0.limit=8'],
      ).altered,
    ).toEqual([]);
  });

  test('changes one of two nodes that share an alias, and not the other', () => {
    const text = minimal('deviations: [&d { setting: s, documented: a, applied: b, reason: c }, *d]\n');
    const { deviations } = read(text, { set: ['deviations.0.reason=because'] });
    expect(deviations.map(({ reason }) => reason)).toEqual(['because', 'c']);
  });

  test.each([
    ['load.playrs=5', '--set load.playrs=5 load.playrs: unknown key "playrs"'],
    ['nowhere.at.all=5', '--set nowhere.at.all=5 nowhere: unknown key "nowhere"'],
    ['load.players=many', '--set load.players=many load.players: got "many", expected a whole number'],
    ['load.players=.nan', '--set load.players=.nan load.players: got .nan'],
    ['load.players=', '--set load.players= load.players: got ""'],
    ['load.players.x=5', '--set load.players.x=5 load.players: got 1000, which has no keys'],
    ['load=5', '--set load=5 load: got 5, expected a map'],
    ['load.duration=30', '--set load.duration=30 load.duration: got 30, expected a duration'],
    [
      'budgets.nosuch.limit=5',
      '--set budgets.nosuch.limit=5 budgets.nosuch: "nosuch" is not in the list of 13',
    ],
    ['budgets.99.limit=5', '--set budgets.99.limit=5 budgets.99: "99" is not in the list of 13'],
    ['budgets.0.limt=5', '--set budgets.0.limt=5 budgets.0.limt: unknown key "limt"'],
    [
      'postgres.settings.archive_command=x',
      '--set postgres.settings.archive_command=x postgres.settings.archive_command: got "x"',
    ],
    ['load.constructor=5', '--set load.constructor=5 load.constructor: unknown key'],
  ])('%s is refused, and the error names it', (text, expected) => {
    expect(refused(text)).toEqual([expect.stringContaining(expected)]);
  });

  test.each(['load.players', '=5', '', 'load..players=5', '.load=5', 'load.__proto__.x=5', '__proto__=5'])(
    '%j is no path=value',
    (text) => {
      expect(() => set(text)).toThrow(/expected --set path=value/);
    },
  );
});

describe('--scale', () => {
  const m4pro = (scale: number) => read(shipped('m4pro-20k'), { scale });

  test('multiplies players and both rates, and leaves the monsters', () => {
    expect(m4pro(0.25)).toMatchObject({
      scale: 0.25,
      load: {
        ...{ players: 5000, monsters: 75_000, connectsPerSecond: 2000, commandsPerPost: 200 },
        operations: { intent: { perSecond: 5000 }, monsterCommand: { perSecond: 100_000 } },
      },
      world: { servers: 4, batch: { operations: 1663 } },
    });
  });

  test('leaves no world server without a player', () => {
    expect(m4pro(1e-9).load.players).toBe(4);
  });

  test('of 1 changes nothing', () => {
    expect(m4pro(1)).toEqual(read(shipped('m4pro-20k')));
  });

  test('is refused where a world would exceed the limits', () => {
    expect(
      problemsOf(shipped('m4pro-20k'), { scale: 60 }).map(({ where, path }) => `${where} ${path}`),
    ).toEqual([
      'with --scale 60 load.players',
      'with --scale 60 load.operations.monsterCommand.perSecond',
      'with --scale 60 load.operations.monsterCommand.perSecond',
    ]);
  });
});

test('the measure phase begins and ends at whole seconds; a bundle has it as it was run', () => {
  const text = minimal().replace('players: 100\n', 'players: 100\n  ramp: 200ms\n  warmUp: 1500ms\n');
  const scenario = read(text, { duration: micros(2.1e6) });
  expect(scenario.load).toMatchObject({ ramp: 0.2e6, warmUp: 1.8e6, duration: 3e6 });
  expect(read(written(scenario))).toEqual(scenario);
  const asRun = written(scenario).replace('warmUp: 1800ms', 'warmUp: 1500ms');
  expect(read(asRun).load).toMatchObject({ ramp: 0.2e6, warmUp: 1.5e6 });
});

test('--duration and --seed', () => {
  const scenario = read(minimal(), { duration: micros(3e6), seed: 9 });
  expect(scenario).toMatchObject({ seed: 9, load: { duration: 3e6 } });
});

describe('flags as text', () => {
  test.each([
    ['0.25', 0.25],
    ['100', 100],
    ['1e-3', 0.001],
  ])('--scale %s', (text, expected) => expect(parseScale(text)).toBe(expected));
  test.each(['', ' ', '0', '-1', '100.1', 'NaN', 'Infinity', 'half', '1,5'])(
    '--scale %j is refused',
    (text) => {
      expect(() => parseScale(text)).toThrow(/expected a number above 0 and up to 100/);
    },
  );
  test.each([
    ['1s', 1e6],
    ['5m', 300e6],
    ['24h', 86_400e6],
    ['1500ms', 1.5e6],
  ])('--duration %s', (text, expected) => expect(parseDurationFlag(text)).toBe(expected));
  test.each(['', '30', '0s', '999ms', '25h', '-1s', '1d', 'NaNs'])('--duration %j is refused', (text) => {
    expect(() => parseDurationFlag(text)).toThrow(/expected a duration of 1s to 24h/);
  });
  test.each([
    ['0', 0],
    ['4294967295', 4294967295],
  ])('--seed %s', (text, expected) => expect(parseSeed(text)).toBe(expected));
  test.each(['', '-1', '1.5', '4294967296', '99999999999', 'x'])('--seed %j is refused', (text) => {
    expect(() => parseSeed(text)).toThrow(/expected a whole number/);
  });
});
