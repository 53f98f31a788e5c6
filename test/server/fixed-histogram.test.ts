import { expect, it } from 'vitest';
import { readMetricsPage } from '../../src/probe/metrics-page.ts';
import { bucketsOf } from '../../src/probe/server-page.ts';
import { FixedHistogram, geometricBounds } from '../../src/server/fixed-histogram.ts';

it('counts a value in the first bucket that holds it, and publishes cumulative counts', () => {
  const histogram = new FixedHistogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5]) histogram.record(value);
  histogram.record(6, 3);
  const page = readMetricsPage(histogram.render('x'), new Set(['x_bucket', 'x_sum', 'x_count']));
  expect(bucketsOf(page, 'x')).toEqual({
    bounds: [1, 2, 5, Number.POSITIVE_INFINITY],
    cumulative: [2, 4, 5, 8],
  });
  expect([page.samples.get('x_sum')?.[0]?.value, page.samples.get('x_count')?.[0]?.value]).toEqual([27.5, 8]);
});

it('makes bounds that grow by a factor and reach the last', () => {
  const bounds = geometricBounds(0.0001, 1.15, 30);
  expect(bounds[0]).toBe(0.0001);
  expect(bounds.at(-1)).toBeGreaterThanOrEqual(30);
  expect(bounds.at(-2)).toBeLessThan(30);
  expect(bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0))).toBe(true);
});
