import { growthOf } from './growth.ts';
import { FARTHEST, type Forecast, intervalFactor, type Refused } from './interval.ts';
import { leastSquares, leverage } from './least-squares.ts';
import { type Line, lineThrough, type Point, valueAt, weightOf } from './line.ts';

/** Of fewer loads no line is known well enough that one of them could be left out. */
const FEWEST_LOADS = 3;

/**
 * What a line through measured points says at another load: the interval follows from how far each load is from the line
 * through all others, and is the wider the farther x is from what was measured.
 */
export function forecast(points: readonly Point[], x: number): Forecast | Refused {
  const usable = points.filter(([at, y]) => at > 0 && y > 0);
  const loads = [...new Set(usable.map(([at]) => at))];
  if (loads.length < FEWEST_LOADS)
    return { refused: `${loads.length} loads were measured, and an interval needs ${FEWEST_LOADS}` };
  const largest = Math.max(...loads);
  if (x > FARTHEST * largest)
    return { refused: `it is more than ${FARTHEST} times the largest load that was measured (${largest})` };
  if (x > largest && growthOf(usable) !== null)
    return {
      refused: `the share of each player grows with their number, and a line would say too little beyond ${largest}`,
    };
  const line = lineThrough(usable);
  if (line === null) return { refused: 'nothing was measured' };
  const residuals = loads.flatMap((load) => {
    const others = lineThrough(usable.filter(([at]) => at !== load));
    const own = usable.filter(([at]) => at === load);
    return others === null ? [] : own.map(([, y]) => Math.log(y / valueAt(others, load)));
  });
  const value = valueAt(line, x);
  const factor = intervalFactor(residuals, uncertaintyAt(line, usable, x));
  return { value, low: value / factor, high: value * factor };
}

/** The variance of the line at x, relative to its value, of the relative variance of a reading. */
function uncertaintyAt(line: Line, points: readonly Point[], x: number): number {
  const largest = Math.max(...points.map(([, y]) => y));
  const fit = leastSquares(points.map(([at, y]) => ({ basis: [1, at], y, weight: weightOf(y, largest) })));
  return fit === null ? 1 / points.length : leverage(fit, [1, x]) / valueAt(line, x) ** 2;
}
