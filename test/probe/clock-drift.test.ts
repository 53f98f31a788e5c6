import { expect, test } from 'vitest';
import { openClockCheck } from '../../src/clock.ts';

/** Two clocks without drift; after each reading of the wall clock, the next of `pauses` (ms) passes. */
function clocks(pauses: readonly number[]) {
  const state = { wall: 1.7e12, monotonic: 5000 };
  let looks = 0;
  const pass = (ms: number): void => {
    state.wall += ms;
    state.monotonic += ms;
  };
  return {
    state,
    pass,
    wall: () => {
      const now = state.wall;
      pass(pauses[looks++ % pauses.length]!);
      return now;
    },
    monotonic: () => state.monotonic,
  };
}

test.each([0, 120, -75])('a wall clock that was set by %i ms', (step) => {
  const { state, pass, ...both } = clocks([0.001]);
  const drift = openClockCheck(both);
  pass(20_000);
  state.wall += step;
  expect(drift()).toBeCloseTo(step, 1);
});

test('on a machine that slept, only the wall clock went on', () => {
  const { state, pass, ...both } = clocks([0.001]);
  const drift = openClockCheck(both);
  pass(1000);
  state.wall += 3_600_000;
  expect(drift()).toBeCloseTo(3_600_000, 1);
});

test('a pause between two readings is not drift', () => {
  const { state: _, pass, ...both } = clocks([0.001, 0.001, 0.001, 0.001, 0.001, 300, 250, 0.001, 400, 280]);
  const drift = openClockCheck(both);
  pass(20_000);
  expect(drift()).toBeCloseTo(0, 1);
});

test('the two clocks of this host do not drift apart', () => {
  expect(Math.abs(openClockCheck()())).toBeLessThan(50);
});
