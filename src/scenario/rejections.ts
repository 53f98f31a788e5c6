import type { Scenario } from './scenario.ts';

/** Allowed rejections where none are declared: with more, the world did less than it was asked to. */
const UNDECLARED_PERCENT = 1;

/** The percentage that the scenario declares, else the system's. */
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
    /** Who declares it; null if nobody does. */
    by: own !== undefined ? ('scenario' as const) : system !== undefined ? ('system' as const) : null,
  };
}
