import { describe, expect, test } from 'vitest';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import { minimal, problemsOf, read, shipped, written } from './scenario-text.ts';

describe.each(['quickstart', 'm4pro-20k', 'storm'])('%s, resolved', (name) => {
  test.each([1, 0.25, 0.1, 1 / 3])('is read back as the same scenario at scale %d', (scale) => {
    const scenario = read(shipped(name), { scale, seed: 5 });
    const again = read(written(scenario));
    expect(again).toEqual(scenario);
    expect(scenarioHash(again)).toBe(scenarioHash(scenario));
  });

  test('can be scaled and changed like any other', () => {
    const half = read(shipped(name), { scale: 0.5 });
    const quarter = read(written(half), { scale: 0.5, set: ['load.drain=3s'] });
    expect(quarter).toMatchObject({ scale: 0.25, load: { players: half.load.players / 2, drain: 3e6 } });
  });
});

test('the changes of --set are kept, and new ones are added', () => {
  const altered = read(shipped('m4pro-20k'), { set: ['load.players=400', 'world.servers=2'] });
  expect(altered.altered).toEqual(['load.players=400', 'world.servers=2']);
  expect(read(written(altered))).toEqual(altered);
  expect(read(written(altered), { set: ['load.players=300', 'load.monsters=100'] }).altered).toEqual([
    ...['world.servers=2', 'load.players=300', 'load.monsters=100'],
  ]);
  expect(scenarioHash({ ...altered, altered: [] })).not.toBe(scenarioHash(altered));
});

test('durations with fractions of a second are kept', () => {
  const scenario = read(minimal('  skipAfter: 1500us\n  timeout: 2.5s\n  duration: 1.5h\n'));
  expect(scenario.load).toMatchObject({ skipAfter: 1500, timeout: 2.5e6, duration: 5400e6 });
  expect(read(written(scenario))).toEqual(scenario);
});

test('limits are kept in every section', () => {
  const scenario = read(`name: mine
system: mud
load: { players: 8 }
world: { limits: { cpus: 0.5, memory: 512MB } }
postgres: { limits: { memory: 1GB } }
redis: { limits: { cpus: 1, memory: 1.5GB } }
edge: { limits: { memory: 64MB } }
`);
  expect(scenario.redis?.limits).toEqual({ cpus: 1, memory: 1536 });
  const again = read(written(scenario));
  expect(again).toEqual(scenario);
  expect(scenarioHash(again)).toBe(scenarioHash(scenario));
});

test('texts that YAML could parse as another type are kept', () => {
  const scenario = read(
    minimal(
      `description: "1e3"\npostgres: { settings: { a: 'on', b: '~', c: '007', d: ' x ', e: '', f: '#', g: "it's" } }\n`,
    ),
  );
  expect(read(written(scenario))).toEqual(scenario);
});

test('the hash depends on the content and not on order or layout, and every change changes it', () => {
  const hash = (text: string) => scenarioHash(read(text));
  const one = hash('name: a\nsystem: flux\nload: { players: 10, monsters: 0 }\n');
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(hash('# comment\nload:\n  monsters: 0\n  players: 10\nsystem: flux\nname: a\nbudgets: []\n')).toBe(
    one,
  );
  expect(hash('name: a\nsystem: flux\nload: { players: 11 }\n')).not.toBe(one);
  expect(hash('name: a\nsystem: flux\nload: { players: 10, intentsPerSecond: 9 }\n')).not.toBe(one);
  expect(hash('name: a\nsystem: flux\nseed: 2\nload: { players: 10 }\n')).not.toBe(one);
});

describe('a resolved scenario that was altered', () => {
  const text = written(read(shipped('quickstart')));
  test.each([
    ['another form', text.replace('resolved: 1', 'resolved: 2'), 'resolved'],
    ['no scale', text.replace(/^scale: .*\n/m, ''), 'scale'],
    ['a list that only others have', `${text}untestable: []\n`, 'untestable'],
    ['a limit', text.replace('limit: 500', 'limit: .nan'), 'budgets.3.limit'],
    ['a state', text.replace('state: measured', 'state: met'), 'budgets.0.state'],
    ['a metric', text.replace('metric: load.peakCcu', 'metric: load.peak'), 'budgets.0'],
    ['an id', text.replace('id: intents-sent', 'id: all-connected'), 'budgets.1'],
  ])('is refused: %s', (_, altered, path) => {
    expect(altered).not.toBe(text);
    expect(problemsOf(altered).map((problem) => problem.path)).toContain(path);
  });
});
