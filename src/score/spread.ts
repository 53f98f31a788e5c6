/** The quantile of at least one value, interpolated between its neighbours. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below = Number.NaN, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** The median of repetitions, and the half-width of their middle 80% as a share of it. */
export function summaryOf(values: readonly number[]): { readonly value: number; readonly spread: number } {
  const value = quantileOf(values, 0.5);
  return { value, spread: (quantileOf(values, 0.9) - quantileOf(values, 0.1)) / 2 / value };
}
