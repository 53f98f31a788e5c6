/**
 * The two-sided quantile of Student's t: a value of `freedom` degrees of freedom is within +-t with the probability `share`.
 * Found by bisection of the distribution function, for which the integral of the density has a closed form at whole degrees
 * of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
 * @param share of 0 to 1, exclusive
 * @param freedom a whole number of at least 1
 */
export function studentQuantile(share: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (within(high, freedom) < share) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (within(middle, freedom) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P[-t <= T <= t]. */
function within(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= (cosine * cosine * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
