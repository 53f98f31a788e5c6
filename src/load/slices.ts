import { MicrosHistogram } from '../hdr-histogram.ts';
import type { HistogramData } from '../histogram.ts';
import { type OperationSpec, type PerOperation, perOperation } from '../scenario/operations.ts';

/** Microseconds: a fifth of a second, aligned to GO. */
export const SLICE = 200_000;
export const SLICES_PER_SECOND = 5;

/** The answers of one worker in one slice, by latency from the due time. Empty slices are omitted. */
export interface WorkerSlice {
  /** From 0: the slice ends at (index + 1) x SLICE. */
  readonly index: number;
  readonly due: PerOperation<HistogramData>;
}

/** The answers of one worker in slices of 200 ms. HOT. */
export class Slices {
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly due: readonly MicrosHistogram[];
  private index = 0;
  private end = SLICE;
  private closed: WorkerSlice[] = [];

  constructor(operations: readonly Pick<OperationSpec, 'id'>[]) {
    this.operations = operations;
    this.due = operations.map(() => new MicrosHistogram());
  }

  /** `now` never runs backwards. */
  record(operation: number, latency: number, n: number, now: number): void {
    if (now >= this.end) this.turn(now);
    this.due[operation]!.record(latency, n);
  }

  /** Takes the slices that have ended by now. */
  take(now: number): readonly WorkerSlice[] {
    if (now >= this.end) this.turn(now);
    const { closed } = this;
    this.closed = [];
    return closed;
  }

  /** Takes those, and the current one. */
  takeAll(now: number): readonly WorkerSlice[] {
    if (now >= this.end) this.turn(now);
    this.close();
    return this.take(now);
  }

  private turn(now: number): void {
    this.close();
    this.index = Math.floor(now / SLICE);
    this.end = (this.index + 1) * SLICE;
  }

  private close(): void {
    const due = perOperation(this.operations, (_, operation) => this.due[operation]!.take());
    if (Object.values(due).some(({ counts }) => counts.length > 0))
      this.closed.push({ index: this.index, due });
  }
}
