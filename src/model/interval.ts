import { studentQuantile } from '../student.ts';

/** Of each interval that is stated. */
export const CONFIDENCE = 0.9;

/** Runs of one load differ by more than this, however near the few that there are happen to be to each other. */
const LEAST_DEVIATION = 0.01;

/** Root mean square. */
export const deviationOf = (residuals: readonly number[]): number =>
  Math.sqrt(residuals.reduce((sum, one) => sum + one ** 2, 0) / residuals.length);

/**
 * By which a prediction is multiplied and divided for its interval: exp(t s sqrt(1 + h)), t of Student.
 * @param residuals ln(measured / predicted) of what was measured, each predicted without it; at least two
 * @param uncertainty h: the variance of the fit there, of that of a single reading; 1/n for a mean
 */
export const intervalFactor = (residuals: readonly number[], uncertainty: number): number =>
  Math.exp(
    studentQuantile(CONFIDENCE, residuals.length - 1) *
      Math.max(LEAST_DEVIATION, deviationOf(residuals)) *
      Math.sqrt(1 + uncertainty),
  );

/** A figure where it was not measured, with the interval in which it is expected. */
export interface Forecast {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Why none is given. */
export interface Refused {
  readonly refused: string;
}

/** Nothing is predicted beyond this multiple of what was measured. */
export const FARTHEST = 2;
