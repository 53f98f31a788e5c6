import { badInput } from '../errors.ts';
import type { Load, Scenario } from '../scenario/scenario.ts';
import { workloadOf } from '../scenario/workload.ts';
import type { System } from '../systems/system.ts';

/** A scenario as k6 makes its load, for `by`. @throws CapbenchError (104) why k6 cannot */
export function k6PartOf(system: System, scenario: Scenario, by: string) {
  const part = system.engines?.k6;
  if (part === undefined) {
    const players = scenario.sections?.players === undefined ? '' : ' with players: of its own';
    throw badInput(
      `system: ${system.name}${players} brings nothing that k6 could run`,
      'use --engine native',
    );
  }
  refuseShapes(scenario.load, by);
  return { part, workload: workloadOf(scenario, system.scenario) };
}

/** The same, of a run that is still to be made. */
export function k6PlanOf(system: System, scenario: Scenario) {
  const [fault] = scenario.faults;
  if (fault !== undefined) {
    throw badInput(
      `faults: ${fault.action} of ${fault.of}: k6's players do not connect again, and their sockets cannot be cut from outside`,
      'use --engine native, or run without faults: --set "faults=[]"',
    );
  }
  return k6PartOf(system, scenario, 'the k6 script');
}

/** Stages and churn are the native engine's: what left them out would pass for a run that had them. */
export function refuseShapes({ stages, churn }: Load, by: string): void {
  if (stages === undefined && churn === undefined) return;
  const key = stages === undefined ? 'churn' : 'stages';
  throw badInput(
    `load.${key}: ${by} holds one rate and keeps its players, and this load does not`,
    `--engine native knows stages and churn; without load.${key} the scenario runs anywhere`,
  );
}
