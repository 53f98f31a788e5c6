import type { Budget, MeasuredBudget } from './budget.ts';
import type { Scenario } from './scenario.ts';

/**
 * A scenario of a search: each number of players that is tried is its own full load, so a budget on the load itself asks for
 * that of `scenario`, and not for that of `base`.
 *
 * - At least, or exactly, so many players: as many as there are in this step.
 * - At least such a rate of throughput: multiplied as the rates of the load are.
 * - An upper bound is what the search looks for, and is judged at every load, also with `fullLoad`.
 * - Whatever else is said of the full load is not judged, as with any scale but 1.
 */
export function withOwnLoad(scenario: Scenario, base: Pick<Scenario, 'load'>): Scenario {
  const factor = scenario.load.players / base.load.players;
  return { ...scenario, budgets: scenario.budgets.map((budget) => ofLoad(budget, factor, scenario)) };
}

const FLOORS: readonly string[] = ['>=', '>', '='];

function ofLoad(
  budget: Budget,
  factor: number,
  { load, altered }: Pick<Scenario, 'load' | 'altered'>,
): Budget {
  if (budget.state !== 'measured') return budget;
  const { op, limit, metric } = budget;
  const isFloor = FLOORS.includes(op) && typeof limit === 'number';
  if (isFloor && metric.section === 'load' && metric.unit === 'players') {
    // Whole players; what the command line made of the scenario's own number does not ask for more of them than there are.
    return { ...budget, limit: Math.min(load.players, Math.floor(limit * factor + 1e-6)), fullLoad: false };
  }
  // The promise is about another load or stack, as `--set` has it.
  if (budget.fullLoad && altered.length > 0) return budget;
  if (isFloor && metric.section === 'throughput' && /PerSecond$/.test(metric.path)) {
    return { ...budget, limit: Number((limit * factor).toPrecision(12)), fullLoad: false };
  }
  if (!budget.fullLoad) return budget;
  return isUpperBound(budget) ? { ...budget, fullLoad: false } : ofFullLoad(budget);
}

/** Of a documented range of CPU use only the high end is a limit (judge/ruling.ts). */
const isUpperBound = ({ op, claim, metric }: MeasuredBudget): boolean =>
  op === '<' || op === '<=' || (op === 'between' && claim !== null && /cpuPercent/i.test(metric.figure));

/** Not judged at scale 1 either: all steps are judged by the same budgets. */
function ofFullLoad({ id, claim, title, op, limit, unit, condition, source }: MeasuredBudget): Budget {
  return {
    ...{ id, claim, title, op, limit, unit, condition, source },
    state: 'untestable',
    missing: 'it is promised at full load, and a search changes the load: capbench run judges it',
  };
}
