import type { Scenario } from './scenario.ts';
import type { Operation } from './workload.ts';

/** More rejections than this, and nobody declared that the game refuses any: the world served too few. */
const UNDECLARED_PERCENT = 1;

/**
 * What the flux world refuses by its own rules: of the players' intents a move into a wall, and an attack on somebody
 * who has just left (one in fifty, and one in ten where several are under way at once: a player then knows less); of the monsters'
 * commands every move into a wall, and eight in ten are moves. A world that refuses everything refuses more.
 */
const OF_FLUX: Readonly<Record<Operation, number>> = { intent: 20, monsterCommand: 80 };

/** The share of an operation that may be rejected. */
export interface AllowedRejections {
  /** In percent of what was due. */
  readonly percent: number;
  /** What it is where the scenario names none. */
  readonly defaultPercent: number;
  /** The system or the scenario says that the game itself refuses some: a rejection is then an answer like another. */
  readonly declared: boolean;
}

/** The scenario's own word, else that of the world whose players these are. */
export function allowedRejections(
  op: Operation,
  { rules, players }: Pick<Scenario, 'rules' | 'players'>,
): AllowedRejections {
  const own = rules.rejectedPercent?.[op];
  const system = players === undefined ? OF_FLUX[op] : undefined;
  const defaultPercent = system ?? UNDECLARED_PERCENT;
  return {
    percent: own ?? defaultPercent,
    defaultPercent,
    declared: own !== undefined || system !== undefined,
  };
}
