import { MicrosHistogram } from '../../hdr-histogram.ts';
import { countOf, type HistogramData, mergeHistograms, percentileOf } from '../../histogram.ts';
import { mapOperations, ofOperation, type PerOperation, perOperation } from '../../scenario/operations.ts';
import { micros } from '../../units.ts';
import type {
  Counts,
  LoadSecond,
  LoadSecondOperation,
  LoadSlice,
  OperationTally,
  ProcessSecond,
} from '../engine.ts';
import { SLICE, SLICES_PER_SECOND } from '../slices.ts';
import type { PlannedCounts } from './k6-system.ts';
import {
  COUNT_KINDS,
  type CountKind,
  counterOf,
  earlyDueOf,
  METRICS,
  TREND_KINDS,
  trendOf,
} from './metrics.ts';
import type { K6Sample } from './sample-pipe.ts';

const SECOND = 1_000_000;
/** k6 writes its samples five times a second; so long after a second's end it is told. What is later counts for a later one. */
const PATIENCE = 700_000;

type KindCounts = Record<CountKind, number>;
const noCounts = (): KindCounts => ({
  ...{ scheduled: 0, ok: 0, rejected: 0, failed: 0, failedUnsent: 0 },
  ...{ timedOut: 0, skipped: 0, unfinished: 0 },
});
const FLOWS = ['bytesIn', 'bytesOut', 'framesIn', 'commandBytes', 'disconnects'] as const;
type Flow = (typeof FLOWS)[number];
const noFlows = (): Record<Flow, number> => ({
  ...{ bytesIn: 0, bytesOut: 0, framesIn: 0, commandBytes: 0, disconnects: 0 },
});

/** What happened in one second, by the times of k6's samples; of operations by their index. */
class Bucket {
  readonly counts: readonly KindCounts[];
  readonly slices: readonly (MicrosHistogram | null)[][];
  /** Players that came, less those that went. */
  players = 0;
  readonly flows = noFlows();

  constructor(operations: number) {
    this.counts = Array.from({ length: operations }, noCounts);
    this.slices = this.counts.map(() => new Array<MicrosHistogram | null>(SLICES_PER_SECOND).fill(null));
  }
}

class OperationRecord {
  readonly whole = noCounts();
  readonly measured = noCounts();
  readonly due = new MicrosHistogram();
  readonly service = new MicrosHistogram();
  readonly lag = new MicrosHistogram();
  readonly ownLag = new MicrosHistogram();
}

/**
 * k6's samples as the run's seconds and its tally. k6 knows whole milliseconds: so do these microseconds. Times are
 * microseconds after GO, which the script says in its first sample.
 */
export class K6Account {
  /** The wall clock's milliseconds at GO; null until the script has told. */
  goWall: number | null = null;
  connected = 0;
  connectFailed = 0;
  lanesReady = 0;
  strayAnswers = 0;
  readonly connect = new MicrosHistogram();
  /** At the end of the last second that was told. */
  private present = 0;
  private readonly totals = noFlows();
  private readonly operations: readonly { readonly id: string }[];
  private readonly records: readonly OperationRecord[];
  private readonly buckets = new Map<number, Bucket>();
  /** The second that is told next, from 1. */
  private next = 1;
  private readonly handlers: ReadonlyMap<string, (value: number, at: number) => void>;

  /** `perSample`: operations of each kind that one sample of a trend stands for. */
  constructor(perSample: PerOperation<number>) {
    this.operations = Object.keys(perSample).map((id) => ({ id }));
    this.records = this.operations.map(() => new OperationRecord());
    const handlers = new Map<string, (value: number, at: number) => void>();
    for (const [operation, { id }] of this.operations.entries()) {
      const weight = ofOperation(perSample, id);
      const record = this.records[operation]!;
      for (const kind of COUNT_KINDS) {
        handlers.set(counterOf(id, kind), (n, at) => {
          record.measured[kind] += n;
          this.count(operation, kind, n, at);
        });
        handlers.set(counterOf(id, kind, true), (n, at) => this.count(operation, kind, n, at));
      }
      for (const kind of TREND_KINDS) {
        handlers.set(trendOf(id, kind), (ms, at) => {
          record[kind].record(ms * 1e3, weight);
          if (kind === 'due') this.answered(operation, ms * 1e3, weight, at);
        });
      }
      handlers.set(earlyDueOf(id), (ms, at) => this.answered(operation, ms * 1e3, weight, at));
    }
    const flow = (metric: string, which: Flow): void =>
      void handlers.set(metric, (n, at) => {
        this.totals[which] += n;
        this.bucket(at).flows[which] += n;
      });
    for (const which of FLOWS) flow(METRICS[which], which);
    handlers.set(METRICS.go, (ms) => {
      this.goWall = ms;
    });
    handlers.set(METRICS.connected, (n, at) => {
      this.connected += n;
      this.bucket(at).players += n;
    });
    handlers.set(METRICS.connectFailed, (n) => {
      this.connectFailed += n;
    });
    handlers.set(METRICS.lanesReady, (n) => {
      this.lanesReady += n;
    });
    handlers.set(METRICS.left, (n, at) => {
      this.bucket(at).players -= n;
    });
    // Among the disconnects, and no players.
    handlers.set(METRICS.linesLost, (n, at) => {
      this.bucket(at).players += n;
    });
    handlers.set(METRICS.stray, (n) => {
      this.strayAnswers += n;
    });
    handlers.set(METRICS.connect, (ms) => this.connect.record(ms * 1e3, 1));
    this.handlers = handlers;
  }

  add({ metric, at, value }: K6Sample): void {
    this.handlers.get(metric)?.(value, this.goWall === null ? 0 : (at - this.goWall) * 1e3);
  }

  /** Of the whole run. */
  get flows(): Readonly<Record<Flow, number>> {
    return this.totals;
  }

  /** The seconds that have ended by now and may be told, in order. */
  takeUntil(now: number, worker: () => readonly ProcessSecond[]): LoadSecond[] {
    const seconds: LoadSecond[] = [];
    while (now >= this.next * SECOND + PATIENCE) seconds.push(this.tell(this.next * SECOND, worker()));
    return seconds;
  }

  /** k6 has ended, at `now`: all that is left. */
  takeAll(now: number, worker: () => readonly ProcessSecond[]): LoadSecond[] {
    const seconds: LoadSecond[] = [];
    const last = Math.max(...this.buckets.keys(), Math.ceil(now / SECOND), 0);
    while (this.next <= last)
      seconds.push(this.tell(Math.min(this.next * SECOND, Math.max(now, 0)), worker()));
    return seconds;
  }

  /**
   * Operations that were due before an early stop and that no virtual user came to tell of: `planned` of each kind were
   * due. They were never sent. What was sent, and has no end of its own, is unfinished; and so is an answer of which k6
   * was cut before it told how long it had taken.
   */
  settleRest(planned: PerOperation<PlannedCounts>): void {
    for (const [operation, { id }] of this.operations.entries()) {
      const record = this.records[operation]!;
      const { whole, measured } = record;
      let untimed = Math.max(0, measured.ok + measured.rejected - countOf(record.due.toData()));
      for (const kind of ['ok', 'rejected'] as const) {
        const cut = Math.min(untimed, measured[kind]);
        measured[kind] -= cut;
        whole[kind] -= cut;
        untimed -= cut;
      }
      for (const scope of ['whole', 'measured'] as const) {
        const counts = record[scope];
        const unsent = Math.max(0, ofOperation(planned, id)[scope] - counts.scheduled);
        counts.scheduled += unsent;
        counts.skipped += unsent;
        counts.unfinished += counts.scheduled - settledOf(counts);
      }
    }
  }

  tallies(): PerOperation<OperationTally> {
    return perOperation(this.operations, (_id, operation) => {
      const { whole, measured, due, service, lag, ownLag } = this.records[operation]!;
      return {
        whole: { ...whole },
        measured: { ...measured },
        due: due.toData(),
        // The operations of a request share one sample, whichever of them were rejected, and its own lag is another sample.
        rejected: null,
        net: null,
        service: service.toData(),
        lag: lag.toData(),
        ownLag: ownLag.toData(),
      };
    });
  }

  private count(operation: number, kind: CountKind, n: number, at: number): void {
    this.records[operation]!.whole[kind] += n;
    this.bucket(at).counts[operation]![kind] += n;
  }

  private answered(operation: number, latency: number, n: number, at: number): void {
    const fifth = Math.floor((Math.max(at, 0) % SECOND) / SLICE);
    const slices = this.bucket(at).slices[operation]!;
    slices[fifth] ??= new MicrosHistogram();
    slices[fifth]?.record(latency, n);
  }

  private bucket(at: number): Bucket {
    const second = Math.max(this.next, Math.floor(at / SECOND) + 1);
    const known = this.buckets.get(second);
    if (known !== undefined) return known;
    const made = new Bucket(this.operations.length);
    this.buckets.set(second, made);
    return made;
  }

  private tell(at: number, workers: readonly ProcessSecond[]): LoadSecond {
    const second = this.next;
    const bucket = this.buckets.get(second) ?? new Bucket(this.operations.length);
    this.buckets.delete(second);
    this.next += 1;
    this.present += bucket.players - bucket.flows.disconnects;
    const slices = perOperation(this.operations, (_id, operation) =>
      bucket.slices[operation]!.map((one): HistogramData => one?.toData() ?? EMPTY),
    );
    const { flows } = bucket;
    return {
      at: micros(at),
      connected: this.present,
      operations: perOperation(this.operations, (id, operation) =>
        this.secondOf(operation, bucket.counts[operation]!, ofOperation(slices, id)),
      ),
      ...flows,
      reconnects: 0,
      slices: slicesOf(second, at, slices),
      workers,
    };
  }

  private secondOf(
    operation: number,
    counts: KindCounts,
    slices: readonly HistogramData[],
  ): LoadSecondOperation {
    const { unfinished: _, ...second } = counts;
    const { whole } = this.records[operation]!;
    return { ...second, inFlight: whole.scheduled - settledOf(whole), due: mergeHistograms(slices) };
  }
}

const EMPTY: HistogramData = mergeHistograms([]);

const settledOf = ({ ok, rejected, failed, timedOut, skipped, unfinished }: Counts): number =>
  ok + rejected + failed + timedOut + skipped + unfinished;

/** Of a second that ended early, those that had begun or hold something. */
function slicesOf(second: number, at: number, slices: PerOperation<readonly HistogramData[]>): LoadSlice[] {
  const first = (second - 1) * SLICES_PER_SECOND;
  return Array.from({ length: SLICES_PER_SECOND }, (_, fifth) => ({
    at: micros((first + fifth + 1) * SLICE),
    operations: mapOperations(slices, (all) => {
      const due = all[fifth] ?? EMPTY;
      return { answered: countOf(due), p95: percentileOf(due, 95) };
    }),
  })).filter(
    ({ at: end, operations }) =>
      end - SLICE < at || Object.values(operations).some(({ answered }) => answered > 0),
  );
}
