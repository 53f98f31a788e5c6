import { setTimeout as sleep } from 'node:timers/promises';
import { portOf } from '../../address/target-address.ts';
import { monotonic } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Workload } from '../../scenario/workload.ts';
import { type Micros, micros } from '../../units.ts';
import { connectionCounters } from '../connection-counters.ts';
import type { KernelTraffic } from '../engine.ts';
import type { ConnectionBytes, SocketBytes } from '../player/player-sockets.ts';
import type { WorkerSetup, WorkerTraffic } from './messages.ts';
import { sumOf } from './tally.ts';

interface TrafficPlan {
  /** Of all workers; `each`: of each connection, too. */
  ask(each: boolean): Promise<readonly WorkerTraffic[]>;
  /** What the kernel counts (connection-counters.ts). */
  counters(): Promise<ReadonlyMap<string, SocketBytes>>;
  /** The measure phase, on the monotonic clock. */
  readonly from: Micros;
  readonly to: Micros;
}

/** What the workers and the kernel say at one time. */
export interface TrafficReading {
  /** And for how long the kernel was asked; microseconds. */
  readonly at: number;
  readonly took: number;
  /** As the load counts it. */
  readonly load: SocketBytes;
  readonly connections: readonly ConnectionBytes[];
  readonly counters: ReadonlyMap<string, SocketBytes>;
}

const ZERO: SocketBytes = { in: 0, out: 0 };
const ALL: SocketBytes = { in: Number.POSITIVE_INFINITY, out: Number.POSITIVE_INFINITY };
const sum = (all: readonly SocketBytes[]): SocketBytes => sumOf(['in', 'out'], all);
const minus = (a: SocketBytes, b: SocketBytes): SocketBytes => ({ in: a.in - b.in, out: a.out - b.out });
/** Within 0 and the most. */
const within = (value: SocketBytes, most: SocketBytes): SocketBytes => ({
  in: Math.min(Math.max(0, value.in), most.in),
  out: Math.min(Math.max(0, value.out), most.out),
});

const SHORTEST = 2e6;
/** From one reading to the next it is this often as long as the reading took: half a percent of a core, at the most. */
const REST = 200;

/**
 * Asks the kernel where the measure phase begins, now and then, and where it ends. Connections that close between two readings are
 * unseen since the first of them.
 */
export class KernelWatch {
  private readonly plan: TrafficPlan;
  private readonly ended = new AbortController();
  private isClosed = false;
  private readonly traffic: Promise<KernelTraffic | { readonly because: string }>;

  constructor(plan: TrafficPlan) {
    this.plan = plan;
    this.traffic = this.follow().catch((thrown) => ({ because: messageOf(thrown) }));
  }

  /** The measure phase ends now. Idempotent. */
  end(): void {
    this.ended.abort();
  }

  /** Asks no more. Idempotent. */
  close(): void {
    this.isClosed = true;
    this.end();
  }

  /** Once the phase has ended. */
  result(): Promise<KernelTraffic | { readonly because: string }> {
    this.end();
    return this.traffic;
  }

  private async follow(): Promise<KernelTraffic> {
    const { from, to } = this.plan;
    await this.sleepUntil(from);
    if (this.ended.signal.aborted) throw new Error('the measure phase was not reached');
    const parts: KernelTraffic[] = [];
    let last = await this.read();
    for (let isOver = false; !isOver; ) {
      const next = last.at + Math.max(SHORTEST, REST * last.took);
      await this.sleepUntil(next + SHORTEST > to ? to : next);
      if (this.isClosed) throw new Error('the load was closed');
      isOver = this.ended.signal.aborted || monotonic() >= to;
      const now = await this.read();
      parts.push(trafficBetween(last, now));
      last = now;
    }
    const [kernel, load, unseen] = (['kernel', 'load', 'unseen'] as const).map((of) =>
      sum(parts.map((part) => part[of])),
    ) as [SocketBytes, SocketBytes, SocketBytes];
    if (kernel.in + kernel.out === 0 && load.in + load.out > 0)
      throw new Error('ss shows no connection of a player that was open for long enough, or not its bytes');
    return { seconds: parts.reduce((total, part) => total + part.seconds, 0), kernel, load, unseen };
  }

  /** Or until the end. */
  private async sleepUntil(at: number): Promise<void> {
    const { signal } = this.ended;
    while (monotonic() < at && !signal.aborted)
      await sleep(Math.ceil((at - monotonic()) / 1e3), null, { signal }).catch(() => null);
  }

  /** The load's own count is the mean of those just before and just after. */
  private async read(): Promise<TrafficReading> {
    const before = await this.plan.ask(false);
    const asked = monotonic();
    const counters = await this.plan.counters();
    const answered = monotonic();
    const after = await this.plan.ask(true);
    const both = sum([...before, ...after].map(({ load }) => load));
    return {
      ...{ at: (asked + answered) / 2, took: answered - asked, counters },
      load: { in: both.in / 2, out: both.out / 2 },
      connections: after.flatMap(({ connections }) => connections ?? []),
    };
  }
}

/** Of a run that begins at GO, over the connections to its servers. */
export function watchKernel(
  { workload, setups }: { readonly workload: Workload; readonly setups: readonly WorkerSetup[] },
  go: Micros,
  ask: TrafficPlan['ask'],
): KernelWatch {
  const { measureStart, end } = workload.timeline;
  const ports = new Set(setups.flatMap(({ worlds }) => worlds.map(({ url }) => portOf(new URL(url)))));
  const counters: TrafficPlan['counters'] = () => connectionCounters(ports);
  return new KernelWatch({ ask, counters, from: micros(go + measureStart), to: micros(go + end) });
}

const openOf = ({ connections }: TrafficReading): ReadonlyMap<string, SocketBytes> =>
  new Map(connections.flatMap(({ open }) => open.map(([name, own, out]) => [name, { in: own, out }])));

/**
 * What went over the connections between two readings. The kernel forgets a connection that closes: what the load has counted of
 * those is `unseen`.
 */
export function trafficBetween(first: TrafficReading, last: TrafficReading): KernelTraffic {
  const [before, after] = [openOf(first), openOf(last)];
  const kernel: SocketBytes[] = [];
  const unseen: SocketBytes[] = [];
  for (const [name, own] of after) {
    const ownBefore = before.get(name);
    const counted = last.counters.get(name);
    const countedBefore = ownBefore === undefined ? ZERO : first.counters.get(name);
    if (counted === undefined || countedBefore === undefined) unseen.push(minus(own, ownBefore ?? ZERO));
    else kernel.push(minus(counted, countedBefore));
  }
  const closed = ({ connections }: TrafficReading): SocketBytes => sum(connections.map((one) => one.closed));
  unseen.push(minus(closed(last), closed(first)));
  // Their bytes until the first reading are no part of it.
  for (const [name, own] of before) if (!after.has(name)) unseen.push(minus(ZERO, own));

  const load = minus(last.load, first.load);
  return {
    seconds: (last.at - first.at) / 1e6,
    kernel: within(sum(kernel), ALL),
    load,
    unseen: within(sum(unseen), load),
  };
}
