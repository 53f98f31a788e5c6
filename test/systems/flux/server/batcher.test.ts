import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { Batcher, type FlushReason } from '../../../../src/systems/flux/server/batcher.ts';

interface Flush {
  readonly operations: number;
  readonly reason: FlushReason;
  commit(): void;
}

/** A queue of arrival times, and flushes that commit when the test says so. */
function harness(limit: number, windowMillis: number) {
  const arrivals: number[] = [];
  const flushes: Flush[] = [];
  let started = (): void => undefined;
  const waiting = {
    get length() {
      return arrivals.length;
    },
    oldest: () => arrivals[0] ?? Number.POSITIVE_INFINITY,
  };
  const batcher = new Batcher(waiting, limit, windowMillis, (operations, reason) => {
    arrivals.splice(0, operations);
    return new Promise((commit) => {
      flushes.push({ operations, reason, commit });
      started();
    });
  });
  return {
    batcher,
    flushes,
    queue(operations: number, ageMillis = 0) {
      for (let i = 0; i < operations; i++) arrivals.push(performance.now() - ageMillis);
      batcher.queued();
    },
    nextFlush: () =>
      new Promise<void>((resolve) => {
        started = resolve;
      }),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const summary = (flushes: readonly Flush[]): (readonly [number, FlushReason])[] =>
  flushes.map(({ operations, reason }) => [operations, reason]);

describe('the batcher', () => {
  it('starts at the limit without waiting for the window', () => {
    const { queue, flushes } = harness(5, 60_000);
    queue(4);
    expect(flushes).toHaveLength(0);
    queue(3);
    expect(summary(flushes)).toEqual([[5, 'size']]);
  });

  it('starts at the end of the window with what has arrived', async () => {
    const { queue, flushes, nextFlush } = harness(5, 10);
    const started = performance.now();
    queue(2);
    expect(flushes).toHaveLength(0);
    await nextFlush();
    expect(summary(flushes)).toEqual([[2, 'time']]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(8); // timers count whole milliseconds
  });

  it('has one batch in flight, whatever arrives meanwhile', async () => {
    const { queue, flushes } = harness(5, 1);
    queue(5);
    queue(17);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(flushes).toHaveLength(1);
    for (let i = 0; i < 3; i++) {
      flushes[i]?.commit();
      await turn();
    }
    expect(summary(flushes)).toEqual(new Array(4).fill([5, 'size']));
  });

  it('starts at once with overdue operations when a commit took longer than the window', async () => {
    const { queue, flushes } = harness(5, 1_000);
    queue(5);
    queue(3, 1_001);
    flushes[0]?.commit();
    await turn();
    expect(summary(flushes)).toEqual([
      [5, 'size'],
      [3, 'time'],
    ]);
  });

  it('waits for the rest of the window after a commit', async () => {
    const { queue, flushes, nextFlush } = harness(5, 30);
    queue(5);
    queue(2);
    flushes[0]?.commit();
    await turn();
    expect(flushes).toHaveLength(1);
    await nextFlush();
    expect(summary(flushes).at(-1)).toEqual([2, 'time']);
  });

  it('drains batch after batch, without waiting, and then is idle', async () => {
    const { batcher, queue, flushes } = harness(5, 60_000);
    queue(4);
    let drained = false;
    const done = batcher.drain().then(() => {
      drained = true;
    });
    queue(8);
    for (let i = 0; i < 3; i++) {
      expect(drained).toBe(false);
      flushes[i]?.commit();
      await turn();
    }
    await done;
    expect(summary(flushes)).toEqual([
      [4, 'time'],
      [5, 'size'],
      [3, 'time'],
    ]);
    await batcher.drain();
    expect(flushes).toHaveLength(3);
  });
});
