/**
 * P[Bin(n, p) <= k], exact for any n. The largest term is computed by Loader's saddle-point expansion ("Fast and
 * Accurate Computation of Binomial Probabilities", 2000), and the others from it by their ratios, in falling order.
 */
export function binomialAtMost(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  return k <= n * p ? sumDown(k, n, p) : 1 - sumDown(n - k - 1, n, 1 - p);
}

/** P[Bin(n, p) <= k] for a k that is not above the mean: the terms fall from k downwards. */
function sumDown(k: number, n: number, p: number): number {
  let term = 1;
  let sum = 1;
  for (let i = k; i > 0; i--) {
    term *= (i * (1 - p)) / ((n - i + 1) * p);
    sum += term;
    if (term < sum * Number.EPSILON) break;
  }
  return Math.min(1, Math.exp(logTerm(k, n, p)) * sum);
}

/** log P[Bin(n, p) = k]. */
function logTerm(k: number, n: number, p: number): number {
  if (k === 0) return n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  const stirling = stirlingError(n) - stirlingError(k) - stirlingError(n - k);
  const deviances = deviance(k, n * p) + deviance(n - k, n * (1 - p));
  return stirling - deviances + 0.5 * Math.log(n / (2 * Math.PI * k * (n - k)));
}

/** log n! - log(sqrt(2 pi n) (n/e)^n): a series, and for a small n the definition. */
function stirlingError(n: number): number {
  if (n > 15) return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * n * n)) / (n * n)) / (n * n)) / n;
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  return Math.log(factorial) - 0.5 * Math.log(2 * Math.PI * n) - n * Math.log(n) + n;
}

/** x log(x/m) + m - x, without a loss of digits where x and m are close. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) > 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const v = (x - m) / (x + m);
  let sum = (x - m) * v;
  let power = 2 * x * v;
  for (let j = 1; j < 1000; j++) {
    power *= v * v;
    const next = sum + power / (2 * j + 1);
    if (next === sum) return next;
    sum = next;
  }
  return sum;
}
