import { expect, test } from 'vitest';
import { clockFacts, type Exchange, readingOf } from '../../../src/load/agent/clocks.ts';
import { random } from '../../../src/rng.ts';

/** A question at `asked`, that takes so long there and back, to a clock that is `offset` ahead. */
const exchange = (asked: number, there: number, back: number, offset: number): Exchange => ({
  asked,
  at: asked + there + offset,
  answered: asked + there + back,
});

test('the fastest exchange counts, whatever the others say', () => {
  const reading = readingOf([
    exchange(0, 9_000, 100, 5e9),
    exchange(20_000, 100, 140, 5e9),
    exchange(40_000, 200, 7_000, 5e9),
  ]);
  expect(reading).toEqual({ offset: 5e9 - 20, uncertainty: 120, roundTrip: 240 });
  expect(readingOf([])).toBeNull();
});

test('the true offset is never further away than the uncertainty', () => {
  const next = random(17);
  for (let round = 0; round < 2_000; round++) {
    const offset = (next() - 0.5) * 1e12;
    const exchanges = Array.from({ length: 20 }, (_, i) =>
      exchange(i * 1e6, 50 + 5_000 * next() ** 4, 50 + 5_000 * next() ** 4, offset),
    );
    const { offset: found, uncertainty, roundTrip } = readingOf(exchanges)!;
    expect(Math.abs(found - offset)).toBeLessThanOrEqual(uncertainty + 0.001);
    expect(roundTrip).toBe(Math.min(...exchanges.map(({ asked, answered }) => answered - asked)));
  }
});

test('the drift counts as uncertainty, since GO was translated once', () => {
  const before = { offset: 7_000, uncertainty: 50, roundTrip: 100 };
  const after = { offset: 4_000, uncertainty: 80, roundTrip: 160 };
  expect(clockFacts(before, after)).toEqual({
    ...{ clockOffsetMs: 7, driftMs: -3, roundTripMs: 0.16, clockUncertaintyMs: 3.08 },
  });
  expect(clockFacts(before, null)).toEqual({
    ...{ clockOffsetMs: 7, driftMs: null, roundTripMs: 0.1, clockUncertaintyMs: 0.05 },
  });
});
