import { expect, test } from 'vitest';
import { WakeHeap } from '../../src/load/wake-heap.ts';
import { random } from '../../src/rng.ts';

test('returns ids in the order of their keys', () => {
  const next = random(1);
  const heap = new WakeHeap(100);
  expect(heap.topKey).toBe(Number.POSITIVE_INFINITY);
  const left = new Map<number, number>();
  for (let id = 0; id < 100; id++) {
    heap.push(id, Math.floor(next() * 1000));
    left.set(id, 5);
  }
  let last = 0;
  let woken = 0;
  while (heap.size > 0) {
    const { topKey, topId } = heap;
    expect(topKey).toBeGreaterThanOrEqual(last);
    last = topKey;
    woken += 1;
    const turns = (left.get(topId) ?? 0) - 1;
    left.set(topId, turns);
    heap.replaceTop(turns === 0 ? Number.POSITIVE_INFINITY : topKey + Math.floor(next() * 500));
  }
  expect(woken).toBe(500);
  expect([...left.values()].every((turns) => turns === 0)).toBe(true);
});
