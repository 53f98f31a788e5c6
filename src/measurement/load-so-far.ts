import { MicrosHistogram } from '../hdr-histogram.ts';
import { EMPTY_HISTOGRAM, type HistogramData } from '../histogram.ts';
import {
  type Counts,
  type LoadSecond,
  type LoadSecondOperation,
  OUTCOMES,
  type StageOperationTally,
  type StageTally,
  type Tally,
  TRAFFIC,
  type TrafficCounts,
} from '../load/engine.ts';
import { ofOperation, type PerOperation, perOperation } from '../scenario/operations.ts';
import type { Workload } from '../scenario/workload.ts';
import { type Micros, micros } from '../units.ts';
import { NO_COUNTS } from './sent.ts';

/** What is known of the load of a run before its tally is there: no ledger, and rejections are not timed apart. */
export interface LoadTally
  extends Omit<Tally, 'ledger' | 'scheduleHash' | 'stages'>,
    Partial<Pick<Tally, 'ledger' | 'scheduleHash'>> {
  readonly stages?:
    | readonly (Omit<StageTally, 'operations'> & {
        readonly operations: PerOperation<
          Omit<StageOperationTally, 'rejected'> & { readonly rejected: HistogramData | null }
        >;
      })[]
    | undefined;
}

const SECOND = 1e6;

/** The sum of seconds: counts, and latencies from the due time with their exact minimum, maximum and sum. */
class Sum {
  counts: Counts = NO_COUNTS;
  private readonly buckets = new MicrosHistogram();
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private total = 0;

  add(second: LoadSecondOperation): void {
    const { counts } = this;
    // What is in flight may still be answered, and has no outcome.
    const sum = (outcome: (typeof OUTCOMES)[number]): number =>
      outcome === 'unfinished' ? 0 : counts[outcome] + second[outcome];
    this.counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, sum(outcome)])) as Counts;
    const { due } = second;
    for (const [value, count] of due.counts) this.buckets.record(value, count);
    if (due.counts.length === 0) return;
    this.min = Math.min(this.min, due.min);
    this.max = Math.max(this.max, due.max);
    this.total += due.sum;
  }

  due(): HistogramData {
    const { counts } = this.buckets.toData();
    return counts.length === 0 ? EMPTY_HISTOGRAM : { counts, min: this.min, max: this.max, sum: this.total };
  }
}

const NOTHING_TIMED = { service: EMPTY_HISTOGRAM, lag: EMPTY_HISTOGRAM, rejected: null };

/**
 * The load so far, from the seconds that were reported. The tally at the end is exact: it has what was due in a phase whenever
 * it was answered, and this has what was answered in it, in whole seconds. Service times, lags and the ledger are known only
 * then; here they are empty.
 */
export class LoadSoFar {
  private readonly workload: Pick<Workload, 'timeline' | 'operations'>;
  private readonly whole: PerOperation<Sum>;
  private readonly measured: PerOperation<Sum>;
  private readonly stages: readonly PerOperation<Sum>[];
  private traffic: TrafficCounts = Object.fromEntries(TRAFFIC.map((name) => [name, 0])) as TrafficCounts;
  private last: Micros = micros(0);

  constructor(workload: Pick<Workload, 'timeline' | 'operations'>) {
    this.workload = workload;
    const sums = (): PerOperation<Sum> => perOperation(workload.operations, () => new Sum());
    this.whole = sums();
    this.measured = sums();
    this.stages = (workload.timeline.stages ?? []).map(sums);
  }

  add(second: LoadSecond): void {
    const { measureStart, end, stages = [] } = this.workload.timeline;
    const { at, operations } = second;
    const isWithin = (from: number, to: number): boolean => at - SECOND >= from && at <= to;
    this.last = at;
    this.traffic = Object.fromEntries(
      TRAFFIC.map((name) => [name, this.traffic[name] + second[name]]),
    ) as TrafficCounts;
    const all = [
      this.whole,
      ...(isWithin(measureStart, end) ? [this.measured] : []),
      ...this.stages.filter((_, i) => {
        const stage = stages[i];
        return stage !== undefined && isWithin(stage.start, stage.end);
      }),
    ];
    for (const sums of all)
      for (const [id, sum] of Object.entries(sums)) sum.add(ofOperation(operations, id));
  }

  /** Null before the first second. */
  tally(): LoadTally | null {
    const { whole, measured, stages, traffic, last, workload } = this;
    if (last === 0) return null;
    return {
      ...traffic,
      operations: perOperation(workload.operations, (id) => ({
        ...NOTHING_TIMED,
        ...{ whole: ofOperation(whole, id).counts, measured: ofOperation(measured, id).counts },
        ...{ due: ofOperation(measured, id).due(), net: null, ownLag: EMPTY_HISTOGRAM },
      })),
      ...{ reconnect: EMPTY_HISTOGRAM, strayAnswers: 0, errors: [], endedAt: last },
      stages: stages.map((sums) => ({
        operations: perOperation(workload.operations, (id) => ({
          ...{ ...NOTHING_TIMED, counts: ofOperation(sums, id).counts, due: ofOperation(sums, id).due() },
        })),
        ...{ disconnects: 0, reconnects: 0, left: 0, joined: 0, cut: 0, fullStrength: null },
        ...{ connect: EMPTY_HISTOGRAM, reconnect: EMPTY_HISTOGRAM },
      })),
    };
  }
}
