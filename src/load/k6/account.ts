import { MicrosHistogram } from '../../hdr-histogram.ts';
import { countOf, type HistogramData, mergeHistograms, percentileOf } from '../../histogram.ts';
import {
  mapOperations,
  type OperationSpec,
  ofOperation,
  type PerOperation,
  perOperation,
} from '../../scenario/operations.ts';
import { micros } from '../../units.ts';
import type { Counts, LoadSecond, LoadSlice, OperationTally, ProcessSecond } from '../engine.ts';
import { SLICE, SLICES_PER_SECOND } from '../slices.ts';
import type { PlannedCounts } from './k6-system.ts';
import { COUNT_KINDS, TIMED_KINDS, TOTAL_KINDS } from './metrics.ts';
import { isGo, isProgress, type LedgerReport, type Times, type UserReport } from './user-report.ts';

const SECOND = 1_000_000;
/** Virtual users report each fifth of a second when it has ended: a second is complete so long after its end. What is later counts for a later one. */
const PATIENCE = 700_000;

const zeroes = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
const noCounts = () => zeroes(COUNT_KINDS);

function addCounts<Kind extends string>(
  to: Record<Kind, number>,
  added: Readonly<Partial<Record<Kind, number>>> | undefined,
): void {
  for (const kind in added) to[kind] += added[kind] ?? 0;
}

/** k6 knows whole milliseconds: so do these microseconds. */
function addTimes(to: MicrosHistogram, times: Times = []): void {
  for (let i = 0; i + 1 < times.length; i += 2) to.record(times[i]! * 1e3, times[i + 1]!);
}

/** What happened in one second; of operations by their index. */
class Second {
  readonly counts: readonly ReturnType<typeof noCounts>[];
  readonly slices: readonly MicrosHistogram[][];
  readonly totals = zeroes(TOTAL_KINDS);

  constructor(operations: number) {
    this.counts = Array.from({ length: operations }, noCounts);
    this.slices = this.counts.map(() =>
      Array.from({ length: SLICES_PER_SECOND }, () => new MicrosHistogram()),
    );
  }
}

class OperationRecord {
  readonly whole = noCounts();
  readonly measured = noCounts();
  readonly times = Object.fromEntries(TIMED_KINDS.map((kind) => [kind, new MicrosHistogram()])) as Record<
    (typeof TIMED_KINDS)[number],
    MicrosHistogram
  >;
}

/** The reports of k6's virtual users as the run's seconds and its tally. Times are microseconds after GO. */
export class K6Account {
  /** The wall clock's milliseconds at GO; null until the script has reported it. */
  goWall: number | null = null;
  /** Of the whole run. */
  readonly totals = zeroes(TOTAL_KINDS);
  readonly connect = new MicrosHistogram();
  /** Of the virtual users that have ended. */
  readonly ledgers: LedgerReport[] = [];
  /** Players connected at the end of the last second that was taken. */
  private present = 0;
  private readonly operations: readonly Pick<OperationSpec, 'id'>[];
  private readonly records: readonly OperationRecord[];
  private readonly seconds = new Map<number, Second>();
  /** The second that is taken next, from 1. */
  private next = 1;

  constructor(operations: readonly Pick<OperationSpec, 'id'>[]) {
    this.operations = operations;
    this.records = operations.map(() => new OperationRecord());
  }

  add(report: UserReport): void {
    if (isGo(report)) {
      this.goWall = report.go;
      return;
    }
    if (!isProgress(report)) {
      this.ledgers.push(report);
      return;
    }
    const at = report.at * 1e3;
    const second = this.secondAt(at);
    addCounts(this.totals, report.totals);
    addCounts(second.totals, report.totals);
    addTimes(this.connect, report.connect);
    const slice = Math.floor((Math.max(at, 0) % SECOND) / SLICE);
    for (const [operation, progress] of report.operations.entries()) {
      if (progress === null) continue;
      const record = this.records[operation]!;
      const { early, earlyDue, measured } = progress;
      for (const counts of [record.whole, second.counts[operation]!]) {
        addCounts(counts, early);
        addCounts(counts, measured);
      }
      addCounts(record.measured, measured);
      for (const kind of TIMED_KINDS) addTimes(record.times[kind], progress[kind]);
      addTimes(second.slices[operation]![slice]!, earlyDue);
      addTimes(second.slices[operation]![slice]!, progress.due);
    }
  }

  /** The seconds that have ended by now and are complete, in order. */
  takeUntil(now: number, worker: () => readonly ProcessSecond[]): LoadSecond[] {
    const seconds: LoadSecond[] = [];
    while (now >= this.next * SECOND + PATIENCE) seconds.push(this.take(this.next * SECOND, worker()));
    return seconds;
  }

  /** k6 has ended, at `now`: all that is left. */
  takeAll(now: number, worker: () => readonly ProcessSecond[]): LoadSecond[] {
    const seconds: LoadSecond[] = [];
    const last = Math.max(...this.seconds.keys(), Math.ceil(now / SECOND), 0);
    while (this.next <= last)
      seconds.push(this.take(Math.min(this.next * SECOND, Math.max(now, 0)), worker()));
    return seconds;
  }

  /**
   * Operations that were due before an early stop and that no virtual user reported: `planned` of each kind were due. They
   * were never sent. What was sent, and has no end of its own, is unfinished.
   */
  settleRest(planned: PerOperation<PlannedCounts>): void {
    for (const [operation, { id }] of this.operations.entries()) {
      for (const scope of ['whole', 'measured'] as const) {
        const counts = this.records[operation]![scope];
        const unsent = Math.max(0, ofOperation(planned, id)[scope] - counts.scheduled);
        counts.scheduled += unsent;
        counts.skipped += unsent;
        counts.unfinished += counts.scheduled - settledOf(counts);
      }
    }
  }

  tallies(): PerOperation<OperationTally> {
    return perOperation(this.operations, (_id, operation) => {
      const { whole, measured, times } = this.records[operation]!;
      const { due, service, lag, ownLag, rejected } = times;
      return {
        whole: { ...whole, idle: 0 },
        measured: { ...measured, idle: 0 },
        due: due.toData(),
        rejected: rejected.toData(),
        // It would take the own lag of each operation until its answer.
        net: null,
        service: service.toData(),
        lag: lag.toData(),
        ownLag: ownLag.toData(),
      };
    });
  }

  private secondAt(at: number): Second {
    const second = Math.max(this.next, Math.floor(at / SECOND) + 1);
    const known = this.seconds.get(second);
    if (known !== undefined) return known;
    const made = new Second(this.operations.length);
    this.seconds.set(second, made);
    return made;
  }

  private take(at: number, workers: readonly ProcessSecond[]): LoadSecond {
    const number = this.next;
    const second = this.seconds.get(number) ?? new Second(this.operations.length);
    this.seconds.delete(number);
    this.next += 1;
    const { connected, left, disconnects, linesLost } = second.totals;
    // The connections of others that were lost are among the disconnects, and no players.
    this.present += connected - left - disconnects + linesLost;
    const slices = perOperation(this.operations, (_id, operation) =>
      second.slices[operation]!.map((one) => one.toData()),
    );
    return {
      at: micros(at),
      connected: this.present,
      operations: perOperation(this.operations, (id, operation) => {
        const { unfinished: _, ...counts } = second.counts[operation]!;
        const { whole } = this.records[operation]!;
        const inFlight = whole.scheduled - settledOf(whole);
        return { ...counts, idle: 0, inFlight, due: mergeHistograms(ofOperation(slices, id)) };
      }),
      ...flowsOf(second.totals),
      reconnects: 0,
      sockets: null,
      slices: slicesOf(number, at, slices),
      workers,
    };
  }
}

/** What was sent and received, and connections that ended. */
export const flowsOf = ({ bytesIn, bytesOut, framesIn, commandBytes, disconnects }: K6Account['totals']) => ({
  ...{ bytesIn, bytesOut, framesIn, commandBytes, disconnects },
});

const settledOf = ({ ok, rejected, failed, timedOut, skipped, unfinished }: Omit<Counts, 'idle'>): number =>
  ok + rejected + failed + timedOut + skipped + unfinished;

/** Of a second that ended early, those that had begun or hold something. */
function slicesOf(second: number, at: number, slices: PerOperation<readonly HistogramData[]>): LoadSlice[] {
  const first = (second - 1) * SLICES_PER_SECOND;
  return Array.from({ length: SLICES_PER_SECOND }, (_, fifth) => ({
    at: micros((first + fifth + 1) * SLICE),
    operations: mapOperations(slices, (all) => {
      const due = all[fifth]!;
      return { answered: countOf(due), p95: percentileOf(due, 95) };
    }),
  })).filter(
    ({ at: end, operations }) =>
      end - SLICE < at || Object.values(operations).some(({ answered }) => answered > 0),
  );
}
