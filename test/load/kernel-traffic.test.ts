import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { KernelWatch, type TrafficReading, trafficBetween } from '../../src/load/fleet/kernel-traffic.ts';
import type { WorkerTraffic } from '../../src/load/fleet/messages.ts';
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
    at: at * 1e6,
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

test('where the kernel tells nothing, it says why', () => {
  const open = { a: [100, 10] } as const;
  const first = reading({ at: 0, open, shown: { a: [0, 0] } });
  const grown = { a: [200, 20] } as const;
  const because = (last: Given) => trafficBetween(first, reading(last));
  expect(because({ at: 1, open: {}, closed: [200, 20] })).toMatchObject({
    because: expect.stringMatching(/no connection/),
  });
  expect(because({ at: 1, open: grown, shown: {} })).toMatchObject({
    because: expect.stringMatching(/none of the 1 connections/),
  });
  expect(because({ at: 1, open: grown, shown: { a: [0, 0] } })).toMatchObject({
    because: expect.stringMatching(/does not tell/),
  });
});

/** A load that has counted as many bytes as it was asked, times 10; and a kernel that agrees. */
function watchOf(plan: { readonly from: number; readonly to: number }, counters?: () => Promise<never>) {
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

test('a phase that ends early is read then; one that is not reached has no reading', async () => {
  const early = watchOf({ from: 0, to: 60_000 });
  await expect.poll(early.asked).toBe(2);
  early.watch.end();
  expect(await early.watch.result()).toMatchObject({ kernel: { in: 20, out: 2 } });
  const never = watchOf({ from: 60_000, to: 60_001 });
  never.watch.end();
  expect(await never.watch.result()).toEqual({ because: 'the measure phase was not reached' });
  const closed = watchOf({ from: 5, to: 10 });
  closed.watch.close();
  await sleep(30);
  expect(closed.asked()).toBe(0);
});

test('a kernel that cannot be asked fails nothing', async () => {
  const { watch } = watchOf({ from: 0, to: 5 }, () => Promise.reject(new Error('ss is not installed')));
  await sleep(20);
  expect(await watch.result()).toEqual({ because: 'ss is not installed' });
});
