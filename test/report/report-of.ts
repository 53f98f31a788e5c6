import { judge } from '../../src/judge/verdict.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { type Report, reportOf } from '../../src/report/report.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { budget } from '../fixtures/recorded-run.ts';

/** The report of a run, as `run` and `report` make it. */
export const reportFrom = (m: Measurements, s: Scenario): Report =>
  reportOf(m, s, judge(m, s), figuresOf(m, s));

/** Text that every format has to take for text. */
export const NASTY = '<script>alert("1")</script> & | `x` \u001b[31m\u0007\u0000 ]]> \'quoted\'';

/** A budget that is breached, and is called what no format may obey. */
export const nastyBudget = budget({
  id: 'nasty|<b>',
  title: NASTY,
  metric: 'latency.intent.due',
  stat: 'p99',
  limit: 1,
});
