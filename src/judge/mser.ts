/** The drift of a series from its beginning to its end. */
export interface Drift {
  /** The number of values at the start that MSER leaves out, where its statistic is smallest. */
  readonly truncation: number;
  /** The mean of the first quarter after the truncated start, and of the last quarter. */
  readonly before: number;
  readonly after: number;
  /** |after - before| in standard errors of that difference, which take the correlation of the noise into account. */
  readonly distance: number;
}

/** With fewer values than this, correlated noise looks like a trend too often. */
export const FEWEST_VALUES = 15;
/** A longer distance is a drift, not noise. Found by simulation (test/judge/mser.test.ts). */
export const BEYOND_NOISE = 5;
/** The statistic falls towards the end of every series, so the last quarter is not a candidate. */
const LAST_CANDIDATE = 0.75;
/** At most this part of the series may be truncated at its start. */
const START = 1 / 8;

const sumOf = (z: readonly number[]): number => z.reduce((sum, value) => sum + value, 0);
const meanOf = (z: readonly number[]): number => sumOf(z) / z.length;

/**
 * MSER (White 1997): the d that makes sum_{i>d} (z_i - mean_d)^2 / (m-d)^2 smallest, with mean_d over what is
 * left after d. With means of five samples for z it is MSER-5.
 */
export function truncationOf(z: readonly number[]): number {
  const m = z.length;
  const last = Math.floor(LAST_CANDIDATE * m);
  const centre = meanOf(z);
  let [sum, squares, at, least] = [0, 0, 0, Number.POSITIVE_INFINITY];
  for (let d = m - 1; d >= 0; d--) {
    const value = (z[d] ?? 0) - centre;
    sum += value;
    squares += value * value;
    if (d > last) continue;
    const left = m - d;
    const statistic = Math.max(0, squares - (sum * sum) / left) / (left * left);
    if (statistic <= least) [at, least] = [d, statistic];
  }
  return at;
}

/**
 * Whether a series has settled. The usual criterion `d* > m/2` is not enough: white noise of 20 values exceeds it in
 * one run of eight, and a level that doubles under noise of 10% does not exceed it, because leaving values out costs
 * MSER more than the drift does. So MSER truncates the start, by an eighth at most, and then the first quarter of the
 * rest is compared with the last one. Null with fewer than fifteen values.
 */
export function driftOf(z: readonly number[]): Drift | null {
  const m = z.length;
  if (m < FEWEST_VALUES) return null;
  const truncation = truncationOf(z);
  const start = Math.min(truncation, Math.floor(START * m));
  const quarter = Math.floor(m / 4);
  const before = meanOf(z.slice(start, start + quarter));
  const after = meanOf(z.slice(m - quarter));
  return { truncation, before, after, distance: distanceOf(z.slice(start), after - before, quarter) };
}

/**
 * The difference of the means of two quarters over its standard error. The noise is the residual of a straight line or
 * of the best single step, whichever is smaller, because a drift must not count as noise. Where neighbouring values
 * have the correlation r, n of them say as much as n (1 - r) / (1 + r) independent ones.
 */
function distanceOf(z: readonly number[], difference: number, quarter: number): number {
  const squaresOf = (residuals: readonly number[]): number =>
    residuals.reduce((sum, one) => sum + one * one, 0);
  const [line, step] = [lineResiduals(z), stepResiduals(z)];
  const noise = squaresOf(step) < squaresOf(line) ? step : line;
  const variance = squaresOf(noise) / (z.length - 2);
  // A smaller variance comes from rounding.
  if (variance <= 1e-18 * meanOf(z) ** 2) return difference === 0 ? 0 : Number.POSITIVE_INFINITY;
  const r = correlationOf(noise);
  return Math.abs(difference) / Math.sqrt(((variance * (1 + r)) / (1 - r)) * (2 / quarter));
}

function lineResiduals(z: readonly number[]): number[] {
  const middle = (z.length - 1) / 2;
  const centre = meanOf(z);
  let [xy, xx] = [0, 0];
  for (const [i, value] of z.entries()) {
    xy += (i - middle) * (value - centre);
    xx += (i - middle) ** 2;
  }
  return z.map((value, i) => value - centre - (xy / xx) * (i - middle));
}

/** The residuals of the best step, which has at least two values on each side. */
function stepResiduals(z: readonly number[]): number[] {
  const centre = meanOf(z);
  let [sum, at, most] = [0, 2, Number.NEGATIVE_INFINITY];
  for (let i = 1; i <= z.length - 2; i++) {
    sum += (z[i - 1] ?? 0) - centre;
    const explained = (sum * sum) / i + (sum * sum) / (z.length - i);
    if (i >= 2 && explained > most) [at, most] = [i, explained];
  }
  const [before, after] = [meanOf(z.slice(0, at)), meanOf(z.slice(at))];
  return z.map((value, i) => value - (i < at ? before : after));
}

/** The correlation of neighbours, corrected for the bias of short series (Marriott and Pope 1954); from 0 to 0.95. */
function correlationOf(residuals: readonly number[]): number {
  let [products, squares] = [0, 0];
  for (const [i, one] of residuals.entries()) {
    products += i === 0 ? 0 : one * (residuals[i - 1] ?? 0);
    squares += one * one;
  }
  const raw = products / squares;
  return Math.min(0.95, Math.max(0, raw + (1 + 4 * raw) / residuals.length));
}
