import type { Scenario } from '../../scenario/scenario.ts';

/** What k6 cannot do of a scenario, for whoever would run it there; null where it can do all. */
export function unsupportedByK6({
  faults,
}: Scenario): { readonly message: string; readonly hint: string } | null {
  const [fault] = faults;
  if (fault === undefined) return null;
  return {
    message: `faults: ${fault.action} of ${fault.of}: k6's players do not connect again, and their sockets cannot be cut from outside`,
    hint: 'leave --engine out, or run without faults: --set "faults=[]"',
  };
}
