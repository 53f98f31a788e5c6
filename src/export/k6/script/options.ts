import type { Options } from 'k6/options';
import { bucketEnds } from '../../../load/k6/buckets.ts';
import { allTimed, bucketOf } from '../../../load/k6/metrics.ts';
import { UNDER_CAPBENCH } from './config.ts';

/** What the summary holds of a trend. k6 puts into "options" what its environment and flags say instead. */
export const STATISTICS = ['count', 'avg', 'min', 'med', 'max', 'p(50)', 'p(95)', 'p(99)'];

/**
 * k6 has a tagged part of a metric in the summary only where a threshold names it; one without conditions never fails.
 * Options are read from the first copy of the script, whose __VU is 0: the other virtual users need no such list.
 */
function bucketThresholds(): Record<string, string[]> {
  const thresholds: Record<string, string[]> = {};
  if (__VU > 0 || UNDER_CAPBENCH) return thresholds;
  const ends = bucketEnds();
  for (const trend of allTimed(Object.keys(LABELS))) {
    for (const end of ends) thresholds[bucketOf(trend, end)] = [];
  }
  return thresholds;
}

/** One of several processes would judge its own share as if it were the whole; capbench judges a run of its own. */
const JUDGES = !UNDER_CAPBENCH && __ENV.CAPBENCH_THRESHOLDS !== 'none';

export const options = {
  scenarios: SCENARIOS as NonNullable<Options['scenarios']>,
  summaryTrendStats: STATISTICS,
  thresholds: { ...(JUDGES ? THRESHOLDS : {}), ...bucketThresholds() },
} satisfies Options;
