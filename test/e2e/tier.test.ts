import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';
import { capbench, small } from './capbench.ts';
import { AS_TINY, canBind, tinyTier } from './tiny-tier.ts';

describe.skipIf(!canBind)('a stack that runs as a smaller machine', () => {
  test('is confined to its cores, with heaps and buffers that fit it, and every format says so', {
    timeout: 120_000,
  }, async () => {
    const set = ['--set', 'world.heap=2GB', '--set', 'postgres.settings.shared_buffers=1GB'];
    const run = capbench(['run', small, ...tinyTier(), ...set]);
    // On a busy machine a second CPU may be missed; memory of more than the box has is a breach.
    const { stdout } = await run.ends(0, 99, 90);
    const report = run.report();
    expect(report.tier).toEqual({
      ...{ id: 'tiny', cpus: 1, kind: 'shared', baselinePercent: null, memoryBytes: 2 ** 30 },
    });
    const { applied, documented } = report.stack;
    expect(applied.stackLimits).toMatch(/^1 CPU by affinity, /);
    expect([documented.worldHeap, applied.worldHeap]).toEqual(['2048MB', '182MB']);
    expect([documented.shared_buffers, applied.shared_buffers]).toEqual(['1GB', '192MB']);
    expect(report.limits?.stack?.cpus).toBe(1);
    // One CPU is never used more than once.
    expect(report.limits?.stack?.cpuPercent.mean).toBeLessThan(105);
    expect(report.rulings.find(({ id }) => id === 'box-memory')).toMatchObject({
      state: expect.stringMatching(/^(met|breached)$/),
    });
    expect(report.headline).toContain(AS_TINY);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(AS_TINY);
    expect(run.read('summary.md')).toContain(AS_TINY);
    expect(run.read('report.html')).toContain(AS_TINY.replace("'", '&#39;'));
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
    // Judged again, it is still the number of that machine.
    const again = memoryHost(['report', join(run.out, 'latest'), '--json', '--no-charts']);
    await main(again);
    expect(JSON.parse(again.out()).headline).toContain(AS_TINY);
  });
});
