import { jsonText } from '../json-document.ts';
import { type BudgetLines, runAnnotations, workflowCommands } from './annotations.ts';
import { bencherMetrics } from './bencher.ts';
import { benchmarkAction } from './benchmark-action.ts';
import { commentText, runComment } from './comment.ts';
import type { Format } from './format.ts';
import { junit } from './junit.ts';
import type { Report } from './report.ts';
import { runBenchmark } from './run-benchmark.ts';
import { stepSummary } from './step-summary.ts';
import { summary } from './summary.ts';
import type { TrialsReport } from './trials.ts';

/** A run, or the trials of one: then what is no figure is of the trial that decides. */
export interface Judged {
  /** In order, at least one. */
  readonly reports: readonly Report[];
  readonly trials: TrialsReport | null;
}

/** A run, or the trials of one, in a format. `budgets`: where annotations stand; null for none. */
export function runInFormat(format: Format, judged: Judged, budgets: BudgetLines | null): string {
  const { reports, trials } = judged;
  const report = reports[(trials?.decidedBy ?? reports.length) - 1];
  if (report === undefined) throw new Error('there is no report to render');
  switch (format) {
    case 'summary':
      return stepSummary(summary(report));
    case 'comment':
      return commentText(runComment(report, trials));
    case 'annotations':
      return workflowCommands(runAnnotations(report, budgets));
    case 'junit':
      return junit(report);
    case 'smaller-is-better':
      return jsonText(benchmarkAction(runBenchmark(reports), 'lower'));
    case 'bigger-is-better':
      return jsonText(benchmarkAction(runBenchmark(reports), 'higher'));
    case 'bencher':
      return jsonText(bencherMetrics(runBenchmark(reports)));
  }
}
