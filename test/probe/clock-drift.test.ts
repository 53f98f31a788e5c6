import { expect, test } from 'vitest';
import { openClockCheck } from '../../src/probe/clock-drift.ts';

/** A clock that stands still between two steps, and is read at a cost. */
function clocks() {
  const state = { wall: 1.7e12, monotonic: 5000, readingTakes: [0.001] };
  let readings = 0;
  return {
    state,
    wall: () => {
      state.monotonic += state.readingTakes[readings++ % state.readingTakes.length]!;
      return state.wall;
    },
    monotonic: () => state.monotonic,
  };
}

test.each([0, 120, -75])('a wall clock that was set by %i ms', (step) => {
  const { state, ...both } = clocks();
  const drift = openClockCheck(both);
  state.wall += 20_000 + step;
  state.monotonic += 20_000;
  expect(drift()).toBeCloseTo(step, 1);
});

test('what happens between the two readings is not drift', () => {
  const { state, ...both } = clocks();
  const drift = openClockCheck(both);
  state.readingTakes = [300, 250, 0.001, 400, 280];
  expect(Math.abs(drift())).toBeLessThan(700);
  state.monotonic = 5000;
  state.readingTakes = [0.001];
  expect(drift()).toBeCloseTo(0, 1);
});

test("the host's own clocks go together", () => {
  expect(Math.abs(openClockCheck()())).toBeLessThan(50);
});
