import { countAbove, type HistogramData } from '../../histogram.ts';
import type { Counts } from '../../load/engine.ts';
import type { Load } from '../../scenario/scenario.ts';

/**
 * What was skipped because the generator itself came too late to send it, in percent of what was due; of a stage, at the
 * most, since the lag is known of the whole run.
 */
export const lateOnItsOwn = (
  ownLag: HistogramData | undefined,
  counts: Counts | undefined,
  { skipAfter }: Pick<Load, 'skipAfter'>,
): number =>
  ownLag === undefined || counts === undefined || counts.scheduled === 0
    ? 0
    : (100 * Math.min(counts.skipped, countAbove(ownLag, skipAfter))) / counts.scheduled;
