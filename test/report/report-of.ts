import { judge } from '../../src/judge/verdict.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { type Report, reportOf } from '../../src/report/report.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { budget, fluxFiguresOf } from '../fixtures/recorded-run.ts';

/** The report of a run, as `run` and `report` make it. */
export function reportFrom(m: Measurements, s: Scenario): Report {
  const figures = fluxFiguresOf(m, s);
  return reportOf(m, s, judge(m, s, figures), figures);
}

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
