import type { Random } from '../../src/rng.ts';

/** A whole number of 0 .. n-1. */
export const below = (next: Random, n: number): number => Math.floor(next() * n);

export function pick<T>(next: Random, list: readonly T[]): T {
  const picked = list[below(next, list.length)];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

export const chance = (next: Random, share: number): boolean => next() < share;
