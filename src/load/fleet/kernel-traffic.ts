import { monotonic } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Micros } from '../../units.ts';
import type { KernelTraffic } from '../engine.ts';
import type { ConnectionBytes, SocketBytes } from '../player/player-sockets.ts';
import type { WorkerTraffic } from './messages.ts';

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
  readonly at: number;
  /** As the load counts it. */
  readonly load: SocketBytes;
  readonly connections: readonly ConnectionBytes[];
  readonly counters: ReadonlyMap<string, SocketBytes>;
}

const ZERO: SocketBytes = { in: 0, out: 0 };
const sum = (all: readonly SocketBytes[]): SocketBytes =>
  all.reduce((total, one) => ({ in: total.in + one.in, out: total.out + one.out }), ZERO);
const minus = (a: SocketBytes, b: SocketBytes): SocketBytes => ({ in: a.in - b.in, out: a.out - b.out });
/** Within 0 and the most. */
const within = (value: SocketBytes, most: SocketBytes): SocketBytes => ({
  in: Math.min(Math.max(0, value.in), most.in),
  out: Math.min(Math.max(0, value.out), most.out),
});

/**
 * Asks the kernel twice, where the measure phase begins and where it ends: 20,000 connections cost a quarter of a second each
 * time, in a process of its own.
 */
export class KernelWatch {
  private readonly plan: TrafficPlan;
  private readonly timers: readonly NodeJS.Timeout[];
  /** Or why there is none. */
  private first: Promise<TrafficReading | string> | null = null;
  private last: Promise<TrafficReading | string> | null = null;

  constructor(plan: TrafficPlan) {
    this.plan = plan;
    const after = (at: Micros): number => Math.max(0, (at - monotonic()) / 1e3);
    this.timers = [
      setTimeout(() => {
        if (this.last === null) this.first ??= this.read();
      }, after(plan.from)),
      setTimeout(() => this.end(), after(plan.to)),
    ];
  }

  /** Asks no more. Idempotent. */
  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** The measure phase ends now, and with it the watch. Idempotent. */
  end(): void {
    this.close();
    this.last ??= this.first === null ? Promise.resolve('the measure phase was not reached') : this.read();
  }

  /** Once it has ended. */
  async result(): Promise<KernelTraffic | { readonly because: string }> {
    this.end();
    const [first, last] = await Promise.all([this.first, this.last]);
    const because = [first, last].find((one) => typeof one === 'string');
    if (typeof because === 'string') return { because };
    return trafficBetween(first as TrafficReading, last as TrafficReading);
  }

  /** The load's own count is the mean of those just before and just after. */
  private async read(): Promise<TrafficReading | string> {
    try {
      const before = await this.plan.ask(false);
      const asked = monotonic();
      const counters = await this.plan.counters();
      const at = (asked + monotonic()) / 2;
      const after = await this.plan.ask(true);
      const both = sum([...before, ...after].map(({ load }) => load));
      return {
        ...{ at, counters, load: { in: both.in / 2, out: both.out / 2 } },
        connections: after.flatMap(({ connections }) => connections ?? []),
      };
    } catch (thrown) {
      return messageOf(thrown);
    }
  }
}

const openOf = ({ connections }: TrafficReading): ReadonlyMap<string, SocketBytes> =>
  new Map(connections.flatMap(({ open }) => open.map(([name, own, out]) => [name, { in: own, out }])));

/**
 * What went over the connections between two readings. The kernel forgets a connection that closes: what the load has counted of
 * those is `unseen`.
 */
export function trafficBetween(
  first: TrafficReading,
  last: TrafficReading,
): KernelTraffic | { readonly because: string } {
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
  if (kernel.length === 0)
    return {
      because:
        after.size === 0
          ? 'no connection of a player was open where the measure phase ended, and the kernel forgets those that are closed'
          : `ss shows none of the ${after.size} connections of the players`,
    };
  const moved = sum(kernel);
  if (moved.in + moved.out === 0 && load.in + load.out > 0)
    return { because: 'ss does not tell the bytes of a connection here' };
  return {
    seconds: (last.at - first.at) / 1e6,
    kernel: within(moved, { in: Number.POSITIVE_INFINITY, out: Number.POSITIVE_INFINITY }),
    load,
    unseen: within(sum(unseen), load),
  };
}
