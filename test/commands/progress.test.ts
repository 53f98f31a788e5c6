import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openProgress } from '../../src/commands/progress.ts';
import { EMPTY_HISTOGRAM } from '../../src/histogram.ts';
import type { LoadSecond } from '../../src/load/engine.ts';
import { expectedLength } from '../../src/run/expected-length.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { workloadOf } from '../../src/scenario/workload.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { seconds } from '../../src/units.ts';
import { scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const operation = {
  ...{ scheduled: 900, ok: 900, rejected: 0, failed: 0, failedUnsent: 0, timedOut: 0, skipped: 0 },
  ...{ inFlight: 0, due: EMPTY_HISTOGRAM },
};
const second = {
  connected: 1000,
  operations: { intent: operation, monsterCommand: operation },
} as unknown as LoadSecond;

test('without a terminal, it prints a line every 10 s with the elapsed and the expected time', () => {
  const host = memoryHost([]);
  const progress = openProgress(host, false);
  progress.expect(70);
  progress.phase('connect');
  progress.connecting(400);
  vi.advanceTimersByTime(9_900);
  expect(host.err()).toBe('');
  vi.advanceTimersByTime(200);
  progress.phase('measure');
  progress.second(second);
  vi.advanceTimersByTime(10_000);
  progress.end();
  vi.advanceTimersByTime(60_000);
  expect(host.err().split('\n')).toEqual([
    expect.stringMatching(/^connect +\d+ s of about 70 s {2}400 players$/),
    expect.stringMatching(/^measure +\d+ s of about 70 s {2}1,000 players {2}1,800 operations\/s$/),
    '',
  ]);
});

test('--quiet prints nothing', () => {
  const host = memoryHost([]);
  const progress = openProgress(host, true);
  vi.advanceTimersByTime(60_000);
  progress.end();
  expect(host.err()).toBe('');
});

const lengthOf = (s: Scenario, stack: 'local' | 'target'): number =>
  expectedLength(s, workloadOf(s, fluxScenario), 'native', stack);

test('the expected time is the sum of the phases', () => {
  const { load, calibration, ceilings } = scenarioOf();
  const s = scenarioOf({
    load: {
      ...load,
      players: 1000,
      connectsPerSecond: 100,
      ramp: seconds(1),
      warmUp: seconds(2),
      duration: seconds(20),
    },
    calibration: { ...calibration, seconds: 0 },
    ceilings: { ...ceilings, secondsEach: 0 },
  });
  const target = lengthOf(s, 'target');
  expect(target - 33).toBeGreaterThanOrEqual(0);
  expect(target - 33).toBeLessThanOrEqual(10);
  expect(lengthOf(s, 'local')).toBeGreaterThan(target);
  expect(lengthOf({ ...s, ceilings: { ...ceilings, secondsEach: 2 } }, 'local')).toBe(
    lengthOf(s, 'local') + 6,
  );
  expect(lengthOf({ ...s, calibration: { ...calibration, seconds: 5 } }, 'target')).toBeGreaterThan(
    target + 5,
  );
});
