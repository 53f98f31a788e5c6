import { prefixOf } from '../../load/k6/metrics.ts';

/** Rate: the share that was sent, not skipped, of what was due in the measure phase and has found its end. */
export const sentRateOf = (operation: string): string => `${prefixOf(operation)}_sent`;

/** Where a script writes its summary, unless it is told otherwise. */
export const SUMMARY_FILE = 'capbench-summary.json';

/** What a summary has to hold of each trend: `metrics[name].values['p(95)']`. */
export const TREND_STATISTICS = [
  ...['count', 'avg', 'min', 'med', 'max'],
  ...['p(50)', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)'],
] as const;
