import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOST_NOTHING, settled } from '../counts.ts';
import { installedK6 } from '../load/k6/installed.ts';
import { answeredIn, capbench, small } from './capbench.ts';

const QUICK = ['--duration', '1s', '--set', 'ceilings.secondsEach=0'];

test.skipIf(installedK6 === null)(
  '--engine k6: the same schedule and verdict as the native engine, with every row checked',
  { timeout: 120_000 },
  async () => {
    const env = { CAPBENCH_K6: installedK6?.path ?? '' };
    const k6 = capbench(['run', small, '--full', '--engine', 'k6', ...QUICK], { env });
    const { stdout } = await k6.ends(0, 99);
    const native = capbench(['run', small, ...QUICK]);
    await native.finished;

    expect(k6.measurements().scheduleHash).toBe(native.measurements().scheduleHash);
    const [report, other] = [k6.report(), native.report()];
    for (const name of ['intent', 'monsterCommand'] as const) {
      for (const scope of ['operations', 'wholeRun'] as const) {
        const { scheduled } = other.load[scope][name];
        expect(report.load[scope][name].scheduled).toBe(scheduled);
        expect(settled(report.load[scope][name])).toBe(scheduled);
      }
      expect(report.latency[name].due.count).toBeGreaterThan(0);
    }
    expect(report.load.peakCcu).toBe(60);
    expect(report.integrity).toMatchObject({ ...LOST_NOTHING, acked: answeredIn(report) });
    expect(report.rulings.map(({ id }) => id)).toEqual(other.rulings.map(({ id }) => id));

    // Figures that k6 lacks prevent a pass, and the others are reported.
    const rule = (id: string) => report.rules.find((one) => one.id === id);
    for (const id of ['generator-loop-delay', 'generator-stalled', 'generator-utilisation']) {
      expect(rule(id)).toMatchObject({ state: 'not-applicable', observed: expect.stringContaining('k6') });
    }
    expect(rule('generator-lag')?.state).toBe('held');
    expect(report.generator).toMatchObject({ engine: 'k6', workers: 1, clockMs: 1, maxLoopDelayMs: null });
    if (process.platform === 'linux') {
      expect(report.generator.cpuMicrosPerOperation).toBeGreaterThan(0);
      expect(report.generator.memoryBytesPerPlayer).toBeGreaterThan(0);
    }
    expect(stdout).toContain('k6, one process, whose clock has whole milliseconds');
    expect(readdirSync(k6.tmp)).toEqual([]);
    expect(k6.leftovers()).toEqual({ processes: [], files: [] });
  },
);
