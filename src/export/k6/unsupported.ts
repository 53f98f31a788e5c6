import type { K6System } from '../../load/k6/k6-system.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** Why something of a scenario cannot be done with k6, and what to do instead. */
export interface Unsupported {
  readonly message: string;
  readonly hint: string;
}

/** What k6 cannot do of a scenario, whose system has such a part or has none; null where it can do all. */
export function unsupportedByK6(
  { system, faults, load }: Scenario,
  part: K6System | undefined,
): Unsupported | null {
  const [fault] = faults;
  if (part === undefined) {
    return {
      message: `system: a k6 script does not speak the protocol of these players (${system})`,
      hint: 'use --engine native',
    };
  }
  if (load.stages !== undefined || load.churn !== undefined) {
    return {
      message: `load.${load.stages === undefined ? 'churn' : 'stages'}: the k6 script holds one rate and keeps its players, and this load does not`,
      hint: 'use --engine native, which knows stages and churn',
    };
  }
  if (fault === undefined) return null;
  return {
    message: `faults: ${fault.action} of ${fault.of}: k6's players do not connect again, and their sockets cannot be cut from outside`,
    hint: 'use --engine native, or run without faults: --set "faults=[]"',
  };
}
