import { MicrosHistogram } from '../hdr-histogram.ts';
import { EMPTY_HISTOGRAM } from '../histogram.ts';
import { type OperationSpec, type PerOperation, perOperation } from '../scenario/operations.ts';
import type { TimedStage } from '../scenario/stage-timeline.ts';
import type { Counts, StageOperationTally } from './engine.ts';

/** Outcomes and, at 0, what was scheduled: as the recorder numbers them. */
export const KINDS = 8;

/** One operation in one stage: of what was due there, whenever it was answered. HOT. */
export class StageRecord {
  readonly counts = new Float64Array(KINDS);
  // A histogram takes 150 kB: made when there is something to put into it.
  private due: MicrosHistogram | null = null;
  private rejected: MicrosHistogram | null = null;
  private service: MicrosHistogram | null = null;
  private lag: MicrosHistogram | null = null;

  answered(n: number, isRejected: boolean, due: number, sent: number, now: number): void {
    this.due ??= new MicrosHistogram();
    this.service ??= new MicrosHistogram();
    this.lag ??= new MicrosHistogram();
    this.due.record(now - due, n);
    if (isRejected) {
      this.rejected ??= new MicrosHistogram();
      this.rejected.record(now - due, n);
    }
    this.service.record(now - sent, n);
    this.lag.record(sent - due, n);
  }

  tally(countsOf: (kinds: Float64Array) => Counts): StageOperationTally {
    const data = (of: MicrosHistogram | null) => of?.toData() ?? EMPTY_HISTOGRAM;
    return {
      counts: countsOf(this.counts),
      due: data(this.due),
      rejected: data(this.rejected),
      service: data(this.service),
      lag: data(this.lag),
    };
  }
}

/** The stages' own counts and latencies of one worker. HOT. */
export class StageRecords {
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  private readonly records: readonly (readonly StageRecord[])[];
  /** What was looked up last: neighbours in time are mostly neighbours here. */
  private last = 0;

  constructor(operations: readonly Pick<OperationSpec, 'id'>[], stages: readonly TimedStage[]) {
    this.operations = operations;
    this.starts = Float64Array.from(stages, ({ start }) => start);
    this.ends = Float64Array.from(stages, ({ end }) => end);
    this.records = stages.map(() => operations.map(() => new StageRecord()));
  }

  /** The record of the stage in which a due time lies; null outside of all, and where there are none. */
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
      perOperation(this.operations, (_, operation) => stage[operation]!.tally(countsOf)),
    );
  }
}
