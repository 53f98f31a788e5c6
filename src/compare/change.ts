import { studentLimit, studentTails } from '../student.ts';

/** How trials of two versions were made: each version by itself, or in pairs of one of each, one right after the other. */
export type Design = 'separate' | 'paired';

/** The change of a metric from base to head, on the scale of natural logarithms: ln(head / base). */
export interface Change {
  readonly log: number;
  /** Of `log`. */
  readonly standardError: number;
  /** How much one trial, or one pair, differs from the next: the standard deviation behind the error. */
  readonly deviation: number;
  readonly degreesOfFreedom: number;
}

/** Sums of equal numbers differ by their rounding. */
const ROUNDING = 1e-12;
const unlessRounding = (value: number): number => (Math.abs(value) < ROUNDING ? 0 : value);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;

const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  return values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1);
};

/** Standard deviation of the values, in percent of their mean; null for fewer than two, and for a mean of 0. */
export function cvPercentOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (values.length < 2 || mean === 0) return null;
  return unlessRounding((100 * Math.sqrt(varianceOf(values))) / Math.abs(mean));
}

/**
 * The ratio of geometric means, by Welch's t of the logarithms where the arms are separate, else by the differences of the pairs:
 * what slowed both trials of a pair is not in them.
 *
 * @param base values above 0; where they are paired, `base[i]` belongs to `head[i]`
 * @returns null where one of the arms, or the number of pairs, is below 2: there is no interval
 */
export function changeOf(base: readonly number[], head: readonly number[], design: Design): Change | null {
  const [before, after] = [base.map(Math.log), head.map(Math.log)];
  if (design === 'paired') {
    if (before.length !== after.length) throw new Error('pairs of a base and a head are expected');
    if (before.length < 2) return null;
    const differences = after.map((value, i) => value - (before[i] ?? Number.NaN));
    const deviation = unlessRounding(Math.sqrt(varianceOf(differences)));
    return {
      ...{ log: unlessRounding(meanOf(differences)), deviation },
      standardError: deviation / Math.sqrt(differences.length),
      degreesOfFreedom: differences.length - 1,
    };
  }
  if (before.length < 2 || after.length < 2) return null;
  const [ofBase, ofHead] = [varianceOf(before), varianceOf(after)];
  const [b, h] = [ofBase / before.length, ofHead / after.length];
  const standardError = unlessRounding(Math.sqrt(b + h));
  return {
    ...{ log: unlessRounding(meanOf(after) - meanOf(before)), standardError },
    deviation: Math.sqrt((ofBase + ofHead) / 2),
    // Welch and Satterthwaite.
    degreesOfFreedom:
      standardError === 0
        ? before.length + after.length - 2
        : (b + h) ** 2 / (b ** 2 / (before.length - 1) + h ** 2 / (after.length - 1)),
  };
}

/** The two-sided p-value of "no change". */
export const tailsOf = ({ log, standardError, degreesOfFreedom }: Change): number =>
  standardError === 0 ? (log === 0 ? 1 : 0) : studentTails(Math.abs(log) / standardError, degreesOfFreedom);

/** Both ends of the interval that leaves out the true change with the probability `alpha`, as ln(head / base). */
export function intervalOf(
  { log, standardError, degreesOfFreedom }: Change,
  alpha: number,
): readonly [low: number, high: number] {
  const off = standardError === 0 ? 0 : studentLimit(alpha, degreesOfFreedom) * standardError;
  return [log - off, log + off];
}

/** The probability with which the smallest detectable change is detected. */
export const POWER = 0.8;

/**
 * The smallest change that such trials show with the probability POWER, as a distance on the scale of logarithms:
 * (t(alpha) + t(power)) standard errors, t of Student. It depends on the spread and the number of trials, and not on the change that
 * was observed.
 * @param alpha two-sided
 */
export const detectableOf = (
  { standardError, degreesOfFreedom }: Pick<Change, 'standardError' | 'degreesOfFreedom'>,
  alpha: number,
): number =>
  standardError === 0
    ? 0
    : (studentLimit(alpha, degreesOfFreedom) + studentLimit(2 * (1 - POWER), degreesOfFreedom)) *
      standardError;

const MOST_TRIALS = 1000;

/**
 * How many trials of each arm, or pairs, would show a change of `log` with the probability POWER, if they differ as these do.
 * @returns null where MOST_TRIALS would not
 */
export function trialsNeeded(
  { deviation }: Pick<Change, 'deviation'>,
  log: number,
  alpha: number,
  design: Design,
): number | null {
  const isEnough = (n: number): boolean => {
    const [standardError, degreesOfFreedom] =
      design === 'paired' ? [deviation / Math.sqrt(n), n - 1] : [deviation * Math.sqrt(2 / n), 2 * (n - 1)];
    return detectableOf({ standardError, degreesOfFreedom }, alpha) <= log;
  };
  if (!isEnough(MOST_TRIALS)) return null;
  let [few, enough] = [1, MOST_TRIALS];
  while (enough - few > 1) {
    const middle = Math.floor((few + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}

/** Percent that belong to ln(head / base). */
export const percentOf = (log: number): number => 100 * Math.expm1(log);
