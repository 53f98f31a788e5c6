/**
 * The probability of |T| > t, for Student's t: the regularised incomplete beta function of freedom / (freedom + t^2) at
 * freedom / 2 and 1/2 (Abramowitz and Stegun, 26.5.27). Exact far out, where 1 minus a probability would have no digits left.
 * @param freedom degrees of freedom: any number above 0, since Welch's are no whole number
 */
export function studentTails(t: number, freedom: number): number {
  if (t === 0) return 1;
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(freedom / (freedom + t * t), t ** 2 / (freedom + t * t), freedom / 2, 0.5);
}

/** Relative, of what is found by iteration. */
const PRECISION = 1e-14;

/** The t that |T| exceeds with the probability `tails`, of 0 to 1, exclusive: by bisection. */
export function studentLimit(tails: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentTails(high, freedom) > tails) high *= 2;
  while (high - low > PRECISION * high) {
    const middle = (low + high) / 2;
    if (studentTails(middle, freedom) > tails) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The two-sided quantile of Student's t: a value of `freedom` degrees of freedom is within +-t with the probability `share`.
 * @param share of 0 to 1, exclusive
 */
export const studentQuantile = (share: number, freedom: number): number => studentLimit(1 - share, freedom);

/** I_x(a, b), and `rest` = 1 - x, which is not computed from x because x may be next to 1. */
function incompleteBeta(x: number, rest: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const factor = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest));
  // The fraction converges fast on this side; on the other the function is 1 minus its mirror image.
  return x < (a + 1) / (a + b + 2)
    ? (factor * betaFraction(x, a, b)) / a
    : 1 - (factor * betaFraction(rest, b, a)) / b;
}

const MOST_TERMS = 1000;
/** Instead of 0 in a denominator. */
const TINY = 1e-300;

/** The continued fraction of the incomplete beta function (Abramowitz and Stegun, 26.5.8), by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let above = 1;
  let below = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let value = below;
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let step = 1;
    for (const term of [even, odd]) {
      below = 1 / nonZero(1 + term * below);
      above = nonZero(1 + term / above);
      step = above * below;
      value *= step;
    }
    if (Math.abs(step - 1) < PRECISION) break;
  }
  return value;
}

/** The coefficients of Lanczos's approximation, for g = 7 and nine terms. */
const LANCZOS = [
  ...[0.999_999_999_999_809_9, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1],
  ...[-176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12],
  ...[9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7],
];

/** ln of the gamma function of a value from 0.5 on. */
function logGamma(value: number): number {
  const [first = 1, ...others] = LANCZOS;
  const at = value - 1;
  const sum = others.reduce((total, coefficient, i) => total + coefficient / (at + i + 1), first);
  const base = at + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (at + 0.5) * Math.log(base) - base + Math.log(sum);
}
