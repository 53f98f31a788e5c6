import { expect, test } from 'vitest';
import { html } from '../../src/report/html.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

const fault = { action: 'kill', dropped: null, error: null } as const;
const rows = { lost: 2, phantom: 0, duplicated: 0, holes: 0, lostInWindow: 5 };
const report = reportFrom(
  measurementsOf({
    faults: [
      { ...fault, id: 'kill-postgres-1', of: 'postgres', from: 12, to: 14, rows },
      { ...fault, id: 'drop-players-1', action: 'drop', of: 'players', from: 20, to: 20, rows: null },
    ],
  }),
  scenarioOf({}),
);

test('an outage that never ended is no figure, and says so', () => {
  const recovery = budget({
    ...{ id: 'back', metric: 'outage.postgres.recoverySecondsMax', stat: null },
    ...{ limit: 10, unit: 's', metricUnit: 's' },
  });
  const faults = [{ ...fault, id: 'kill-postgres-1', of: 'postgres', from: 12, to: null, rows: null }];
  const gone = reportFrom(measurementsOf({ faults }), scenarioOf({ budgets: [recovery] }));
  const text = terminalSummary(gone, { colour: false, width: 100, full: true, page: 'report.html' });
  expect(text).toMatch(/✗ back .*not recovered/);
});

test('each component that was down has a row and a line; cut connections are no outage', () => {
  expect(Object.keys(report.outage)).toEqual(['postgres', 'players']);
  const page = html(report, []);
  expect(page).toContain('While a component was down');
  expect(page.match(/<td[^>]*>postgres<\/td>/g)).toHaveLength(1);
  expect(page).not.toMatch(/<td[^>]*>players<\/td>/);
  const text = terminalSummary(report, { colour: false, width: 100, full: false, page: 'report.html' });
  expect(text).toMatch(
    /while postgres was down: [\d.]+% answered, [\d.]+% ok; 2 seen to be lost after it, 5 within the\s+stated window/,
  );
  expect(text).not.toContain('while players');
});
