import {
  countOf,
  EMPTY_HISTOGRAM,
  type HistogramData,
  meanOf,
  percentileOf,
  withoutPart,
} from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import { mapOperations, type PerOperation } from '../scenario/operations.ts';
import { allowedRejections } from '../scenario/rejections.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { toMillis } from '../units.ts';
import type { Figures, LatencyFigures, OpenPercentiles, Percentiles } from './figures.ts';
import type { LatencyFacts } from './measurements.ts';
import { percentOf, sumOf } from './readings.ts';
import { demandOf, sentOf, unansweredOf, unansweredSentOf } from './sent.ts';

/** The outcomes of the operations that were due, as percentages. */
export function sharesOf(
  all: PerOperation<Counts | null>,
): Pick<
  Figures['load'],
  'sentPercent' | 'errorPercent' | 'unansweredPercent' | 'rejectedPercent' | 'idlePercent' | 'total'
> {
  const each = (part: (counts: Counts) => number) =>
    mapOperations(all, (counts) => (counts === null ? null : percentOf(part(counts), demandOf(counts))));
  const counted = Object.values(all);
  const sum = (part: (counts: Counts) => number): number | null =>
    sumOf(counted.map((counts) => (counts === null ? null : part(counts))));
  const ofTotal = (part: (counts: Counts) => number): number | null => percentOf(sum(part), sum(demandOf));
  return {
    sentPercent: each(sentOf),
    errorPercent: each(({ failed }) => failed),
    unansweredPercent: each(unansweredOf),
    rejectedPercent: each(({ rejected }) => rejected),
    idlePercent: mapOperations(all, (counts) =>
      counts === null ? null : percentOf(counts.idle, counts.scheduled),
    ),
    total: {
      sentPercent: ofTotal(sentOf),
      errorPercent: ofTotal(({ failed }) => failed),
      unansweredPercent: ofTotal(unansweredOf),
      rejectedPercent: ofTotal(({ rejected }) => rejected),
      idlePercent: percentOf(
        sum(({ idle }) => idle),
        sum(({ scheduled }) => scheduled),
      ),
    },
  };
}

/** The latency figures of the whole measure phase or of a stage. */
export const latencyFigures = (
  all: PerOperation<LatencyFacts>,
  s: Pick<Scenario, 'rules' | 'operations'>,
): Figures['latency'] =>
  mapOperations(all, (facts, id) => latencyOf(facts, allowedRejections(id, s).declared));

function latencyOf(facts: LatencyFacts, declared: boolean): LatencyFigures {
  const { measured, due, rejected } = facts;
  const unanswered = unansweredOf(measured) + measured.skipped;
  const all = open(due, unanswered);
  const ok = rejected === null ? null : withoutPart(due, rejected);
  return {
    unit: 'ms',
    due: all,
    // Without separate timing of rejections nothing is known about them.
    ok: ok === null && measured.rejected > 0 ? open(EMPTY_HISTOGRAM, 0) : open(ok ?? due, unanswered),
    rejected: percentilesOf(rejected ?? EMPTY_HISTOGRAM),
    judged: declared
      ? all
      : // Not timed apart, the rejected ones may have been the fastest.
        open(ok ?? withoutFastest(due, measured.rejected), unanswered + measured.rejected),
    service: open(facts.service, unansweredSentOf(measured)),
    lag: percentilesOf(facts.lag),
  };
}

const open = (data: HistogramData, unanswered: number): OpenPercentiles => ({
  ...percentilesOf(data, unanswered),
  unanswered,
});

/** The sum is only as precise as the buckets. */
function withoutFastest(data: HistogramData, most: number): HistogramData {
  let left = most;
  const counts = data.counts.flatMap(([value, count]) => {
    const taken = Math.min(left, count);
    left -= taken;
    return count > taken ? [[value, count - taken] as const] : [];
  });
  const sum = counts.reduce((total, [value, count]) => total + value * count, 0);
  return { counts, min: counts[0]?.[0] ?? 0, max: data.max, sum: Math.min(sum, data.sum) };
}

/** Figures in milliseconds of a histogram in microseconds. `min`, `max`, `mean` and `count` are those of answered operations. */
export function percentilesOf(data: HistogramData, unanswered = 0): Percentiles {
  const count = countOf(data);
  const mean = meanOf(data);
  const at = (percent: number): number | null => {
    const value = percentileOf(data, percent, count + unanswered);
    return value === null ? null : toMillis(value);
  };
  return {
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    min: count === 0 ? null : toMillis(data.min),
    max: count === 0 ? null : toMillis(data.max),
    mean: mean === null ? null : toMillis(mean),
    count,
  };
}
