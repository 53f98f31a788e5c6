import type { Target } from '../../../address/target-address.ts';
import type { Workload } from '../../../scenario/workload.ts';
import { INTENT, operationOf } from '../workload.ts';

/**
 * What autocannon does not do, null where it does all: the fleet's processes keep the schedule, the numbers and the
 * ledger as ever, and hear of the commits; the posts are written, and their answers read, by autocannon. Players are
 * connected, and say nothing.
 */
export function whyNotAutocannon(
  workload: Pick<Workload, 'operations'>,
  targets: readonly Pick<Target, 'url'>[],
): string | null {
  if (operationOf(workload, INTENT).perSecond > 0)
    return 'the scenario has intents of players, and autocannon speaks HTTP only, no WebSocket (--set load.operations.intent.perSecond=0 leaves it to the monsters)';
  // It accepts any certificate, and cannot be told not to.
  if (targets.some(({ url }) => url.startsWith('https:')))
    return 'it does not check the certificate of an https target (name the target by http://)';
  return null;
}
