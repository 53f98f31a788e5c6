import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../src/scenario/workload.ts';
import { seconds } from '../../src/units.ts';
import { minimal, problemsOf, rates, read, workload, written } from './scenario-text.ts';

const withFaults = (...faults: readonly string[]): string =>
  minimal(`faults:\n${faults.map((fault) => `  - ${fault}\n`).join('')}`);

const SECOND = 1e6;
/** Ramp and warm-up of the smallest scenario. */
const MEASURE = 10 * SECOND;

test('faults are planned one by one in the order of their times, and named by their kind', () => {
  const scenario = read(
    withFaults(
      '{ action: kill, of: postgres, at: 5s, times: 3, every: 10s, lasting: 500ms }',
      '{ action: stop, of: world-2, at: 1s, phase: warm-up, lasting: 2s }',
      '{ action: drop, of: players, at: 20s, sharePercent: 25 }',
    ),
  );
  expect(faultsOf(scenario).map(({ id, at }) => [id, at / SECOND])).toEqual([
    ['stop-world-2-1', 6],
    ['kill-postgres-1', 15],
    ['kill-postgres-2', 25],
    ['drop-players-1', 30],
    ['kill-postgres-3', 35],
  ]);
  expect(faultsOf(scenario)[3]).toMatchObject({ sharePercent: 25 });
  expect(faultsOf(scenario)[1]).toMatchObject({ action: 'kill', of: 'postgres', lasting: SECOND / 2 });
});

test('no fault is planned after the last due time', () => {
  const scenario = read(withFaults('{ action: kill, of: postgres, at: 0s, times: 100, every: 10s }'));
  const times = faultsOf(scenario).map(({ at }) => (at - MEASURE) / SECOND);
  expect(times).toEqual([0, 10, 20, 30, 40, 50]);
});

test('players reconnect only where faults are planned', () => {
  expect(workload(read(minimal())).reconnect).toBe(false);
  const scenario = read(withFaults('{ action: drop, of: players, at: 1s }'));
  expect(workload(scenario).reconnect).toBe(true);
});

test('a resolved scenario contains its faults, calibration and rules', () => {
  const scenario = read(
    `${withFaults('{ action: kill, of: world-1, at: 1500ms, lasting: 250ms }')}calibration: { seconds: 0 }\nrules: { foreignCpuPercent: 50, generatorLagMs: 20 }\n`,
  );
  expect(read(written(scenario))).toEqual(scenario);
  expect(scenario.rules).toMatchObject({ foreignCpuPercent: 50, generatorLagMs: 20 });
  expect(scenario.calibration).toEqual({ seconds: 0, factor: 1.5 });
});

test.each([
  ['{ action: kill, of: players, at: 1s }', 'faults.0.of: got players, expected a process to kill'],
  [
    '{ action: drop, of: postgres, at: 1s }',
    'faults.0.of: got postgres, expected players: drop cuts their connections',
  ],
  [
    '{ action: kill, of: world-5, at: 1s }',
    'faults.0.of: got world-5, expected one of postgres, world-1, world-2, world-3, world-4',
  ],
  [
    '{ action: kill, of: postgres, at: 60s }',
    'faults.0.at: got 60 s, expected a time within the measure phase',
  ],
  ['{ action: kill, of: redis, at: 1s }', 'faults.0.of'],
  ['{ action: explode, of: postgres, at: 1s }', 'faults.0.action'],
  ['{ action: kill, of: postgres }', 'faults.0.at'],
  ['{ action: drop, of: players, at: 1s, sharePercent: 0 }', 'faults.0.sharePercent'],
  ['{ action: kill, of: postgres, at: 1s, times: 100000 }', 'faults.0.times'],
])('%s is refused', (fault, message) => {
  const problems = problemsOf(withFaults(fault)).map(({ path, message: why }) => `${path}: ${why}`);
  expect(problems.some((one) => one.startsWith(message))).toBe(true);
});

test('a process that capbench does not start can be stopped and killed, where a run names its pid, and not restarted', () => {
  const own = (fault: string) =>
    `name: a\nsystem: own\nload: { players: 1 }\nplayers: { module: ./a.mjs }\nfaults: [${fault}]\n`;
  for (const action of ['kill', 'stop'])
    expect(read(own(`{ action: ${action}, of: postgres, at: 1s }`)).faults).toMatchObject([{ action }]);
  expect(problemsOf(own('{ action: restart, of: postgres, at: 1s }'))).toMatchObject([
    {
      path: 'faults.0.of',
      message:
        'got postgres, expected players (with drop): capbench starts nothing here that it could restart',
    },
  ]);
  expect(read(own('{ action: drop, of: players, at: 1s }')).faults).toHaveLength(1);
});

describe('with --duration', () => {
  const LATE = '{ action: kill, of: postgres, at: 2500ms }';
  const short = (...faults: readonly string[]): string =>
    withFaults(...faults).replace('players: 100\n', 'players: 100\n  duration: 2s\n');

  test('a fault within that duration is accepted, even beyond the end in the file', () => {
    const scenario = read(short(LATE), { duration: seconds(6) });
    expect(faultsOf(scenario).map(({ at }) => (at - MEASURE) / SECOND)).toEqual([2.5]);
    expect(read(written(scenario))).toEqual(scenario);
  });

  test.each([
    ['beyond the end in the file', short(LATE), {}, /^x\.yaml:\d+:\d+$/, 2],
    ['beyond both ends', short(LATE), { duration: seconds(2.4) }, /^x\.yaml:\d+:\d+$/, 2.4],
    ['beyond the end after it', withFaults(LATE), { duration: seconds(2) }, /^after --duration 2s$/, 2],
    [
      'at the end after it',
      withFaults(LATE.replace('2500ms', '3s')),
      { duration: seconds(3), scale: 2 },
      /^after --duration 3s$/,
      3,
      3,
    ],
  ])('one %s is refused, and named', (_, text, overrides, where, lasts, at = 2.5) => {
    const problems = problemsOf(text, overrides);
    const message = `got ${at} s, expected a time within the measure phase, which lasts ${lasts} s`;
    expect(problems).toEqual([
      { where: expect.stringMatching(where), path: 'faults.0.at', message, hint: null },
    ]);
  });

  test('other phases keep their lengths', () => {
    const early = withFaults('{ action: kill, of: postgres, at: 6s, phase: ramp }');
    expect(problemsOf(early, { duration: seconds(60) })[0]?.message).toMatch(
      /^got 6 s, expected a time within the ramp phase, which lasts 5 s/,
    );
  });
});

test('a rate that is too high in the file is accepted if --scale makes it fit', () => {
  const large = minimal('  monsters: 1000\n  monsterCommandsPerSecond: 200000\n  commandsPerPost: 1\n');
  expect(problemsOf(large)[0]).toMatchObject({ path: 'load.monsterCommandsPerSecond' });
  expect(rates(read(large, { scale: 0.5 }))).toEqual([50, 100_000]);
  expect(problemsOf(large, { scale: 0.6 })[0]).toMatchObject({ where: expect.stringMatching(/^x\.yaml:/) });
});

test('a budget on the outages of a component that the stack does not have is refused with those that it has', () => {
  const budget = (of: string): string =>
    `budgets:\n  - { id: gate, metric: outage.${of}.recoverySecondsMax, op: <, limit: 5, unit: s }\n`;
  expect(problemsOf(minimal(budget('redis')))).toEqual([
    expect.objectContaining({
      path: 'budgets.0.metric',
      message: expect.stringMatching(
        /^got the outages of redis, expected those of postgres, world-1.* players$/,
      ),
    }),
  ]);
  // Without a fault of it there is only no figure.
  expect(read(minimal(budget('postgres'))).budgets).toHaveLength(1);
});
