import type { Point } from './line.ts';

/** A share that grows by less may be noise. */
const NOISE = 1.25;
/** Loads that are nearer to each other say nothing of growth. */
const APART = 1.5;

/**
 * By which factor the share of one player in a cost grows with the number of players: the largest of all pairs of loads. Null
 * where it does not, as where each player costs the same, or shares a base with the others. It does where everybody hears
 * everybody: then a line through the cost says too little beyond what was measured.
 */
export function growthOf(points: readonly Point[]): number | null {
  const byLoad = new Map<number, number[]>();
  for (const [x, y] of points) if (x > 0 && y > 0) byLoad.set(x, [...(byLoad.get(x) ?? []), y / x]);
  const shares = [...byLoad].map(
    ([x, all]) => [x, all.reduce((sum, one) => sum + one, 0) / all.length] as const,
  );
  const growths = shares.flatMap(([x, share]) =>
    shares.flatMap(([other, larger]) => (other >= APART * x ? [larger / share] : [])),
  );
  const most = Math.max(0, ...growths);
  return most > NOISE ? most : null;
}
