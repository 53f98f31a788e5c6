import { expect, test } from 'vitest';
import { LOST_NOTHING } from '../counts.ts';
import { capbench, small } from '../e2e/capbench.ts';

const newer = process.env.CAPBENCH_NEWER_NODE;

test.skipIf(newer === undefined)('the same tests pass on a newer Node', { timeout: 120_000 }, async () => {
  const run = capbench(['run', small, '--duration', '1s'], { node: newer ?? '', asShipped: true });
  await run.ends(0, 99);
  expect(run.report().host.nodeMajor).toBeGreaterThan(20);
  expect(run.report().integrity).toMatchObject(LOST_NOTHING);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
