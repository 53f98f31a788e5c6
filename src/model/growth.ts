import type { Point } from './line.ts';

/** Loads that are nearer to each other say nothing of growth. */
const APART = 1.5;
/** A reading is not better than this, however near to each other a few of them happen to be. */
const LEAST_DEVIATION = 0.05;
/** The share of a player that grows with a smaller power of their number grows by less than 15% when the number doubles. */
const LEAST_POWER = 0.2;

/**
 * By which factor the share of one player in a cost grows from the smallest load to the largest, as a power of the number of
 * players, by least squares on logarithms: y / x = c x^p. Null where p is not above 0.2 by two standard errors, as where each player
 * costs the same, or shares a base with the others. It is about 1 where everybody hears everybody: then a line through the cost
 * says too little beyond what was measured.
 */
export function growthOf(points: readonly Point[]): number | null {
  const logs = points.flatMap(([x, y]) => (x > 0 && y > 0 ? [[Math.log(x), Math.log(y / x)] as const] : []));
  const span = logs.length === 0 ? 0 : spanOf(logs.map(([x]) => x));
  if (span < Math.log(APART)) return null;
  const n = logs.length;
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / n;
  const squares = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const power = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const residuals = logs.reduce((sum, [x, y]) => sum + (y - meanY - power * (x - meanX)) ** 2, 0);
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(residuals / Math.max(1, n - 2)));
  return power - (2 * deviation) / Math.sqrt(squares) > LEAST_POWER ? Math.exp(power * span) : null;
}

const spanOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
