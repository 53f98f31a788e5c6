import { expect, test } from 'vitest';
import type { Measurements } from '../../../src/measurement/measurements.ts';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import { scenarioOf } from '../../fixtures/recorded-run.ts';
import { counter, recorded, ruleOf, verdictOf, without, withSeries } from '../measured.ts';

/** Steal of a second and a half in one of the seconds of the measure phase. */
const stolenOnce = {
  kind: 'counter',
  points: Array.from({ length: 28 }, (_, second) => [second, second > 14 ? 0.5 : 0] as const),
} as const;

test.each<[string, Partial<Measurements>, Partial<typeof DEFAULT_RULES>]>([
  ['steal-mean', withSeries({ 'host.cpuStealSeconds': counter(0.06) }), { stealMeanPercent: 5 }],
  ['steal-max', withSeries({ 'host.cpuStealSeconds': stolenOnce }), { stealMaxPercent: 30 }],
  ['throttled', withSeries({ 'host.throttledPeriods': counter(1) }), { throttledPeriods: 100 }],
  ['memory-pressure', withSeries({ 'host.memoryFullSeconds': counter(0.02) }), { memoryPressurePercent: 5 }],
  [
    'cpu-pressure',
    { ...withSeries({ 'host.cpuSomeSeconds': counter(0.2) }), colocated: false },
    { cpuPressurePercent: 50 },
  ],
  ['foreign-cpu', withSeries({ 'host.foreignCpuSeconds': counter(0.5) }), { foreignCpuPercent: 50 }],
  ['canary', { canary: { beforeMs: 20, afterMs: 22 } }, { canaryDriftPercent: 20 }],
  ['canary', { canary: { beforeMs: 20, afterMs: 18 } }, { canaryDriftPercent: 20 }],
])('%s: no conclusion, unless the scenario relaxed it', (id, m, easier) => {
  const noisy = verdictOf(m);
  expect(noisy.rules.filter(({ state }) => state === 'broken').map((rule) => rule.id)).toEqual([id]);
  expect(noisy).toMatchObject({ outcome: 'invalid', exitCode: 90 });
  expect(noisy.invalidBecause[0]).toMatch(new RegExp(`^${id}: `));
  const relaxed = verdictOf(m, { rules: { ...DEFAULT_RULES, ...easier } });
  expect(relaxed.exitCode).toBe(0);
  expect(relaxed.notes.join()).toContain(`relaxed: ${id} `);
});

test('a scenario may leave the canary out, and the verdict says so; one that is missing otherwise is no conclusion', () => {
  const calibration = { ...scenarioOf().calibration, canary: false };
  const left = verdictOf({ canary: null }, { calibration });
  expect(left.exitCode).toBe(0);
  expect(ruleOf(left, 'canary')).toMatchObject({ state: 'not-applicable', observed: 'left out' });
  expect(left.notes).toEqual(['relaxed: canary left out (default 5%)']);
  expect(verdictOf({ canary: null }).exitCode).toBe(90);
});

test('what a platform does not report is not judged, and the report says so', () => {
  const elsewhere = verdictOf({
    ...without('host.'),
    canary: { beforeMs: 20, afterMs: 20 },
    host: { ...recorded.host, platform: 'darwin' },
  });
  for (const id of ['steal-mean', 'steal-max', 'throttled', 'memory-pressure', 'foreign-cpu']) {
    expect(ruleOf(elsewhere, id)).toMatchObject({
      state: 'not-applicable',
      observed: 'not reported on this platform',
    });
  }
});

test('on Linux what every kernel tells is missing when it is not there', () => {
  const verdict = verdictOf(without('host.'));
  for (const id of ['steal-mean', 'steal-max', 'foreign-cpu']) {
    expect(ruleOf(verdict, id).state, id).toBe('broken');
  }
});

test('what was not read is not blamed: neither on the hypervisor, nor as the cause of something else', () => {
  const verdict = verdictOf({ ...without('host.cpuSteal'), canary: { beforeMs: 20, afterMs: 40 } });
  const unread =
    'steal-max: no data (at most 10%): it was not read, or too seldom: let the run reach its end, and see its errors';
  expect(verdict.invalidBecause).toContain(unread);
  expect(verdict.invalidBecause.filter((reason) => reason.startsWith('canary: '))).toHaveLength(1);
  expect(verdict.invalidBecause.join()).not.toMatch(/hypervisor|; with it/);
  expect(verdict.bottleneck).not.toMatchObject({ resource: 'host' });
});

test('a busy neighbour is named, the busiest first', () => {
  const foreign = [
    { name: 'spin', pid: 4711, cpuSeconds: 19.5 },
    { name: 'backup', pid: 12, cpuSeconds: 1.25 },
  ];
  const busy = verdictOf({ ...withSeries({ 'host.foreignCpuSeconds': counter(1) }), foreign });
  expect(ruleOf(busy, 'foreign-cpu').observed).toBe(
    '50.0% of the host, of them spin (pid 4711) 19.5 s, backup (pid 12) 1.3 s',
  );
  expect(busy.bottleneck).toMatchObject({
    resource: 'host',
    evidence: expect.stringContaining('spin (pid 4711)'),
  });
});

test('noise is no excuse for lost data, and none is judged of a run that was never measured', () => {
  const integrity = recorded.integrity && { ...recorded.integrity, lost: 1 };
  const noise = withSeries({ 'host.foreignCpuSeconds': counter(1) });
  expect(verdictOf({ ...noise, integrity }).exitCode).toBe(92);
  const never = verdictOf({ ...noise, measured: null });
  expect(ruleOf(never, 'foreign-cpu').state).toBe('not-applicable');
});
