import { expect, it } from 'vitest';
import { bucketsOf, parsePrometheus } from '../../src/probe/prometheus.ts';
import { FixedHistogram, geometricBounds } from '../../src/world/fixed-histogram.ts';

it('counts a value in the first bucket that holds it, and publishes cumulative counts', () => {
  const histogram = new FixedHistogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5]) histogram.record(value);
  histogram.record(6, 3);
  const metrics = parsePrometheus(histogram.render('x'));
  expect(bucketsOf(metrics, 'x')).toEqual({
    bounds: [1, 2, 5, Number.POSITIVE_INFINITY],
    cumulative: [2, 4, 5, 8],
  });
  expect(metrics.filter(({ name }) => name !== 'x_bucket').map(({ name, value }) => [name, value])).toEqual([
    ['x_sum', 27.5],
    ['x_count', 8],
  ]);
});

it('makes bounds that grow by a factor and reach the last', () => {
  const bounds = geometricBounds(0.1, 1.15, 30_000);
  expect(bounds[0]).toBe(0.1);
  expect(bounds.at(-1)).toBeGreaterThanOrEqual(30_000);
  expect(bounds.at(-2)).toBeLessThan(30_000);
  expect(bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0))).toBe(true);
});
