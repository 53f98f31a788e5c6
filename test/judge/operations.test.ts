import { expect, test } from 'vitest';
import { judge } from '../../src/judge/verdict.ts';
import { metricsOf, throughputOf } from '../../src/measurement/figures.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import { html } from '../../src/report/html.ts';
import { junit } from '../../src/report/junit.ts';
import { reportOf } from '../../src/report/report.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { metricReader } from '../../src/scenario/budget.ts';
import type { OperationSpec } from '../../src/scenario/operations.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { withTraits } from './measured.ts';

/** A quiz: no schedule but the players', and servers that tell nothing of themselves. */
const ANSWER: OperationSpec = {
  ...{ id: 'answer', plural: 'answers', label: 'answers to questions', unit: 'ops', actor: 'player' },
  ...{ due: 'schedule', answer: 'a result that names the question' },
};
const recorded = measurementsOf();
const { intent } = recorded.operations;
const m = measurementsOf({
  operations: { answer: { ...intent, measured: { ...intent.measured, timedOut: 0 } } },
  series: Object.fromEntries(
    Object.entries(recorded.series)
      .filter(([name]) => !/^(load\.monsterCommand|world)\./.test(name))
      .map(([name, one]) => [name.replace(/^load\.intent\./, 'load.answer.'), one]),
  ),
  ...{ worlds: null, probes: recorded.probes.filter(({ name }) => !name.startsWith('world')) },
});
const readMetric = metricReader([ANSWER], metricsOf([ANSWER]));
const limited = (limit: number) => ({
  ...budget({ id: 'fast', metric: 'load.scale', stat: 'p95', limit }),
  metric: readMetric('latency.answer.due', 'p95'),
});
const scenario = (limit: number): Scenario => {
  const base = scenarioOf();
  return {
    ...base,
    ...withTraits({
      counts: 'its servers count nothing',
      histograms: [],
      groupSizes: {},
      probes: ['postgres'],
    }),
    operations: [ANSWER],
    load: { ...base.load, operations: { answer: { perSecond: 1000 } } },
    rules: { ...base.rules, rejectedPercent: { answer: 20 } },
    budgets: [limited(limit)],
  };
};

test('a run is judged and reported by whatever operations its system has', () => {
  const s = scenario(25);
  const figures = figuresOf(m, s);
  const verdict = judge(m, s, figures);
  expect(verdict).toMatchObject({ exitCode: 0, invalidBecause: [], breachedBecause: [] });
  expect(verdict.rules.map(({ id }) => id)).toContain('schedule-kept.answer');
  expect(throughputOf(figures, ANSWER)).toBe(1000);
  const report = reportOf(m, s, verdict, figures);
  const shown = [
    terminalSummary(report, { colour: false, full: true, width: 120, page: 'page' }),
    ...[html(report, []), summary(report), junit(report)],
  ];
  for (const text of shown) {
    expect(text).toMatch(/answers to/i);
    expect(text).not.toMatch(/intent|monster|flush/i);
  }
});

test('and so is one that does not hold', () => {
  expect(judge(m, scenario(1), figuresOf(m, scenario(1))).exitCode).toBe(99);
  const measured = { ...intent.measured, ok: intent.measured.ok - 5000, timedOut: 5000 };
  const slow = { ...m, operations: { answer: { ...intent, measured } } };
  const { headline } = judge(slow, scenario(25), figuresOf(slow, scenario(25)));
  expect(headline).toMatch(/% of the answers to questions were answered|no conclusion: conservation\.answer/);
});
