import { z } from 'zod';

/** What report.json is made of; a figure that was not measured is null. */
export const figure = z.number().nullable();
export const text = z.string();
export const count = z.number();

export const counts = z.object({
  scheduled: count,
  ok: count,
  rejected: count,
  failed: count,
  failedUnsent: count.describe('The part of `failed` that was never sent.'),
  timedOut: count,
  skipped: count,
  unfinished: count,
});
export const percentiles = z.object({
  p50: figure,
  p90: figure,
  p95: figure,
  p99: figure,
  p999: figure,
  min: figure,
  max: figure,
  mean: figure,
  count,
});
const open = percentiles.extend({ unanswered: count });
export const latency = z.object({
  unit: z.literal('ms'),
  due: open.describe('From the due time. A percentile that falls among unanswered operations is null.'),
  ok: open.describe('The same of what was answered ok.'),
  rejected: percentiles.describe('The same of what was rejected.'),
  judged: open.describe(
    'What budgets on `due` are held against: `due` where rejections are declared, else `ok` with every rejection counted as unanswered.',
  ),
  service: open.describe('From the moment of sending, of what was sent.'),
  lag: percentiles.describe('From the due time to the moment of sending.'),
});
export const spread = z.object({ mean: figure, min: figure, max: figure });
export const quantiles = z.object({ p50: figure, p95: figure, p99: figure });
export const operations = <S extends z.ZodType>(of: S) => z.object({ intent: of, monsterCommand: of });
/** Of the load, of the whole measure phase or of a stage. */
export const loadShares = {
  presence: spread.describe('Players connected, over the seconds.'),
  sentPercent: operations(figure),
  errorPercent: operations(figure).describe('failed / scheduled: a part of the next.'),
  unansweredPercent: operations(figure).describe('(failed + timedOut + unfinished) / scheduled.'),
  rejectedPercent: operations(figure).describe('rejected / scheduled.'),
};
