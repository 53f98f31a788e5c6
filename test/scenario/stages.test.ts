import { describe, expect, test } from 'vitest';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import { operationalSeconds, peakLoadOf } from '../../src/scenario/stages.ts';
import { faultsOf, playersAtStart } from '../../src/scenario/workload.ts';
import { seconds } from '../../src/units.ts';
import { minimal, problemsOf, read, shipped, workload, written } from './scenario-text.ts';

const staged = (stages: readonly string[], more = ''): string =>
  minimal(`  stages:\n${stages.map((one) => `    - ${one}\n`).join('')}${more}`);

const SHAPE = [
  '{ name: hold, lasting: 20s }',
  '{ name: spike, lasting: 10s, rate: 3 }',
  '{ name: down, lasting: 10s, rate: 0.5, over: 5s, sentPercent: 90 }',
  '{ name: storm, lasting: 5s, reconnect: { sharePercent: 50 }, churn: { perSecond: 5, away: 500ms } }',
];

describe('stages', () => {
  const scenario = read(staged(SHAPE));

  test('make up the measure phase', () => {
    expect(scenario.load.duration).toBe(seconds(45));
    const { timeline } = workload(scenario);
    expect(timeline).toMatchObject({ measureStart: seconds(10), end: seconds(55) });
    expect(
      timeline.stages?.map(({ name, start, levelFrom, end, rateBefore, rate }) => [
        ...[name, start / 1e6, levelFrom / 1e6, end / 1e6, rateBefore, rate],
      ]),
    ).toEqual([
      ['hold', 10, 10, 30, 1, 1],
      ['spike', 30, 30, 40, 1, 3],
      ['down', 40, 45, 50, 3, 0.5],
      ['storm', 50, 50, 55, 0.5, 1],
    ]);
    expect(timeline.stages?.map(operationalSeconds)).toEqual([20, 30, 8.75 + 2.5, 5]);
  });

  test('a reconnect storm is a planned fault of its stage, and its players reconnect', () => {
    const cut = { id: 'cut-storm', action: 'drop', of: 'players', sharePercent: 50, stage: 3 };
    expect(faultsOf(scenario)).toEqual([{ ...cut, at: seconds(50), lasting: 0 }]);
    expect(workload(scenario).reconnect).toBe(true);
    expect(workload(read(staged(SHAPE.slice(0, 3)))).reconnect).toBe(false);
  });

  test('churn is that of the stage, or else that of the load, from GO on', () => {
    expect(workload(scenario).churn).toEqual([
      { from: seconds(50), to: seconds(55), perSecond: 5, away: seconds(0.5) },
    ]);
    const whole = workload(read(staged(SHAPE, '  churn: { perSecond: 2 }\n')));
    expect(whole.churn?.map(({ from, to, perSecond }) => [from / 1e6, to / 1e6, perSecond])).toEqual([
      [0, 10, 2],
      [10, 30, 2],
      [30, 40, 2],
      [40, 50, 2],
      [50, 55, 5],
    ]);
    const plain = workload(read(minimal('  churn: { perSecond: 2 }\n')));
    expect(plain).toMatchObject({ reconnect: true, churn: [{ from: 0, to: seconds(70), away: seconds(1) }] });
  });

  test('are scaled proportionally by --duration, and their churn by --scale', () => {
    const shorter = read(staged(SHAPE), { duration: seconds(10), scale: 0.5 });
    expect(shorter.load.stages?.map(({ lasting }) => lasting)).toEqual([4444444, 2222223, 2222222, 1111111]);
    expect(shorter.load.stages?.[2]?.over).toBe(1111111);
    expect(shorter.load.stages?.[3]?.churn?.perSecond).toBe(2.5);
    expect(shorter.load.stages?.[1]?.rate).toBe(3);
    expect(shorter.load.duration).toBe(seconds(10));
  });

  test('are kept in a resolved scenario', () => {
    for (const text of [staged(SHAPE, '  churn: { perSecond: 2, away: 250ms }\n'), shipped('storm')]) {
      for (const overrides of [{}, { duration: seconds(10), scale: 0.3 }]) {
        const first = read(text, overrides);
        const again = read(written(first));
        expect(again).toEqual(first);
        expect(scenarioHash(again)).toBe(scenarioHash(first));
      }
    }
  });

  test('can be changed by name, which alters the load', () => {
    const changed = read(staged(SHAPE), { set: ['load.stages.spike.rate=2'] });
    expect(changed.load.stages?.[1]?.rate).toBe(2);
    expect(changed.altered).toEqual(['load.stages.1.rate=2']);
  });

  test('a scenario without stages is unchanged', () => {
    const plain = read(minimal());
    expect(plain.load.duration).toBe(seconds(60));
    expect(Object.keys(plain.load)).not.toContain('stages');
    const timeline = { rampEnd: seconds(5), measureStart: seconds(10), end: seconds(70) };
    expect(workload(plain).timeline).toEqual(timeline);
  });
});

const budget = (more: string): string => `budgets:\n  - { id: b, op: <, limit: 1, unit: ms, ${more} }\n`;

const A = '{ name: a, lasting: 5s }';
test.each([
  [
    ['{ name: a, lasting: 5s, players: 101 }'],
    '',
    'load.stages.0.players: got 101 players, expected at most',
  ],
  [['{ name: a, lasting: 5s, players: 0 }'], '', 'load.stages.0.players: got 0, expected'],
  [['{ name: a, lasting: 5s, players: half }'], '', 'load.stages.0.players: got "half", expected'],
  [
    ['{ name: a, lasting: 1s }', '{ name: b, lasting: 1s, players: 50 }'],
    '  connectsPerSecond: 10\n',
    'load.stages.1.players: from 100 to 50 players at 10 a second takes 5 s, expected at most the 1 s',
  ],
  [
    ['{ name: a, lasting: 5s, players: 50 }', '{ name: b, lasting: 1s }'],
    '  connectsPerSecond: 10\n',
    'load.stages.1.lasting: from 50 to 100 players at 10 a second takes 5 s',
  ],
  [
    [A, '{ name: b, lasting: 5s, players: 50, reconnect: {} }'],
    '',
    'load.stages.1.reconnect: the stage b goes from 100 to 50 players, expected the same number',
  ],
  [[A], '  duration: 6s\n', 'load.duration: got 6 s, expected the 5 s that the stages last'],
  [[A, A], '', 'load.stages.1.name: the name a is used twice'],
  [['{ name: a, lasting: 5s, over: 6s }'], '', 'load.stages.0.over: got 6 s, expected at most'],
  [['{ name: a, lasting: 5s, rate: 0 }'], '', 'load.stages: no operation is ever due'],
  [['{ name: a, lasting: 5s, rate: 101 }'], '', 'load.stages.0.rate'],
  [['{ name: a, lasting: 5s, reconnect: { sharePercent: 0 } }'], '', 'load.stages.0.reconnect.sharePercent'],
  [
    ['{ name: a, lasting: 5s, churn: { perSecond: 60 } }'],
    '',
    'load.stages.0.churn.perSecond: got 60 a second',
  ],
  [['{ name: A b, lasting: 5s }'], '', 'load.stages.0.name'],
  [['{ name: a }'], '', 'load.stages.0.lasting'],
  [['{ name: a, lasting: 5s, spike: 3 }'], '', 'load.stages.0.spike'],
  [
    ['{ name: a, lasting: 5s, rate: 100 }'],
    '  intentsPerSecond: 90000\n',
    'load.intentsPerSecond: got 90,000 a second for each',
  ],
  [
    [A],
    budget('metric: latency.intent.due, stat: p95, stage: b'),
    'budgets.0.stage: got b, which is not a stage of this load; expected one of a',
  ],
  [
    [A],
    budget('metric: network.fullStrengthMs'),
    'budgets.0: metric "network.fullStrengthMs" is measured per stage only',
  ],
  [
    [A],
    budget('metric: world.loopDelayMs, stat: max, stage: a'),
    'budgets.0: metric "world.loopDelayMs" is not measured per stage',
  ],
  [
    ['{ name: a, lasting: 5s, churn: { perSecond: 1 } }', '{ name: b, lasting: 5s, reconnect: {} }'],
    budget('metric: network.fullStrengthMs, stage: a'),
    'budgets.0.stage: the stage a has no reconnect, so network.fullStrengthMs is never measured there',
  ],
  [
    [A, '{ name: b, lasting: 5s, reconnect: {} }'],
    budget('metric: network.reconnectMs, stat: p95, stage: a'),
    'budgets.0.stage: the stage a has no reconnect, so network.reconnectMs is never measured there',
  ],
])('%j %j is refused', (stages, more, message) => {
  const problems = problemsOf(staged(stages, more)).map(({ path, message: why }) => `${path}: ${why}`);
  const found = problems.filter((one) => one.startsWith(message));
  expect(found, problems.join('\n')).toHaveLength(1);
});

test.each<[string, string, string]>([
  ['after a storm', '{ name: a, lasting: 5s, reconnect: {} }', ''],
  ['with churn before it', '{ name: a, lasting: 5s, churn: { perSecond: 1 } }', ''],
  ['with churn of the load', '{ name: a, lasting: 5s }', '  churn: { perSecond: 1 }\n'],
  ['with fewer players', '{ name: a, lasting: 5s, players: 50 }', ''],
  ['with faults', '{ name: a, lasting: 5s }', 'faults: [{ action: drop, of: players, at: 1s }]\n'],
])('a budget on reconnection %s is accepted for a stage without a reconnect', (_, first, more) => {
  const asked = budget('metric: network.connectMs, stat: p95, stage: b');
  expect(read(staged([first, '{ name: b, lasting: 5s }'], more + asked)).budgets).toHaveLength(1);
});

test('a --duration that is too short for the stages is refused, as is a budget on a stage that does not exist', () => {
  const both = staged(['{ name: a, lasting: 1s }', '{ name: b, lasting: 1h }']);
  const [short] = problemsOf(both, { duration: seconds(1) });
  expect(short).toMatchObject({ where: 'after --duration 1s', path: 'load.stages.0.lasting' });
  const unknown = problemsOf(minimal(budget('metric: latency.intent.due, stat: p95, stage: spike')));
  expect(unknown[0]?.message).toBe('got spike, which is not a stage of this load; the load has no stages');
});

describe('stages with numbers of players', () => {
  const numbers = staged(
    [
      '{ name: few, lasting: 10s, players: 20 }',
      '{ name: all, lasting: 20s }',
      '{ name: half, lasting: 10s, players: 50, rate: 2, over: 2s }',
    ],
    '  connectsPerSecond: 10\n',
  );

  test('are in the timeline, with the time at which each number is reached', () => {
    const plan = workload(read(numbers));
    expect(plan.timeline.stages?.map(({ players }) => players)).toEqual([
      { before: 20, at: 20, from: seconds(10) },
      { before: 20, at: 100, from: seconds(28) },
      { before: 100, at: 50, from: seconds(45) },
    ]);
    expect(playersAtStart(plan)).toBe(20);
    expect(plan.reconnect).toBe(true);
  });

  test('the rate of all together follows the players, that of one player does not', () => {
    const { timeline } = workload(read(numbers));
    const [few, all, half] = timeline.stages ?? [];
    expect(operationalSeconds(few!, 100)).toBe(2);
    expect(operationalSeconds(few!)).toBe(10);
    expect(operationalSeconds(all!, 100)).toBeCloseTo(0.6 * 8 + 12, 9);
    // (1 + t / 2) (1 - t / 10) for two seconds, then 2 (1 - t / 10) for three, then 1.
    const both = 2 + 0.4 * 2 - 0.05 * (8 / 3);
    expect(operationalSeconds(half!, 100)).toBeCloseTo(both + 2 * (3 - (25 - 4) / 20) + 5, 3);
    expect(operationalSeconds(half!)).toBe(3 + 16);
    expect(peakLoadOf(read(numbers).load)).toBeCloseTo(1.6, 2);
    expect(peakLoadOf(read(staged(['{ name: a, lasting: 5s, players: 20 }'])).load)).toBe(0.2);
  });

  test('are changed in proportion by --scale and --players, but for those that --set names', () => {
    const of = (overrides: Parameters<typeof read>[1]) => {
      const { load } = read(numbers, overrides);
      return [load.players, load.stages?.map(({ players }) => players)];
    };
    expect(of({})).toEqual([100, [20, undefined, 50]]);
    expect(of({ scale: 0.5 })).toEqual([50, [10, undefined, 25]]);
    expect(of({ set: ['load.players=10'] })).toEqual([10, [2, undefined, 5]]);
    expect(of({ set: ['load.stages.half.players=7', 'load.players=10'] })).toEqual([10, [2, undefined, 7]]);
    // Every server keeps a player.
    expect(of({ scale: 0.001 })).toEqual([4, [4, undefined, 4]]);
  });

  test('a resolved scenario is the same again', () => {
    const first = read(numbers, { set: ['load.players=50'], scale: 0.5 });
    expect(first.load.stages?.[0]?.players).toBe(5);
    expect(read(written(first))).toEqual(first);
  });
});
