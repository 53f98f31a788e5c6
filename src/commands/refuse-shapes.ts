import { badInput } from '../errors.ts';
import type { Load } from '../scenario/scenario.ts';

/** Stages and churn are the native engine's: what left them out would pass for a run that had them. */
export function refuseShapes({ stages, churn }: Load, by: string): void {
  if (stages === undefined && churn === undefined) return;
  const key = stages === undefined ? 'churn' : 'stages';
  throw badInput(
    `load.${key}: ${by} holds one rate and keeps its players, and this load does not`,
    `--engine native knows stages and churn; without load.${key} the scenario runs anywhere`,
  );
}
