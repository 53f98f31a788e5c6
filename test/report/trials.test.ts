import { expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { trialLine, trialsSummary } from '../../src/report/terminal-trials.ts';
import { type Trial, trialsReport, worstOf } from '../../src/report/trials.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

/** Several runs of one scenario, and what they show together. */

const whole: Report = reportFrom(measurementsOf(), scenarioOf());
const [first] = whole.rulings.filter(
  ({ state, observed }) => state === 'met' && typeof observed === 'number',
);
const ID = first!.id;

/** A trial with one figure in place of the recorded one. */
function trial(
  number: number,
  observed: number | null,
  {
    exitCode = 0,
    state = 'met',
  }: { readonly exitCode?: number; readonly state?: 'met' | 'breached' | 'unmeasured' } = {},
): Trial {
  const rulings = whole.rulings.map((one) => (one.id === ID ? { ...one, observed, state } : one));
  const outcome = exitCode === 0 ? 'pass' : exitCode === 99 ? 'fail' : 'invalid';
  const headline = `headline ${number}`;
  return {
    trial: number,
    folder: `trials/${number}`,
    report: { ...whole, rulings, exitCode, outcome, headline },
  };
}
const plan = { requested: 3, sameServer: false };
const spreadOf = (trials: readonly Trial[]) => trialsReport(trials, plan).budgets.find(({ id }) => id === ID);

test.each([
  [[0, 0], 0],
  [[0, 91], 91],
  [[91, 99, 0], 99],
  [[99, 90], 90],
  [[90, 92, 99], 92],
  [[92, 93], 93],
  [[93, 105, 0], 105],
])('of %j the worst is %i', (codes, worst) => {
  expect(worstOf(codes)).toBe(worst);
});

test('a budget has the smallest, the middle and the largest figure, and how often it was met', () => {
  const breached = { state: 'breached', exitCode: 99 } as const;
  expect(spreadOf([trial(1, 30), trial(2, 10), trial(3, 50, breached)])).toMatchObject({
    ...{ min: 10, median: 30, max: 50, met: 2, breached: 1, unjudged: 0 },
  });
  expect(spreadOf([trial(1, 10), trial(2, 20)])?.median).toBe(15);
  expect(spreadOf([trial(1, 10), trial(2, null, { state: 'unmeasured' })])).toMatchObject({
    ...{ min: 10, median: 10, max: 10, met: 1, unjudged: 1 },
  });
});

test('a trial that was interrupted, or had no stack, has no figures to compare', () => {
  expect(
    spreadOf([trial(1, 10), trial(2, 99, { exitCode: 93 }), trial(3, 98, { exitCode: 105 })]),
  ).toMatchObject({
    ...{ min: 10, median: 10, max: 10, met: 1, breached: 0, unjudged: 0 },
  });
  expect(spreadOf([trial(1, 99, { exitCode: 93 })])).toMatchObject({ min: null, median: null, max: null });
});

test('the first of the worst decides; trials that were not run are an interruption', () => {
  const all = [trial(1, 10), trial(2, 60, { exitCode: 99 }), trial(3, 70, { exitCode: 99 })];
  expect(trialsReport(all, plan)).toMatchObject({ exitCode: 99, outcome: 'fail', decidedBy: 2 });
  expect(trialsReport(all.slice(0, 2), plan)).toMatchObject({
    exitCode: 105,
    outcome: 'invalid',
    decidedBy: null,
  });
  const [, second] = all;
  expect(
    trialsReport([all[0]!, { ...second!, report: { ...second!.report, exitCode: 105 } }], plan),
  ).toMatchObject({
    ...{ exitCode: 105, decidedBy: 2 },
  });
});

test('on the terminal: a line for each trial, then the spread and the verdict of all', () => {
  const style = { colour: false, width: 100, full: false, page: 'reports/mine' };
  const all = [trial(1, 10), trial(2, 60, { exitCode: 99, state: 'breached' }), trial(3, 20)];
  expect(trialLine({ trial: 2, ...all[1]!.report }, plan, { ...style, page: 'p.html' })).toBe(
    '  trial 2 of 3  FAIL (99)  headline 2  p.html\n',
  );
  const lines = trialsSummary(trialsReport(all, plan), style).split('\n');
  expect(lines[1]).toContain('3 of 3 trials, each on a fresh stack: 2 pass, 1 fail');
  const row = lines.find((line) => line.includes(`✗ ${ID}`));
  expect(row).toMatch(/2 of 3 met$/);
  expect(lines.at(-2)).toBe('  FAIL (99)  the worst is trial 2: headline 2  reports/mine');
  const same = trialsSummary(trialsReport(all, { requested: 4, sameServer: true }), style);
  expect(same).toContain('3 of 4 trials, the same server throughout: 2 pass, 1 fail');
  expect(same).toContain('interrupted after 3 of 4 trials');
});
