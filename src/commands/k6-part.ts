import { badInput } from '../errors.ts';
import type { K6System } from '../load/k6/k6-system.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Workload, workloadOf } from '../scenario/workload.ts';
import type { Systems } from '../systems/system.ts';
import { refuseShapes } from './refuse-shapes.ts';

/**
 * A scenario's load, and what a k6 script that makes it has of the system.
 * @throws CapbenchError (104) what of the scenario k6 cannot do
 */
export function k6PartOf(
  systems: Systems,
  scenario: Scenario,
): { readonly part: K6System; readonly workload: Workload } {
  const { name, engines: { k6: part } = {}, scenario: shape } = systems.systemOf(scenario);
  if (part === undefined) {
    throw badInput(
      `system: ${name}${scenario.sections?.players === undefined ? '' : ' with players: of its own'} brings nothing that k6 could run`,
      'use --engine native',
    );
  }
  refuseShapes(scenario.load, 'the k6 script');
  const [fault] = scenario.faults;
  if (fault !== undefined) {
    throw badInput(
      `faults: ${fault.action} of ${fault.of}: k6's players do not connect again, and their sockets cannot be cut from outside`,
      'use --engine native, or run without faults: --set "faults=[]"',
    );
  }
  return { part, workload: workloadOf(scenario, shape) };
}
