/**
 * Holm's step-down procedure (Holm 1979): which of several hypotheses are rejected so that the probability of rejecting any
 * true one is at most `alpha`, whatever their dependence.
 *
 * @param tails the p-value of each
 * @returns for each, the level at which it was tested: alpha / (m - i + 1) at its rank i, and for all that come after the first
 *   one that was not rejected the level of that one. A hypothesis is rejected exactly where its p-value is at most its level, so
 *   an interval of that level excludes "no change" exactly then.
 */
export function holmLevels(tails: readonly number[], alpha: number): readonly number[] {
  const order = tails.map((_, i) => i).toSorted((a, b) => (tails[a] ?? 1) - (tails[b] ?? 1));
  const levels = tails.map(() => alpha);
  let stoppedAt: number | null = null;
  for (const [rank, i] of order.entries()) {
    const level: number = stoppedAt ?? alpha / (tails.length - rank);
    levels[i] = level;
    if (stoppedAt === null && (tails[i] ?? 1) > level) stoppedAt = level;
  }
  return levels;
}
