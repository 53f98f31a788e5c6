import { expect, test } from 'vitest';
import { BEYOND_NOISE, driftOf, FEWEST_VALUES, truncationOf } from '../../src/judge/mser.ts';
import { random } from '../../src/rng.ts';

const RUNS = 600;

/** Means of five slices of a level that changes over the run (x from 0 to 1), with noise that hangs together. */
function series(
  seed: number,
  { values, noise, correlation }: Noise,
  level: (x: number) => number = () => 1,
): number[] {
  const uniform = random(seed, values, 1000 * noise, 100 * correlation);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  let error = normal();
  return Array.from({ length: values }, (_, i) => {
    let sum = 0;
    for (let slice = 0; slice < 5; slice++) {
      error = correlation * error + Math.sqrt(1 - correlation ** 2) * normal();
      sum += 100 * level((i + (slice + 0.5) / 5) / values) * (1 + noise * error);
    }
    return sum / 5;
  });
}

interface Noise {
  readonly values: number;
  /** Of one slice: its standard deviation over the level. */
  readonly noise: number;
  /** From one slice to the next. */
  readonly correlation: number;
}

/** The share of the runs in which the level changes by more than the limit, and by more than the noise. */
function found(noise: Noise, limitPercent: number, level?: (x: number) => number): number {
  let hits = 0;
  for (let seed = 0; seed < RUNS; seed++) {
    const drift = driftOf(series(seed, noise, level));
    if (drift === null) throw new Error('too few values');
    const { before, after, distance } = drift;
    const change = (100 * Math.abs(after - before)) / Math.min(after, before);
    if (change > limitPercent && distance > BEYOND_NOISE) hits += 1;
  }
  return hits / RUNS;
}

const NOISES: readonly Noise[] = [20, 60, 300].flatMap((values) =>
  [0, 0.5, 0.8].flatMap((correlation) => [0.05, 0.2].map((noise) => ({ values, noise, correlation }))),
);

test.each(NOISES)('a steady series is not called a drift: %o', (noise) => {
  // Throughput is the stricter of the two rules.
  expect(found(noise, 3)).toBeLessThan(0.01);
  expect(found(noise, 25)).toBeLessThan(0.01);
});

test.each([
  { values: 20, noise: 0.1, correlation: 0 },
  { values: 20, noise: 0.1, correlation: 0.5 },
  { values: 60, noise: 0.2, correlation: 0 },
  { values: 60, noise: 0.15, correlation: 0.5 },
  { values: 60, noise: 0.05, correlation: 0.8 },
  { values: 300, noise: 0.2, correlation: 0.8 },
])('a p95 that doubles over the run, or at a step in its second half, is found: %o', (noise) => {
  expect(found(noise, 25, (x) => 1 + x)).toBeGreaterThan(0.95);
  expect(found(noise, 25, (x) => (x < 0.55 ? 1 : 2))).toBeGreaterThan(0.95);
  expect(found(noise, 25, (x) => (x < 0.7 ? 1 : 2))).toBeGreaterThan(0.95);
});

test.each([
  { values: 20, noise: 0.02, correlation: 0 },
  { values: 20, noise: 0.01, correlation: 0.5 },
  { values: 60, noise: 0.04, correlation: 0 },
  { values: 300, noise: 0.04, correlation: 0.5 },
])('a throughput that sinks by a tenth is found: %o', (noise) => {
  expect(found(noise, 3, (x) => 1 - 0.1 * x)).toBeGreaterThan(0.95);
  expect(found(noise, 3, (x) => (x < 0.6 ? 1 : 0.9))).toBeGreaterThan(0.95);
});

test('a warm-up that reaches into the first tenth is let go', () => {
  for (const values of [20, 60, 300]) {
    expect(found({ values, noise: 0.1, correlation: 0 }, 25, (x) => (x < 0.1 ? 3 : 1))).toBe(0);
  }
});

test('why the truncation does not decide: noise leads it past the middle, a drift under noise does not', () => {
  const late = (noise: Noise, level?: (x: number) => number): number => {
    let hits = 0;
    for (let seed = 0; seed < RUNS; seed++) {
      if (truncationOf(series(seed, noise, level)) > noise.values / 2) hits += 1;
    }
    return hits / RUNS;
  };
  expect(late({ values: 20, noise: 0.1, correlation: 0 })).toBeGreaterThan(0.05);
  expect(late({ values: 300, noise: 0.25, correlation: 0 }, (x) => 1 + x)).toBeLessThan(0.5);
});

test('the truncation is where the level settles', () => {
  const settled = Array.from({ length: 40 }, (_, i) => (i < 6 ? 9 : 1 + (i % 2) / 10));
  expect(truncationOf(settled)).toBe(6);
  expect(truncationOf(settled.map(() => 1))).toBe(0);
});

test('without noise there is a drift or there is none; of a few values nothing is said', () => {
  const flat = Array.from({ length: 20 }, () => 0.1);
  expect(driftOf(flat)?.distance).toBe(0);
  expect(driftOf(flat.map((_, i) => 1 + i))?.distance).toBe(Number.POSITIVE_INFINITY);
  expect(driftOf(flat.slice(0, FEWEST_VALUES - 1))).toBeNull();
  expect(driftOf(flat.map(() => 0))?.distance).toBe(0);
});
