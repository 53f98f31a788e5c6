/** What was measured, and the values of the basis functions where it was. */
export interface Observation {
  readonly basis: readonly number[];
  readonly y: number;
  readonly weight: number;
}

/** The coefficients of the basis functions, and the inverse of the normal matrix, which says how well they are known. */
export interface Fit {
  readonly coefficients: readonly number[];
  readonly inverse: readonly (readonly number[])[];
}

/** A pivot below this share of the largest entry is zero but for rounding. */
const SMALLEST_PIVOT = 1e-12;

/** Linear least squares with weights, by the normal equations: few coefficients. Null where the observations do not determine them. */
export function leastSquares(observations: readonly Observation[]): Fit | null {
  const size = observations[0]?.basis.length ?? 0;
  if (size === 0 || observations.length < size) return null;
  // Each column is scaled to a length of one, so that what counts as zero does not depend on units.
  const lengths = Array.from({ length: size }, (_, i) =>
    Math.sqrt(observations.reduce((sum, { basis, weight }) => sum + weight * (basis[i] ?? 0) ** 2, 0)),
  );
  if (lengths.some((length) => length === 0)) return null;
  const scaled = observations.map(({ basis, y, weight }) => ({
    ...{ y, weight },
    basis: basis.map((value, i) => value / (lengths[i] ?? 1)),
  }));
  const sum = (of: (one: Observation) => number): number =>
    scaled.reduce((total, one) => total + one.weight * of(one), 0);
  const matrix = lengths.map((_, i) =>
    lengths.map((_, j) => sum(({ basis }) => (basis[i] ?? 0) * (basis[j] ?? 0))),
  );
  const inverse = inverseOf(matrix);
  if (inverse === null) return null;
  const right = lengths.map((_, i) => sum(({ basis, y }) => (basis[i] ?? 0) * y));
  const unscaled = inverse.map((row, i) =>
    row.map((value, j) => value / ((lengths[i] ?? 1) * (lengths[j] ?? 1))),
  );
  return {
    coefficients: inverse.map(
      (row, i) => row.reduce((total, value, j) => total + value * (right[j] ?? 0), 0) / (lengths[i] ?? 1),
    ),
    inverse: unscaled,
  };
}

/** Gauss-Jordan elimination with pivots. Null for a singular matrix. */
function inverseOf(matrix: readonly (readonly number[])[]): number[][] | null {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const below = rows.slice(column).map((row) => Math.abs(row[column] ?? 0));
    const largest = Math.max(...below);
    if (!(largest > SMALLEST_PIVOT)) return null;
    const at = column + below.indexOf(largest);
    const pivot = rows[at] ?? [];
    rows[at] = rows[column] ?? [];
    const factor = pivot[column] ?? 1;
    const reduced = pivot.map((value) => value / factor);
    rows[column] = reduced;
    for (const [i, row] of rows.entries()) {
      const times = row[column] ?? 0;
      if (i !== column && times !== 0) rows[i] = row.map((value, j) => value - times * (reduced[j] ?? 0));
    }
  }
  return rows.map((row) => row.slice(size));
}

/** The variance of the fitted value, of the variance of an observation of weight 1: b' (X'WX)^-1 b. */
export const leverage = ({ inverse }: Fit, basis: readonly number[]): number =>
  basis.reduce(
    (sum, one, i) => sum + basis.reduce((inner, other, j) => inner + one * (inverse[i]?.[j] ?? 0) * other, 0),
    0,
  );
