import { random } from '../../src/rng.ts';

/** Values around 0, of the standard normal distribution, the same for the same seed. */
export function normal(seed: number): () => number {
  const next = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Levels one after the other, with noise of a coefficient of variation in percent. */
export function steps(
  levels: readonly (readonly [runs: number, mean: number])[],
  cvPercent: number,
  seed = 1,
): number[] {
  const noise = normal(seed);
  return levels.flatMap(([runs, mean]) =>
    Array.from({ length: runs }, () => mean * (1 + (cvPercent / 100) * noise())),
  );
}
