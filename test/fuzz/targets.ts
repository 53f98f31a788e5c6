import { checkFile, checkSet } from './check-targets.ts';
import type { Target } from './input.ts';
import { reportFromK6 } from './k6-target.ts';
import { reportBundle, reportMeasurements, reportScenario } from './report-targets.ts';

/** Every verb that reads what somebody else may have written; one line for each way in. */
export const TARGETS: readonly ((root: string) => Target)[] = [
  checkFile,
  checkSet,
  reportMeasurements,
  reportScenario,
  reportBundle,
  reportFromK6,
];

/** @throws when there is none of that name */
export function targetOf(root: string, name: string): Target {
  const target = TARGETS.map((one) => one(root)).find((one) => one.name === name);
  if (target === undefined) throw new Error(`there is no target "${name}"`);
  return target;
}
