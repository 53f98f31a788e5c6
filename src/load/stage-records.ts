import { MicrosHistogram } from '../hdr-histogram.ts';
import { type OperationSpec, type PerOperation, perOperation } from '../scenario/operations.ts';
import type { TimedStage } from '../scenario/stages.ts';
import type { Counts, StageOperationTally } from './engine.ts';

/** Number of counts: the scheduled operations at 0, then the recorder's outcomes. */
export const KINDS = 9;

/** Latencies of answered operations. HOT. */
export class Latencies {
  private readonly due = new MicrosHistogram();
  private readonly rejected = new MicrosHistogram();
  private readonly service = new MicrosHistogram();
  private readonly lag = new MicrosHistogram();

  answered(n: number, isRejected: boolean, due: number, sent: number, now: number): void {
    this.due.record(now - due, n);
    if (isRejected) this.rejected.record(now - due, n);
    this.service.record(now - sent, n);
    this.lag.record(sent - due, n);
  }

  toData(): Omit<StageOperationTally, 'counts'> {
    const { due, rejected, service, lag } = this;
    return { due: due.toData(), rejected: rejected.toData(), service: service.toData(), lag: lag.toData() };
  }
}

/** One operation in one stage, by due time. HOT. */
class StageRecord {
  readonly counts = new Float64Array(KINDS);
  readonly latencies = new Latencies();
}

/** Counts and latencies of one worker by stage. HOT. */
export class StageRecords {
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  private readonly records: readonly (readonly StageRecord[])[];
  /** The last result: consecutive due times are mostly in the same stage. */
  private last = 0;

  constructor(operations: readonly Pick<OperationSpec, 'id'>[], stages: readonly TimedStage[]) {
    this.operations = operations;
    this.starts = Float64Array.from(stages, ({ start }) => start);
    this.ends = Float64Array.from(stages, ({ end }) => end);
    this.records = stages.map(() => operations.map(() => new StageRecord()));
  }

  /** The record of the stage of a due time; null outside of all stages. */
  at(operation: number, due: number): StageRecord | null {
    const { starts, ends, records } = this;
    const known = records[this.last];
    if (known === undefined) return null;
    if (due >= starts[this.last]! && due < ends[this.last]!) return known[operation]!;
    for (let stage = 0; stage < records.length; stage++) {
      if (due < starts[stage]! || due >= ends[stage]!) continue;
      this.last = stage;
      return records[stage]![operation]!;
    }
    return null;
  }

  tally(countsOf: (kinds: Float64Array) => Counts): readonly PerOperation<StageOperationTally>[] {
    return this.records.map((stage) =>
      perOperation(this.operations, (_, operation) => {
        const { counts, latencies } = stage[operation]!;
        return { counts: countsOf(counts), ...latencies.toData() };
      }),
    );
  }
}
