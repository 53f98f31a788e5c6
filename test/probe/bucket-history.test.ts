import { expect, test } from 'vitest';
import { BucketHistory } from '../../src/probe/bucket-history.ts';
import { seconds } from '../../src/units.ts';

const bounds = [1, 2, Number.POSITIVE_INFINITY];

/** A reading a second, the first at 0 s. */
function historyOf(...readings: readonly (readonly number[])[]): BucketHistory {
  const history = new BucketHistory();
  for (const [second, cumulative] of readings.entries()) history.add(seconds(second), { bounds, cumulative });
  return history;
}
const whole = (history: BucketHistory) => history.between(seconds(0), seconds(1e6));

test('buckets hold what was counted between the first reading and the last', () => {
  const history = historyOf([1, 1, 1], [2, 4, 4], [2, 9, 12]);
  expect(whole(history)).toEqual({ bounds, counts: [1, 7, 3] });
  expect(history.between(seconds(1), seconds(2))?.counts).toEqual([0, 5, 3]);
  // Counts between two readings are shared out by time, as whole numbers with the same sum.
  expect(history.between(seconds(0.5), seconds(1.5))?.counts).toEqual([1, 3, 2]);
  expect(history.between(seconds(-5), seconds(0.5))?.counts).toEqual([1, 1, 0]);
});

test('the counts of a restarted server are added in full', () => {
  expect(whole(historyOf([5, 9, 10], [6, 12, 13], [1, 2, 3], [1, 3, 5]))?.counts).toEqual([2, 4, 2]);
  // One smaller bucket shows the restart, although the sum has grown.
  expect(whole(historyOf([5, 5, 5], [0, 20, 20]))?.counts).toEqual([0, 20, 0]);
});

test('a single reading has no span', () => {
  expect(whole(historyOf())).toBeNull();
  expect(whole(historyOf([1, 2, 3]))).toBeNull();
});

test.each([599, 600, 601, 1199, 1200, 5000, 86_400])(
  'after %s readings no count is lost, and few readings are kept',
  (n) => {
    const history = new BucketHistory();
    for (let second = 0; second <= n; second++) {
      // The server is restarted every hour.
      const count = second % 3600;
      history.add(seconds(second), { bounds, cumulative: [0, count, count] });
    }
    const restarts = Math.floor(n / 3600);
    expect(whole(history)?.counts).toEqual([0, n - restarts, 0]);
    const [from, to] = [n / 3, (2 * n) / 3];
    const spacing = 2 ** Math.ceil(Math.log2(Math.max(1, n / 600)));
    const between = history.between(seconds(from), seconds(to))?.counts[1] ?? 0;
    expect(Math.abs(between - (to - from))).toBeLessThanOrEqual(spacing + restarts);
  },
);

test('in a long run the readings at the boundaries of the measure phase are kept', () => {
  const history = new BucketHistory();
  const boundaries = [7001, 7013];
  for (let second = 0; second <= 9000; second++) {
    // It counts only between the two boundaries.
    const count = 200 * Math.min(12, Math.max(0, second - 7001));
    history.add(seconds(second), { bounds, cumulative: [0, count, count] }, boundaries.includes(second));
  }
  expect(history.between(seconds(7001), seconds(7013))?.counts).toEqual([0, 2400, 0]);
});
