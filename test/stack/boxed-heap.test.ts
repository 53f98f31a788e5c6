import { expect, test } from 'vitest';
import { boxedHeap } from '../../src/stack/boxed-heap.ts';

const scenario = (heap: number, memory?: number) => ({
  world: { servers: 1, heap },
  ...(memory === undefined ? {} : { limits: { stack: { memory } } }),
});
const named = (...names: readonly string[]) => names.map((name) => ({ name }));
const all = named('postgres', 'redis', 'world-1', 'world-2', 'edge');

test('without a limit of the whole stack, or where it fits, the documented heap stays', () => {
  expect(boxedHeap(scenario(64_000), all)).toBeNull();
  expect(boxedHeap({ ...scenario(64_000), limits: { stack: { cpus: 1 } } }, all)).toBeNull();
  expect(boxedHeap(scenario(512, 8192), all)).toBeNull();
  // The user's own server.
  expect(boxedHeap(scenario(3072, 512), named('server'))).toBeNull();
});

test.each([512, 1024, 3686, 16_384])(
  'the heaps of all servers fit into %d MB beside the others',
  (memory) => {
    const { heap = 0 } = boxedHeap(scenario(64_000, memory), all) ?? {};
    // PostgreSQL 40%, Redis 15%, the proxy 5%.
    expect(2 * (heap + 48)).toBeLessThanOrEqual(0.4 * memory);
    expect(2 * (heap + 49)).toBeGreaterThan(0.4 * memory);
  },
);

test('what is said of it names what the others may need', () => {
  expect(boxedHeap(scenario(4096, 1000), named('postgres', 'world-1'))).toEqual({
    heap: 552,
    because: 'the stack has 1000MB of memory, of which postgres may need 40%; the server has the rest',
  });
  expect(boxedHeap(scenario(4096, 1000), named('world-1', 'world-2'))?.because).toBe(
    'the stack has 1000MB of memory; each of 2 servers has its share of the rest',
  );
});

test('a heap with which no server starts is not asked for: then the memory does not suffice, which the run shows', () => {
  expect(boxedHeap(scenario(128, 64), all)?.heap).toBe(32);
});
