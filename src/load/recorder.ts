import { MicrosHistogram } from '../hdr-histogram.ts';
import {
  mapOperations,
  type OperationSpec,
  type PerOperation,
  perOperation,
} from '../scenario/operations.ts';
import type { Timeline } from '../scenario/workload.ts';
import type { Counts, LoadSecondOperation, OperationTally, StageTally } from './engine.ts';
import { OUTCOME, type Outcome } from './outcome.ts';
import { Slices } from './slices.ts';
import { KINDS, Latencies, StageRecords } from './stage-records.ts';

const SCHEDULED = 0;

class OperationRecord {
  readonly whole = new Float64Array(KINDS);
  readonly measured = new Float64Array(KINDS);
  /** `whole` at the end of the last second. */
  readonly before = new Float64Array(KINDS);
  readonly latencies = new Latencies();
  readonly net = new MicrosHistogram();
  readonly ownLag = new MicrosHistogram();
  readonly secondDue = new MicrosHistogram();
}

/**
 * Counts and latencies of one worker. HOT. Times are microseconds after GO; the due time decides whether an operation belongs
 * to the measure phase. Every outcome is counted separately, so that conservation can be checked. An operation is its index
 * in the workload's operations.
 */
export class Recorder {
  readonly slices: Slices;
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly records: readonly OperationRecord[];
  private readonly stages: StageRecords;
  private readonly measureStart: number;
  private readonly end: number;

  constructor(operations: readonly Pick<OperationSpec, 'id'>[], timeline: Timeline) {
    this.operations = operations;
    this.slices = new Slices(operations);
    this.records = operations.map(() => new OperationRecord());
    this.stages = new StageRecords(operations, timeline.stages ?? []);
    this.measureStart = timeline.measureStart;
    this.end = timeline.end;
  }

  /** `n` operations have come due. */
  schedule(operation: number, n: number, due: number): void {
    const record = this.records[operation]!;
    record.whole[SCHEDULED]! += n;
    if (due >= this.measureStart && due < this.end) {
      record.measured[SCHEDULED]! += n;
      const stage = this.stages.at(operation, due);
      if (stage !== null) stage.counts[SCHEDULED]! += n;
    }
  }

  /**
   * Records the schedule lag that the worker itself caused for `n` operations of one due time, when it sends them, or skips
   * operations that it could have sent.
   */
  ownLag(operation: number, n: number, due: number, lag: number): void {
    if (due >= this.measureStart && due < this.end) this.records[operation]!.ownLag.record(lag, n);
  }

  /**
   * `n` operations of one due and sent time have ended. `sent` is ignored if they were never sent; `ownLag`, the part of
   * `sent - due` that the worker itself caused, if they were not answered.
   */
  settle(
    operation: number,
    outcome: Outcome,
    n: number,
    due: number,
    sent: number,
    now: number,
    ownLag = 0,
  ): void {
    const record = this.records[operation]!;
    record.whole[outcome]! += n;
    const answered = outcome === OUTCOME.ok || outcome === OUTCOME.rejected;
    if (answered) {
      record.secondDue.record(now - due, n);
      this.slices.record(operation, now - due, n, now);
    }
    if (due >= this.measureStart && due < this.end) {
      record.measured[outcome]! += n;
      const stage = this.stages.at(operation, due);
      if (stage !== null) stage.counts[outcome]! += n;
      if (answered) {
        const isRejected = outcome === OUTCOME.rejected;
        record.latencies.answered(n, isRejected, due, sent, now);
        record.net.record(now - due - ownLag, n);
        stage?.latencies.answered(n, isRejected, due, sent, now);
      }
    }
  }

  /** The counts since the last call. */
  takeSecond(operation: number, inFlight: number): LoadSecondOperation {
    const { whole, before, secondDue } = this.records[operation]!;
    const delta = countsOf(whole.map((count, kind) => count - before[kind]!));
    before.set(whole);
    const { unfinished: _, ...second } = delta;
    return { ...second, inFlight, due: secondDue.take() };
  }

  /** @throws when conservation does not hold, which is a bug */
  tally(): PerOperation<OperationTally> {
    const tallies = perOperation(this.operations, (_, operation) => {
      const record = this.records[operation]!;
      return {
        whole: countsOf(record.whole),
        measured: countsOf(record.measured),
        ...record.latencies.toData(),
        net: record.net.toData(),
        ownLag: record.ownLag.toData(),
      };
    });
    mapOperations(tallies, (tally, id) => assertConserved(id, tally));
    return tallies;
  }

  /** The same for each stage. @throws as `tally` does */
  stageTallies(): readonly StageTally['operations'][] {
    const stages = this.stages.tally(countsOf);
    for (const stage of stages) {
      mapOperations(stage, ({ counts }, id) => assertConserved(id, { whole: counts, measured: counts }));
    }
    return stages;
  }
}

function countsOf(kinds: Float64Array): Counts {
  return {
    scheduled: kinds[SCHEDULED]!,
    ok: kinds[OUTCOME.ok]!,
    rejected: kinds[OUTCOME.rejected]!,
    failed: kinds[OUTCOME.failed]! + kinds[OUTCOME.failedUnsent]!,
    failedUnsent: kinds[OUTCOME.failedUnsent]!,
    timedOut: kinds[OUTCOME.timedOut]!,
    skipped: kinds[OUTCOME.skipped]!,
    unfinished: kinds[OUTCOME.unfinished]!,
    idle: kinds[OUTCOME.idle]!,
  };
}

/** Conservation, for the whole run and for the measure phase. @throws an Error that names the operation and the numbers. */
export function assertConserved(operation: string, tally: Pick<OperationTally, 'whole' | 'measured'>): void {
  for (const scope of ['whole', 'measured'] as const) {
    const { scheduled, ok, rejected, failed, failedUnsent, timedOut, skipped, unfinished, idle } =
      tally[scope];
    const settled = ok + rejected + failed + timedOut + skipped + unfinished + idle;
    if (settled !== scheduled) {
      throw new Error(
        `${scheduled} ${operation} operations were scheduled and ${settled} settled (${scope} run): ` +
          JSON.stringify(tally[scope]),
      );
    }
    if (failedUnsent > failed) {
      throw new Error(
        `${failedUnsent} ${operation} operations failed unsent, of ${failed} that failed (${scope} run)`,
      );
    }
  }
}
