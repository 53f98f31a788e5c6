import { expect, test } from 'vitest';
import { openPublishedCounts } from '../../src/probe/published-counts.ts';

const sample = (value: number) => [{ series: 'postgres.rowsUpdated', kind: 'counter' as const, value }];

/** What a session that writes 200 rows a second has published at a time in ms: its count of the last flush. */
const publishedBy = (at: number, offset: number, everyMs: number): number => {
  const flushed = offset + Math.floor((at - offset) / everyMs) * everyMs;
  return Math.max(0, Math.floor(flushed / 5));
};

test.each([0, 137, 420, 640, 995])(
  'the growth of a session that publishes once a second from %i ms on is right to 1%',
  (offset) => {
    const even = openPublishedCounts();
    let [first, last, plainFirst, plainLast] = [0, 0, 0, 0];
    for (let at = 0; at <= 25_000; at += 125) {
      const value = publishedBy(at, offset, 1_025);
      const [evened] = even(at, sample(value));
      if (at === 5_000) [first, plainFirst] = [evened!.value, value];
      if (at === 25_000) [last, plainLast] = [evened!.value, value];
    }
    const true20s = 4_000;
    expect(Math.abs(last - first - true20s)).toBeLessThan(0.01 * true20s);
    // A single reading may be wrong by what a second has.
    expect(Math.abs(plainLast - plainFirst - true20s)).toBeLessThanOrEqual(250);
  },
);

test('once nothing is written it is the count itself, and a count that begins again does not fall twice', () => {
  const even = openPublishedCounts();
  for (const at of [0, 200, 400]) even(at, sample(100 + at));
  expect(even(600, sample(700))[0]!.value).toBeCloseTo((100 + 300 + 500 + 700) / 4, 9);
  expect(even(1_700, sample(700))[0]!.value).toBe(700);
  expect(even(1_800, sample(3))[0]!.value).toBe(3);
  expect(even(1_900, sample(5))[0]!.value).toBe(4);
});
