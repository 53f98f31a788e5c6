import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import {
  type MeasuredBudget,
  PLAYER_COUNTER_STATS,
  PLAYER_STATS,
  playerFigureOf,
} from '../scenario/budget.ts';
import { nearest } from '../scenario/nearest.ts';
import { conversion } from '../units.ts';

/** Not a unit of the figure: a number of times. */
const COUNT = 'count';

/**
 * From the unit in which a player module measured to that of the budget; 1 for every other budget, and where the figure has
 * no unit. Undefined where the two cannot be compared.
 */
export function playerFactor(
  { metric: { path }, stat, metricUnit }: MeasuredBudget,
  { player = {} }: Pick<Figures, 'player'>,
): number | undefined {
  const name = playerFigureOf(path);
  const unit = name !== null && Object.hasOwn(player, name) ? (player[name]?.unit ?? null) : null;
  return unit === null || stat === COUNT ? 1 : conversion(unit, metricUnit);
}

/** Why a figure of a player module's own has no value; null for every other budget. */
export function whyNoPlayerFigure(
  { metric: { path }, stat, metricUnit }: MeasuredBudget,
  { player = {} }: Partial<Pick<Measurements, 'player'>>,
): string | null {
  const name = playerFigureOf(path);
  if (name === null) return null;
  const figure = Object.hasOwn(player, name) ? player[name] : undefined;
  if (figure === undefined) {
    const meant = nearest(name, Object.keys(player));
    return `the players measured nothing with context.measure('${name}', ..)${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
  if (figure.count === 0) return `the players measured ${name}, but not in the measure phase`;
  if (figure.unit === null && !PLAYER_COUNTER_STATS.includes(stat ?? '')) {
    return `${name} was measured without a unit, as a counter: its statistics are ${PLAYER_COUNTER_STATS.join(', ')}`;
  }
  if (figure.unit === null) return null;
  const ofDistribution = PLAYER_STATS.filter((one) => one === COUNT || !PLAYER_COUNTER_STATS.includes(one));
  if (!ofDistribution.includes(stat ?? '')) {
    return `${name} was measured in ${figure.unit}: its statistics are ${ofDistribution.join(', ')}`;
  }
  return conversion(figure.unit, metricUnit) === undefined
    ? `${name} was measured in ${figure.unit}, which cannot be compared with ${metricUnit}`
    : null;
}
