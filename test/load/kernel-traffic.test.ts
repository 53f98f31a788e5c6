import { expect, onTestFinished, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { KernelWatch, type TrafficReading, trafficBetween } from '../../src/load/fleet/kernel-traffic.ts';
import type { WorkerTraffic } from '../../src/load/fleet/messages.ts';
import type { SocketBytes } from '../../src/load/player/player-sockets.ts';
import { micros } from '../../src/units.ts';

/** By connection: what the load has counted, received and sent. */
type Open = Readonly<Record<string, readonly [bytesIn: number, bytesOut: number]>>;

interface Given {
  readonly at: number;
  readonly open: Open;
  /** Of those that have closed. */
  readonly closed?: readonly [number, number];
  /** What ss shows: by default just what the load has counted. */
  readonly shown?: Open;
  readonly load?: { readonly in: number; readonly out: number };
}

function reading({ at, open, closed = [0, 0], shown = open, load }: Given): TrafficReading {
  const sum = (way: 0 | 1): number =>
    Object.values(open).reduce((total, own) => total + own[way], closed[way]);
  return {
    ...{ at: at * 1e6, took: 5_000 },
    load: load ?? { in: sum(0), out: sum(1) },
    connections: [
      {
        open: Object.entries(open).map(([name, [bytesIn, bytesOut]]) => [name, bytesIn, bytesOut]),
        closed: { in: closed[0], out: closed[1] },
      },
    ],
    counters: new Map(Object.entries(shown).map(([name, [received, out]]) => [name, { in: received, out }])),
  };
}

test('what stays open is compared, and what was there before the first reading is no part of it', () => {
  const first = reading({ at: 1, open: { a: [1_000, 10], b: [2_000, 20] } });
  const last = reading({ at: 11, open: { a: [1_500, 40], b: [2_100, 21] } });
  const same = { in: 600, out: 31 };
  expect(trafficBetween(first, last)).toEqual({
    ...{ seconds: 10, kernel: same, load: same, unseen: { in: 0, out: 0 } },
  });
});

test('what the load counts too often is told by the kernel', () => {
  const first = reading({ at: 1, open: { a: [1_000, 10] } });
  const last = reading({ at: 11, open: { a: [1_500, 40] }, load: { in: 2_000, out: 70 } });
  expect(trafficBetween(first, last)).toMatchObject({
    ...{ kernel: { in: 500, out: 30 }, load: { in: 1_000, out: 60 }, unseen: { in: 0, out: 0 } },
  });
});

test('connections that are opened count from the first byte; of those that close, since the first reading, as unseen', () => {
  const first = reading({ at: 0, open: { stays: [100, 10], goes: [5_000, 500] }, closed: [70, 7] });
  const last = reading({
    ...{ at: 10, open: { stays: [300, 30], new: [40, 4] } },
    // `goes` received 60 more, and another was opened and closed that received 9.
    closed: [70 + 5_060 + 9, 7 + 506 + 1],
  });
  expect(trafficBetween(first, last)).toEqual({
    seconds: 10,
    kernel: { in: 240, out: 24 },
    load: { in: 309, out: 31 },
    unseen: { in: 69, out: 7 },
  });
});

test('a connection that ss does not show is unseen', () => {
  const first = reading({ at: 0, open: { a: [100, 10], b: [100, 10] } });
  const last = reading({ at: 1, open: { a: [300, 30], b: [400, 40] }, shown: { a: [300, 30] } });
  expect(trafficBetween(first, last)).toMatchObject({ kernel: { in: 200 }, unseen: { in: 300, out: 30 } });
});

test('where nothing stays open, all of it is unseen', () => {
  const first = reading({ at: 0, open: { a: [100, 10] } });
  const last = reading({ at: 1, open: {}, closed: [200, 20] });
  expect(trafficBetween(first, last)).toEqual({
    ...{ seconds: 1, kernel: { in: 0, out: 0 } },
    ...{ load: { in: 100, out: 10 }, unseen: { in: 100, out: 10 } },
  });
});

type Counters = () => Promise<ReadonlyMap<string, SocketBytes>>;

/**
 * A load that has counted as many bytes as it was asked, times 10; and, unless it is given, a kernel that agrees. `from` and `to`:
 * milliseconds from now on.
 */
function watchOf(plan: { readonly from: number; readonly to: number }, counters?: Counters) {
  let asked = 0;
  const now = monotonic();
  const watch = new KernelWatch({
    ask: (each): Promise<WorkerTraffic[]> => {
      asked += 1;
      const load = { in: asked * 10, out: asked };
      const open = [['a', load.in, load.out] as const];
      return Promise.resolve([{ load, connections: each ? { open, closed: { in: 0, out: 0 } } : null }]);
    },
    counters: counters ?? (() => Promise.resolve(new Map([['a', { in: asked * 10 + 5, out: asked }]]))),
    from: micros(now + plan.from * 1e3),
    to: micros(now + plan.to * 1e3),
  });
  onTestFinished(() => watch.close());
  return { watch, asked: () => asked };
}

test('it asks where the measure phase begins and ends, and takes the middle of the counts around the kernel', async () => {
  const { watch, asked } = watchOf({ from: 0, to: 30 });
  await expect.poll(asked).toBe(4);
  expect(await watch.result()).toMatchObject({
    // 35 - 15, and the load's own from (10 + 20) / 2 to (30 + 40) / 2.
    ...{ kernel: { in: 20, out: 2 }, load: { in: 20, out: 2 } },
  });
  expect(asked()).toBe(4);
});

test('in between it asks every two seconds, and adds up', async () => {
  const { watch, asked } = watchOf({ from: 0, to: 60_000 });
  await expect.poll(asked, { timeout: 10_000 }).toBe(4);
  expect(await watch.result()).toMatchObject({ kernel: { in: 40, out: 4 }, load: { in: 40, out: 4 } });
  expect(asked()).toBe(6);
});

test('a phase that ends early is read then; one that is not reached has no reading', async () => {
  const early = watchOf({ from: 0, to: 60_000 });
  await expect.poll(early.asked).toBe(2);
  expect(await early.watch.result()).toMatchObject({ kernel: { in: 20, out: 2 } });
  const never = watchOf({ from: 60_000, to: 60_001 });
  expect(await never.watch.result()).toEqual({ because: 'the measure phase was not reached' });
  const closed = watchOf({ from: 0, to: 60_000 });
  await expect.poll(closed.asked).toBe(2);
  closed.watch.close();
  expect(await closed.watch.result()).toEqual({ because: 'the load was closed' });
  expect(closed.asked()).toBe(2);
});

test('a kernel that cannot be asked, or tells nothing, fails nothing', async () => {
  const missing = watchOf({ from: 0, to: 5 }, () => Promise.reject(new Error('ss is not installed')));
  await expect.poll(missing.asked).toBe(1);
  expect(await missing.watch.result()).toEqual({ because: 'ss is not installed' });
  for (const counted of [[], [['a', { in: 0, out: 0 }]]] as const) {
    const silent = watchOf({ from: 0, to: 5 }, () => Promise.resolve(new Map(counted)));
    await expect.poll(silent.asked).toBe(4);
    expect(await silent.watch.result()).toEqual({
      because: expect.stringMatching(/^ss shows no connection/),
    });
  }
});
