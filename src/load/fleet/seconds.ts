import { countOf, type HistogramData, mergeHistograms, percentileOf } from '../../histogram.ts';
import { type OperationSpec, ofOperation, perOperation } from '../../scenario/operations.ts';
import { micros } from '../../units.ts';
import {
  type LoadSecond,
  type LoadSecondOperation,
  type LoadSlice,
  type LoadSliceOperation,
  OUTCOMES,
  TRAFFIC,
  type WorkerSecond,
} from '../engine.ts';
import { SLICE, SLICES_PER_SECOND, type WorkerSlice } from '../slices.ts';
import type { WorkerReport } from './messages.ts';
import { sumOf } from './tally.ts';

const SECOND = 1_000_000;
/** How long a late worker is awaited; its later report counts for a later second. */
const MAX_WAIT = 1_500_000;

/** Unanswered operations are reported as in flight. */
const SETTLED = OUTCOMES.filter((outcome) => outcome !== 'unfinished');

/**
 * Merges the workers' seconds: a second is emitted when every running worker has reported it, or after a time limit. No delta
 * is lost: a late report counts for a later second, and its slices for the same positions there. Until then its worker has the
 * players that it had last, and is missing. Workers are numbered from 0.
 */
export class Seconds {
  private readonly connected: readonly number[];
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly emit: (second: LoadSecond) => void;
  /** The last second that each worker has reported, and those that will report no more. */
  private readonly reported: number[];
  private readonly ended = new Set<number>();
  private readonly latest: (WorkerReport | null)[];
  private readonly pending = new Map<number, [worker: number, WorkerReport][]>();
  /** By index, of the seconds that are not emitted yet. */
  private readonly slices = new Map<number, WorkerSlice[]>();
  private next = 1;

  /** `connected`: the players of each worker at GO. */
  constructor(
    connected: readonly number[],
    operations: readonly Pick<OperationSpec, 'id'>[],
    emit: (second: LoadSecond) => void,
  ) {
    this.operations = operations;
    this.emit = emit;
    this.connected = connected;
    this.reported = connected.map(() => 0);
    this.latest = connected.map(() => null);
  }

  add(worker: number, report: WorkerReport): void {
    const second = Math.max(report.second, this.next);
    const bucket = this.pending.get(second) ?? [];
    bucket.push([worker, report]);
    this.pending.set(second, bucket);
    for (const slice of report.slices) this.addSlice(slice);
    this.reported[worker] = Math.max(this.reported[worker] ?? 0, report.second);
    this.flush();
  }

  /** The worker has sent its last report. */
  done(worker: number): void {
    this.ended.add(worker);
    this.flush();
  }

  /** Emits the seconds whose time limit has passed at `now`, microseconds after GO. */
  tick(now: number): void {
    while (now >= this.next * SECOND + MAX_WAIT && !this.isComplete) {
      this.emitSecond();
      this.flush();
    }
  }

  private flush(): void {
    while (this.pending.size > 0 && this.isComplete) this.emitSecond();
  }

  /** Whether no report of the next second is to come. */
  private get isComplete(): boolean {
    return this.reported.every((second, worker) => second >= this.next || this.ended.has(worker));
  }

  /** A worker that was blocked has reported a later second, or none yet. */
  private isMissing(worker: number, second: number, reports: readonly [number, WorkerReport][]): boolean {
    if (this.ended.has(worker) && second > this.reported[worker]!) return false;
    return !reports.some(([who, report]) => who === worker && report.second === second);
  }

  private emitSecond(): void {
    const second = this.next;
    this.next += 1;
    const reports = this.pending.get(second) ?? [];
    this.pending.delete(second);
    for (const [worker, report] of reports) this.latest[worker] = report;
    const all = reports.map(([, report]) => report);
    const ends = all.filter((report) => report.second === second).map(({ at }) => at);
    const at = ends.length === 0 ? second * SECOND : Math.max(...ends);
    const missing = this.reported.filter((_, worker) => this.isMissing(worker, second, reports)).length;
    this.emit({
      at: micros(at),
      connected: this.latest.reduce((sum, report, i) => sum + (report?.connected ?? this.connected[i]!), 0),
      ...(missing === 0 ? {} : { missing }),
      sockets: {
        open: this.latest.reduce((total, report) => total + (report?.sockets.open ?? 0), 0),
        handshakes: all.reduce((total, { sockets }) => total + sockets.handshakes, 0),
      },
      operations: perOperation(this.operations, (id) => this.operation(id, all)),
      ...sumOf(TRAFFIC, all),
      slices: this.takeSlices(second, at),
      workers: this.latest.map((last, worker) => {
        const own = reports.filter(([who]) => who === worker).map(([, report]) => report.worker);
        const isSilent = own.length === 0 && this.isMissing(worker, second, reports);
        return last === null || isSilent ? null : healthOf(last.worker, own);
      }),
    });
  }

  private addSlice(slice: WorkerSlice): void {
    const first = (this.next - 1) * SLICES_PER_SECOND;
    const index = slice.index < first ? first + (slice.index % SLICES_PER_SECOND) : slice.index;
    const known = this.slices.get(index);
    if (known === undefined) this.slices.set(index, [slice]);
    else known.push(slice);
  }

  /** The second's slices, merged; without those that an early end cut off. */
  private takeSlices(second: number, at: number): LoadSlice[] {
    const slices: LoadSlice[] = [];
    const first = (second - 1) * SLICES_PER_SECOND;
    for (let index = first; index < first + SLICES_PER_SECOND; index++) {
      const parts = this.slices.get(index) ?? [];
      this.slices.delete(index);
      if (parts.length === 0 && index * SLICE >= at) continue;
      slices.push({
        at: micros((index + 1) * SLICE),
        operations: perOperation(this.operations, (id) =>
          sliceOf(parts.map(({ due }) => ofOperation(due, id))),
        ),
      });
    }
    return slices;
  }

  private operation(id: string, reports: readonly WorkerReport[]): LoadSecondOperation {
    const all = reports.map(({ operations }) => ofOperation(operations, id));
    return {
      ...sumOf(SETTLED, all),
      inFlight: this.latest.reduce((total, report) => total + (report?.operations[id]?.inFlight ?? 0), 0),
      due: mergeHistograms(all.map(({ due }) => due)),
    };
  }
}

/** Percentiles are computed after merging the workers' buckets, and never averaged. */
function sliceOf(due: readonly HistogramData[]): LoadSliceOperation {
  const merged = mergeHistograms(due);
  return { answered: countOf(merged), p95: percentileOf(merged, 95) };
}

/** A worker that has ended counts as idle, with its last memory. */
function healthOf(last: WorkerSecond, own: readonly WorkerSecond[]): WorkerSecond {
  return {
    pid: last.pid,
    maxLoopDelayMs: Math.max(0, ...own.map(({ maxLoopDelayMs }) => maxLoopDelayMs)),
    ...sumOf(['stalledMs', 'cpuSeconds'], own),
    waitedSeconds: own.some(({ waitedSeconds }) => waitedSeconds === null)
      ? null
      : own.reduce((total, { waitedSeconds }) => total + (waitedSeconds ?? 0), 0),
    utilisation: Math.max(0, ...own.map(({ utilisation }) => utilisation)),
    memoryBytes: last.memoryBytes,
  };
}
