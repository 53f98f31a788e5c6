import type { Scenario } from './scenario.ts';

/** More rejections than this, and nobody declared that the game refuses any: the world served too few. */
const UNDECLARED_PERCENT = 1;

/** The scenario's own word, else that of the system. */
export function allowedRejections(
  id: string,
  { rules: { rejectedPercent }, operations }: Pick<Scenario, 'rules' | 'operations'>,
) {
  const own = typeof rejectedPercent === 'object' ? rejectedPercent[id] : rejectedPercent;
  const system = operations.find((one) => one.id === id)?.rejectedPercent;
  const defaultPercent = system ?? UNDECLARED_PERCENT;
  return {
    percent: own ?? defaultPercent,
    defaultPercent,
    declared: own !== undefined || system !== undefined,
  };
}
