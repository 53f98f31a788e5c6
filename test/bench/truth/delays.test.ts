import { expect, test } from 'vitest';
import { type DelayModel, MODELS } from './delays.ts';

/** Share of the requests, in thousandths, at which a quantile is compared; none where a law jumps. */
const SHARES = [0.1, 0.5, 0.85, 0.91, 0.95, 0.99];

/** Delays of requests that arrive at random at so many a second; three significant numbers of each model. */
function simulate(model: DelayModel, requests: number, rate: number): number[] {
  const delays: number[] = [];
  // Irregular and the same in every run: multiples of the square root of 2 within intervals of 1/rate.
  for (let i = 0; i < requests; i++) {
    const arrived = ((i + ((i * Math.SQRT2) % 1)) / rate) * 1e6;
    delays.push(model.delay(arrived));
  }
  return delays.sort((a, b) => a - b);
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;

for (const [name, make] of Object.entries(MODELS)) {
  test(`${name}: what is drawn has the quantiles that are claimed`, () => {
    for (const seed of [1, 2, 3]) {
      const sorted = simulate(make(seed), 20_000, 1000);
      for (const share of SHARES) {
        const claimed = make(seed).quantile(share);
        // A quarter of the limits that a tool is judged by, so that the law's own noise decides nothing.
        expect(Math.abs(quantile(sorted, share) - claimed)).toBeLessThan(Math.max(150, 0.005 * claimed));
      }
    }
  });

  test(`${name}: the same seed draws the same, and nothing negative`, () => {
    const [a, b] = [make(5), make(5)];
    const delays = Array.from({ length: 1000 }, (_, i) => a.delay(i * 1000));
    expect(Array.from({ length: 1000 }, (_, i) => b.delay(i * 1000))).toEqual(delays);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(delays.every(Number.isFinite)).toBe(true);
  });
}

test('the true percentiles equal those computed by hand', () => {
  const of = (name: string, shares: readonly number[]) =>
    shares.map((share) => Math.round(MODELS[name]!(1).quantile(share)));
  expect(of('constant', [0.5, 0.99])).toEqual([5000, 5000]);
  expect(of('bimodal', [0.5, 0.9, 0.95, 0.99])).toEqual([2000, 2000, 50_000, 50_000]);
  // A tenth of the time stands still: 100 ms at its middle, 180 ms at 9/10 of it.
  expect(of('stall', [0.5, 0.9, 0.95, 0.99])).toEqual([0, 0, 100_000, 180_000]);
  // P[delay > t] = (3 ms / t)^2.
  expect(of('tail', [0.75, 0.99])).toEqual([6000, 30_000]);
});

test('a stall delays what arrives in it until its end, and nothing else', () => {
  const stall = MODELS.stall!(1);
  expect([0, 1, 199_999, 200_000, 1_999_999, 2_000_000].map((at) => stall.delay(at))).toEqual([
    200_000, 199_999, 1, 0, 0, 200_000,
  ]);
});
