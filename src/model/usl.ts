import { FARTHEST, type Forecast, intervalFactor, type Refused } from './interval.ts';
import { type Fit, leastSquares, leverage, type Observation } from './least-squares.ts';
import type { Point } from './line.ts';

/**
 * How throughput grows with the number of servers: Gunther's universal scalability law,
 * X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).
 */
export interface Scaling {
  /** What one server does. */
  readonly lambda: number;
  /** Contention: the share of the work for which servers wait for each other. */
  readonly sigma: number;
  /** Coherence: the cost of each pair of servers that has to agree. */
  readonly kappa: number;
  /** The number of servers beyond which more of them do less; null: it was not found, since nothing falls. */
  readonly most: number | null;
  /** The smallest and the largest number of servers that were measured. */
  readonly from: number;
  readonly to: number;
  /** ln(measured / predicted) of each number, predicted from the others. */
  readonly residuals: readonly number[];
  /** Of all three terms, also where one of them is zero: it was not known to be zero before. */
  readonly fit: Fit;
}

/** There are three coefficients, and one number more can contradict them. */
const FEWEST = 4;

/** N/X = (1 + sigma (N - 1) + kappa N (N - 1)) / lambda, which is linear in these. */
const BASES: readonly ((n: number) => number)[] = [() => 1, (n) => n - 1, (n) => n * (n - 1)];

type Law = Pick<Scaling, 'lambda' | 'sigma' | 'kappa'>;

/**
 * Least squares on N/X, weighted, since the error of a reading grows with it. Neither contention nor coherence is below zero: the
 * best fit among those without one of them, or without both, takes the place of one that says so.
 * @param points servers, and what all of them did together
 * @returns in words, why there is none
 */
export function scalingOf(points: readonly Point[]): Scaling | { readonly because: string } {
  const usable = points.filter(([n, x]) => Number.isInteger(n) && n > 0 && x > 0);
  const numbers = [...new Set(usable.map(([n]) => n))].toSorted((one, other) => one - other);
  if (numbers.length < FEWEST)
    return {
      because: `${numbers.length} different numbers of servers were measured, and this needs ${FEWEST}`,
    };
  const fit = fitOf(usable, [0, 1, 2]);
  const law = lawOf(usable);
  if (fit === null || law === null) return { because: 'these numbers of servers do not determine it' };
  const residuals = numbers.flatMap((n) => {
    const others = lawOf(usable.filter(([own]) => own !== n));
    return others === null
      ? []
      : usable.flatMap(([own, x]) => (own === n ? [Math.log(x / throughput(others, n))] : []));
  });
  return {
    ...{ ...law, fit, residuals, most: mostOf(law) },
    ...{ from: numbers[0] ?? 0, to: numbers.at(-1) ?? 0 },
  };
}

/** N_max = sqrt((1 - sigma) / kappa). */
function mostOf({ sigma, kappa }: Law): number | null {
  if (sigma >= 1) return 1;
  return kappa === 0 ? null : Math.max(1, Math.sqrt((1 - sigma) / kappa));
}

const fitOf = (points: readonly Point[], terms: readonly number[]): Fit | null =>
  leastSquares(
    points.map(
      ([n, x]): Observation => ({
        ...{ y: n / x, weight: (x / n) ** 2 },
        basis: terms.map((term) => BASES[term]?.(n) ?? 0),
      }),
    ),
  );

function lawOf(points: readonly Point[]): Law | null {
  const squares = (law: Law): number =>
    points.reduce((sum, [n, x]) => sum + (x / throughput(law, n) - 1) ** 2, 0);
  const candidates = [[0, 1, 2], [0, 1], [0, 2], [0]].flatMap((terms) => candidateOf(points, terms) ?? []);
  const [best] = candidates.toSorted((one, other) => squares(one) - squares(other));
  return best ?? null;
}

/** The law with these terms only; null where one of them would be below zero. */
function candidateOf(points: readonly Point[], terms: readonly number[]): Law | null {
  const fit = fitOf(points, terms);
  if (fit === null) return null;
  const of = (term: number): number => fit.coefficients[terms.indexOf(term)] ?? 0;
  const [first, contention, coherence] = [of(0), of(1), of(2)];
  if (!(first > 0) || contention < 0 || coherence < 0) return null;
  return { lambda: 1 / first, sigma: contention / first, kappa: coherence / first };
}

const throughput = ({ lambda, sigma, kappa }: Law, n: number): number =>
  (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));

/** What so many servers do together. The interval is the wider the farther they are from what was measured. */
export function throughputAt(scaling: Scaling, servers: number): Forecast | Refused {
  const { to, residuals, fit } = scaling;
  if (servers > FARTHEST * to)
    return { refused: `it is more than ${FARTHEST} times the servers that were measured (${to})` };
  const value = throughput(scaling, servers);
  if (residuals.length < 2) return { refused: 'no number of servers could be predicted from the others' };
  const basis = BASES.map((of) => of(servers));
  const uncertainty = leverage(fit, basis) / (servers / value) ** 2;
  const factor = intervalFactor(residuals, uncertainty);
  return { value, low: value / factor, high: value * factor };
}
