import { expect, test } from 'vitest';
import { unexpectedIn } from './expectation.ts';
import type { FinishedRun } from './finished-run.ts';
import { judgeKills, planOf } from './kill-series.ts';

const SERIES = { scenario: 'a-world', promised: { redis: 'window', postgres: 'nothing' } } as const;
const KEPT = { lost: 0, holes: 0, phantom: 0, duplicated: 0, lostInWindow: 0 };

/** Three kills of each component. */
function runOf({ of = '', rows = {}, error = null as string | null, code = 0, made = 3 } = {}): FinishedRun {
  const faults = Object.keys(SERIES.promised).flatMap((component) =>
    Array.from({ length: component === of ? made : 3 }, () => ({
      ...{ of: component, to: 1, error: component === of ? error : null },
      rows: component === of ? { ...KEPT, ...rows } : KEPT,
    })),
  );
  return {
    ...{ code, seconds: 1, output: '', bundle: '' },
    report: { integrity: { ...KEPT, acked: 100 }, rulings: [], rules: [] },
    measurements: { faults },
  } as unknown as FinishedRun;
}

test('a series is as promised when nothing is lost, or only within the window that is stated', () => {
  const { lines, problems } = judgeKills(SERIES, 3, runOf({ of: 'redis', rows: { lostInWindow: 7 } }));
  expect(problems).toEqual([]);
  expect(lines).toEqual([
    'redis: 3 kills, 21 lost within the stated window, 0 beyond (at most 100% of kills would, with 95% confidence)',
    'postgres: 3 kills, 0 beyond (at most 100% of kills would, with 95% confidence)',
  ]);
});

test.each([
  ['within a window that is not promised', { of: 'postgres', rows: { lostInWindow: 1 } }, 'may lose nothing'],
  ['beyond the window', { of: 'redis', rows: { lost: 1 } }, 'lost 3 beyond what is promised'],
  ['a number in between', { of: 'postgres', rows: { holes: 1 } }, 'lost 3 beyond what is promised'],
  ['a kill that was not made', { of: 'redis', made: 2 }, '2 of 3 kills of redis were made'],
  ['a component that stays away', { of: 'redis', error: 'no answer' }, 'redis did not come back: no answer'],
  ['a run that is no pass', { code: 99 }, 'exit code 99, expected 0'],
])('it is not: %s', (_, run, problem) => {
  expect(judgeKills(SERIES, 3, runOf(run)).problems).toEqual([expect.stringContaining(problem)]);
});

test('its components are killed one after the other', () => {
  const [set = ''] = planOf(SERIES, 5).set ?? [];
  const faults = JSON.parse(set.slice('faults='.length)) as { of: string; at: string; times: number }[];
  expect(faults.map(({ of, at, times }) => [of, at, times])).toEqual([
    ['redis', '3s', 5],
    ['postgres', '28s', 5],
  ]);
});

test('a run is as expected with its exit code, and what has to be breached', () => {
  const run = runOf({ code: 99 });
  const report = { ...run.report, rulings: [{ id: 'heard', state: 'breached' }] } as FinishedRun['report'];
  const heard = { ...run, report };
  expect(unexpectedIn(heard, { codes: [99], breaks: /^heard$/ })).toEqual([]);
  expect(unexpectedIn(heard, { codes: [92] })).toEqual([
    expect.stringContaining('exit code 99, expected 92: heard'),
  ]);
  expect(unexpectedIn(run, { codes: [99], breaks: /^heard$/ })).toHaveLength(1);
  expect(unexpectedIn({ ...run, report: null }, { codes: [99] })).toHaveLength(1);
});
