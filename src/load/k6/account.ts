import { MicrosHistogram } from '../../hdr-histogram.ts';
import { countOf, type HistogramData, mergeHistograms, percentileOf } from '../../histogram.ts';
import { mapOperations, ofOperation, type PerOperation, perOperation } from '../../scenario/operations.ts';
import { micros } from '../../units.ts';
import type { Counts, LoadSecond, LoadSlice, OperationTally, ProcessSecond } from '../engine.ts';
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

const zeroes = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
const noCounts = () => zeroes(COUNT_KINDS);
/** Counters of players and of the rest, which are added up as they come. */
const COUNTERS = [
  ...(['bytesIn', 'bytesOut', 'framesIn', 'commandBytes', 'disconnects'] as const),
  ...(['connected', 'connectFailed', 'lanesReady', 'left', 'linesLost', 'stray'] as const),
];

/** What happened in one second, by the times of k6's samples; of operations by their index. */
class Bucket {
  readonly counts: readonly Record<CountKind, number>[];
  readonly slices: readonly (MicrosHistogram | null)[][];
  readonly totals = zeroes(COUNTERS);

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
  /** Of the whole run. */
  readonly totals = zeroes(COUNTERS);
  readonly connect = new MicrosHistogram();
  /** At the end of the last second that was told. */
  private present = 0;
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
    for (const which of COUNTERS) {
      handlers.set(METRICS[which], (n, at) => {
        this.totals[which] += n;
        this.bucket(at).totals[which] += n;
      });
    }
    handlers.set(METRICS.go, (ms) => {
      this.goWall = ms;
    });
    handlers.set(METRICS.connect, (ms) => this.connect.record(ms * 1e3, 1));
    this.handlers = handlers;
  }

  add({ metric, at, value }: K6Sample): void {
    this.handlers.get(metric)?.(value, this.goWall === null ? 0 : (at - this.goWall) * 1e3);
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
    const { connected, left, disconnects, linesLost } = bucket.totals;
    // The lines that were lost are among the disconnects, and no players.
    this.present += connected - left - disconnects + linesLost;
    const slices = perOperation(this.operations, (_id, operation) =>
      bucket.slices[operation]!.map((one): HistogramData => one?.toData() ?? EMPTY),
    );
    return {
      at: micros(at),
      connected: this.present,
      operations: perOperation(this.operations, (id, operation) => {
        const { unfinished: _, ...counts } = bucket.counts[operation]!;
        const { whole } = this.records[operation]!;
        const inFlight = whole.scheduled - settledOf(whole);
        return { ...counts, inFlight, due: mergeHistograms(ofOperation(slices, id)) };
      }),
      ...flowsOf(bucket.totals),
      reconnects: 0,
      slices: slicesOf(second, at, slices),
      workers,
    };
  }
}

/** What was sent and received, and connections that ended. */
export const flowsOf = ({ bytesIn, bytesOut, framesIn, commandBytes, disconnects }: K6Account['totals']) => ({
  ...{ bytesIn, bytesOut, framesIn, commandBytes, disconnects },
});

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
