import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { monotonic } from '../../../src/clock.ts';
import { openWorldProbe } from '../../../src/systems/flux/probe.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

test('the count of batches includes those from before a restart of the world server', async () => {
  let batches = 0;
  const server = createServer((_, response) => {
    response.end(
      `capbench_world_batches_total{reason="time"} ${batches}\n` +
        ['batch_operations', 'flush_seconds', 'response_seconds']
          .map(
            (name) =>
              `capbench_world_${name}_bucket{le="0.000115"} 0\ncapbench_world_${name}_bucket{le="+Inf"} ${batches}\n`,
          )
          .join(''),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const probe = openWorldProbe({ url, pid: null }, 1);
  const from = monotonic();
  for (const now of [100, 140, 25, 30]) {
    batches = now;
    await probe.sample();
  }
  // The page is in seconds, the measurements are in milliseconds.
  expect(probe.buckets?.(from, monotonic()).flushMs).toMatchObject({
    bounds: [0.115, Number.POSITIVE_INFINITY],
    counts: [0, 40 + 25 + 5],
  });
  expect(probe.buckets?.(from, from).flushMs).toBeNull();
});
