import type { Scenario } from './scenario.ts';

/** More rejections than this, and nobody declared that the game refuses any: the world served too few. */
const UNDECLARED_PERCENT = 1;

/** The share of an operation that may be rejected. */
export interface AllowedRejections {
  /** In percent of what was due. */
  readonly percent: number;
  /** What it is where the scenario names none. */
  readonly defaultPercent: number;
  /** The system or the scenario says that the game itself refuses some: a rejection is then an answer like another. */
  readonly declared: boolean;
}

/** The scenario's own word, else that of the system. */
export function allowedRejections(
  id: string,
  { rules: { rejectedPercent }, operations }: Pick<Scenario, 'rules' | 'operations'>,
): AllowedRejections {
  const own = typeof rejectedPercent === 'object' ? rejectedPercent[id] : rejectedPercent;
  const system = operations.find((one) => one.id === id)?.rejectedPercent;
  const defaultPercent = system ?? UNDECLARED_PERCENT;
  return {
    percent: own ?? defaultPercent,
    defaultPercent,
    declared: own !== undefined || system !== undefined,
  };
}
