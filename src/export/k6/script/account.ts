import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { bucketEnd, GROUPS, groupOf } from '../../../load/k6/buckets.ts';
import {
  bucketsOf,
  CONNECT,
  COUNT_KINDS,
  type CountKind,
  counterOf,
  GO,
  sentRateOf,
  TIMED_KINDS,
  type TimedKind,
  TOTAL_KINDS,
  TREND_KINDS,
  type TrendKind,
  totalOf,
  trendOf,
} from '../../../load/k6/metrics.ts';
import type {
  GoReport,
  LedgerReport,
  OperationProgress,
  ProgressReport,
} from '../../../load/k6/user-report.ts';
import { dueMs, type Limit, TIMELINE, type Totals, UNDER_CAPBENCH } from './config.ts';

// What one virtual user counts and times. Under capbench it reports that five times a second, as lines that capbench
// reads. Under plain k6 it adds its counts to k6's counters once a second, and its histograms at its end: k6 keeps only
// percentiles of a trend, and those of several processes cannot be merged. k6 interprets JavaScript: what is done for each
// operation, and for each report, takes few steps; iterators and copies of objects are many.

/**
 * Times in milliseconds, and how many of each. For a report they are listed as they come, since few are equal until the
 * next one, and a Map costs more to read than to fill; under plain k6 they are counted until the end.
 */
class Histogram {
  private listed: number[] = [];
  private readonly counts = new Map<number, number>();
  /** k6's counters of the trend's buckets, by group. */
  private readonly counters: readonly Counter[];

  /** Without a trend there are no buckets. */
  constructor(trend?: string) {
    const groups = trend === undefined || UNDER_CAPBENCH ? 0 : GROUPS;
    this.counters = Array.from({ length: groups }, (_, group) => new Counter(bucketsOf(trend!, group)));
  }

  add(ms: number, n: number): void {
    if (UNDER_CAPBENCH) this.listed.push(ms, n);
    else this.counts.set(ms, (this.counts.get(ms) ?? 0) + n);
  }

  /** Undefined, which JSON leaves out, where there is nothing: writing it costs more than counting it. */
  take(): number[] | undefined {
    const { listed } = this;
    if (listed.length === 0) return undefined;
    this.listed = [];
    return listed;
  }

  /** Adds what was counted to k6's counters. */
  finish(): void {
    const buckets = new Map<number, number>();
    for (const [ms, n] of this.counts) {
      const end = bucketEnd(ms);
      buckets.set(end, (buckets.get(end) ?? 0) + n);
    }
    for (const [end, n] of buckets) this.counters[groupOf(end)]!.add(n, { le: String(end) });
  }
}

const mapOf = <Kind extends string, Value>(
  kinds: readonly Kind[],
  make: (kind: Kind) => Value,
): Record<Kind, Value> => Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<Kind, Value>;

type Counts = Record<CountKind, number>;
const noCounts = (): Counts => mapOf(COUNT_KINDS, () => 0);

/** Adds what was counted to k6's counters, and begins again at 0. */
function flush<Kind extends string>(
  kinds: readonly Kind[],
  counts: Record<Kind, number>,
  counters: Record<Kind, Counter>,
): void {
  for (const kind of kinds) {
    if (counts[kind] === 0) continue;
    counters[kind].add(counts[kind]);
    counts[kind] = 0;
  }
}

function takeCounts<Kind extends string>(
  kinds: readonly Kind[],
  counts: Record<Kind, number>,
): Partial<Record<Kind, number>> | undefined {
  let taken: Partial<Record<Kind, number>> | undefined;
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    if (counts[kind] === 0) continue;
    taken ??= {};
    taken[kind] = counts[kind];
    counts[kind] = 0;
  }
  return taken;
}

/** What plain k6 keeps of one kind of operation. */
class OperationMetrics {
  readonly counters: Record<CountKind, Counter>;
  readonly earlyCounters: Record<CountKind, Counter>;
  readonly trends: Record<TrendKind, Trend>;
  readonly sentInTime: Rate;
  readonly limits: readonly (Limit & { readonly within: Rate })[];

  constructor(id: string) {
    this.counters = mapOf(COUNT_KINDS, (kind) => new Counter(counterOf(id, kind)));
    this.earlyCounters = mapOf(COUNT_KINDS, (kind) => new Counter(counterOf(id, kind, true)));
    this.trends = mapOf(TREND_KINDS, (kind) => new Trend(trendOf(id, kind), true));
    this.sentInTime = new Rate(sentRateOf(id));
    this.limits = (LIMITS[id] ?? []).map((limit) => ({ ...limit, within: new Rate(limit.rate) }));
  }

  /** A threshold on a counter without samples would not be looked at. */
  declare(): void {
    for (const kind of COUNT_KINDS) {
      this.counters[kind].add(0);
      this.earlyCounters[kind].add(0);
    }
  }

  answered(latency: number, service: number, lag: number): void {
    const { trends, limits } = this;
    trends.due.add(latency);
    trends.service.add(service);
    trends.lag.add(lag);
    this.sentInTime.add(true);
    for (let i = 0; i < limits.length; i++) {
      const { within, strict, limitMs } = limits[i]!;
      within.add(strict ? latency < limitMs : latency <= limitMs);
    }
  }

  /** What is not answered was not answered in time, whatever the limit. */
  missed(wasSent: boolean): void {
    this.sentInTime.add(wasSent);
    for (const { within } of this.limits) within.add(false);
  }
}

/**
 * One kind of operation. Each one that comes due is counted once as scheduled, and once by what became of it:
 * scheduled = ok + rejected + failed + timedOut + skipped + unfinished. "failedUnsent" is the part of failed that had
 * not even been sent.
 */
class OperationAccount {
  private readonly measured = noCounts();
  private readonly early = noCounts();
  private readonly times: Record<TimedKind, Histogram>;
  private readonly earlyDue = new Histogram();
  /** Something was counted since the last report. */
  private touched = false;
  /** Metrics cost memory in each virtual user: there are none where capbench reads reports instead. */
  private readonly metrics: OperationMetrics | null;

  constructor(id: string) {
    this.metrics = UNDER_CAPBENCH ? null : new OperationMetrics(id);
    this.times = mapOf(TIMED_KINDS, (kind) => new Histogram(trendOf(id, kind)));
  }

  declare(): void {
    this.metrics?.declare();
  }

  scheduled(n: number, due: number): void {
    this.countsAt(due).scheduled += n;
  }

  /** By how much this virtual user itself was late, sending what could have been sent. */
  late(n: number, due: number, ms: number): void {
    if (due < TIMELINE.measureStart) return;
    this.times.ownLag.add(ms, n);
    this.metrics?.trends.ownLag.add(ms);
  }

  /** `n` operations, due in microseconds and sent in milliseconds after GO, were answered `now`: so many were ok. */
  answered(n: number, ok: number, due: number, sent: number, now: number): void {
    account.progress(now);
    const counts = this.countsAt(due);
    counts.ok += ok;
    counts.rejected += n - ok;
    const latency = now - dueMs(due);
    if (due < TIMELINE.measureStart) {
      if (UNDER_CAPBENCH) this.earlyDue.add(latency, n);
      return;
    }
    const service = now - sent;
    const lag = sent - dueMs(due);
    this.times.due.add(latency, n);
    this.times.service.add(service, n);
    this.times.lag.add(lag, n);
    if (n > ok) this.times.rejected.add(latency, n - ok);
    this.metrics?.answered(latency, service, lag);
  }

  missed(
    outcome: 'failed' | 'failedUnsent' | 'timedOut' | 'skipped' | 'unfinished',
    n: number,
    due: number,
  ): void {
    const counts = this.countsAt(due);
    counts[outcome] += n;
    if (outcome === 'failedUnsent') counts.failed += n;
    if (due < TIMELINE.measureStart) return;
    this.metrics?.missed(outcome !== 'skipped' && outcome !== 'failedUnsent');
  }

  /** For a line of capbench's; null where nothing happened. */
  take(): OperationProgress | null {
    if (!this.touched) return null;
    this.touched = false;
    const { times } = this;
    return {
      early: takeCounts(COUNT_KINDS, this.early),
      earlyDue: this.earlyDue.take(),
      measured: takeCounts(COUNT_KINDS, this.measured),
      due: times.due.take(),
      service: times.service.take(),
      lag: times.lag.take(),
      ownLag: times.ownLag.take(),
      rejected: times.rejected.take(),
    };
  }

  flush(): void {
    if (this.metrics === null) return;
    flush(COUNT_KINDS, this.measured, this.metrics.counters);
    flush(COUNT_KINDS, this.early, this.metrics.earlyCounters);
  }

  finish(): void {
    for (const kind of TIMED_KINDS) this.times[kind].finish();
  }

  private countsAt(due: number): Counts {
    this.touched = true;
    return due < TIMELINE.measureStart ? this.early : this.measured;
  }
}

/** Milliseconds: capbench knows seconds, and fifths of them. */
const SPAN_MS = UNDER_CAPBENCH ? 200 : 1000;

class Account {
  readonly totals: Totals = mapOf(TOTAL_KINDS, () => 0);
  readonly operations = Object.keys(LABELS).map((id) => new OperationAccount(id));
  private readonly connectTimes = new Histogram(CONNECT);
  private readonly metrics = UNDER_CAPBENCH
    ? null
    : {
        totals: mapOf(TOTAL_KINDS, (kind) => new Counter(totalOf(kind))),
        connect: new Trend(CONNECT, true),
        go: new Gauge(GO),
      };
  /** Beginning and end of what is reported next, in milliseconds after GO. */
  private from = 0;
  private to = Infinity;
  private timer: unknown = null;

  /** Called by setup, whose samples are the first ones. */
  declare(go: number): void {
    if (this.metrics === null) {
      print({ go });
      return;
    }
    for (const operation of this.operations) operation.declare();
    for (const kind of TOTAL_KINDS) this.metrics.totals[kind].add(0);
    this.metrics.go.add(go);
  }

  /** A player was welcomed after so long. */
  connected(ms: number): void {
    this.totals.connected += 1;
    this.connectTimes.add(ms, 1);
    this.metrics?.connect.add(ms);
  }

  /**
   * From now on there is a report of each span in which something happened; `now` is the clock of the virtual user. What
   * happens next ends a span, and at the latest the end of the second does: timers cost k6 more than the reports.
   */
  begin(now: () => number): void {
    const tick = (): void => {
      this.progress(now());
      this.timer = setTimeout(tick, 1000 - (((now() % 1000) + 1000) % 1000));
    };
    this.turn(now());
    tick();
  }

  /** Called before anything is counted at `now`: reports the span before it where that has ended. */
  progress(now: number): void {
    if (now < this.to) return;
    this.report();
    this.turn(now);
  }

  /** The end of the virtual user: `hash` is of what was due, `ledger` what was sent and acknowledged. */
  finish(
    [low, high]: LedgerReport['hash'],
    ledger: () => LedgerReport['ledger'],
    errors: ReadonlySet<string>,
  ): void {
    clearTimeout(this.timer as number);
    this.totals.scheduleLow += low;
    this.totals.scheduleHigh += high;
    this.report();
    if (this.metrics === null) {
      print({ ledger: ledger(), hash: [low, high], errors: [...errors] });
      return;
    }
    for (const operation of this.operations) operation.finish();
    this.connectTimes.finish();
  }

  private turn(now: number): void {
    this.from = Math.floor(now / SPAN_MS) * SPAN_MS;
    this.to = this.from + SPAN_MS;
  }

  private report(): void {
    if (this.metrics === null) {
      const totals = takeCounts(TOTAL_KINDS, this.totals);
      const operations: ProgressReport['operations'][number][] = [];
      let isSilent = totals === undefined;
      for (let i = 0; i < this.operations.length; i++) {
        const progress = this.operations[i]!.take();
        if (progress !== null) isSilent = false;
        operations.push(progress);
      }
      if (!isSilent) print({ at: this.from, totals, connect: this.connectTimes.take(), operations });
      return;
    }
    flush(TOTAL_KINDS, this.totals, this.metrics.totals);
    for (const operation of this.operations) operation.flush();
  }
}

// biome-ignore lint/suspicious/noConsole: k6 writes it to where capbench reads
const print = (report: GoReport | ProgressReport | LedgerReport): void => console.log(JSON.stringify(report));

/** Of this virtual user: each one has its own copy of the whole script. */
export const account = new Account();
