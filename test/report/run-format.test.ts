import { expect, test } from 'vitest';
import { FORMATS } from '../../src/report/format.ts';
import { junit } from '../../src/report/junit.ts';
import { runInFormat } from '../../src/report/run-format.ts';
import { summary } from '../../src/report/summary.ts';
import { trialsReport } from '../../src/report/trials.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

const passed = reportFrom(measurementsOf(), scenarioOf());
const tight = { budgets: [budget({ id: 'tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 })] };
const failed = reportFrom(measurementsOf(), scenarioOf(tight));

test.each([
  ['summary', '### ✅ PASS (0): recorded'],
  ['comment', '<!-- capbench:run:recorded -->\n### ✅ PASS (0)'],
  ['annotations', '::notice title=recorded%3A PASS (0)::'],
  ['junit', '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites '],
  ['smaller-is-better', '[\n  {\n    "name": "recorded: '],
  ['bigger-is-better', '[\n  {\n    "name": "recorded: '],
  ['bencher', '{\n  "recorded": {\n'],
] as const)('a run as %s', (format, start) => {
  const text = runInFormat(format, { reports: [passed], trials: null }, null);
  expect(text.slice(0, start.length)).toBe(start);
  expect(text.endsWith('\n')).toBe(true);
  expect(FORMATS).toContain(format);
});

test('of trials the summary and JUnit are of the one that decides; of an interruption of the last', () => {
  const trial = (number: number, report: typeof passed) => ({ trial: number, folder: `${number}`, report });
  const all = [trial(1, failed), trial(2, passed)];
  const reports = [failed, passed];
  const trials = trialsReport(all, { requested: 2, sameServer: false });
  expect(runInFormat('summary', { reports, trials }, null)).toBe(summary(failed));
  expect(runInFormat('junit', { reports, trials }, null)).toBe(junit(failed));
  const unfinished = trialsReport(all, { requested: 3, sameServer: false });
  expect(unfinished.decidedBy).toBeNull();
  expect(runInFormat('junit', { reports, trials: unfinished }, null)).toBe(junit(passed));
});
