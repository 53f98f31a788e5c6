import type { Scenario } from '../../scenario/scenario.ts';

/** Why something of a scenario cannot be done with k6, and what to do instead. */
export interface Unsupported {
  readonly message: string;
  readonly hint: string;
}

/** What k6 cannot do of a scenario, for whoever would run it there; null where it can do all. */
export function unsupportedByK6({ faults, players, load }: Scenario): Unsupported | null {
  const [fault] = faults;
  if (players !== undefined) {
    return {
      message: `players: the k6 script speaks the protocol of the flux world, and not ${players.protocol}`,
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
