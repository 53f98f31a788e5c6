import type { Target } from '../../../address/target-address.ts';
import type { Workload } from '../../../scenario/workload.ts';
import { INTENT, operationOf } from '../workload.ts';

/**
 * Why autocannon cannot run a workload; null if it can. The load workers keep the schedule, the numbers and the ledger, and
 * receive the commits; autocannon only writes the posts and reads their answers. Players are connected and idle.
 */
export function whyNotAutocannon(
  workload: Pick<Workload, 'operations'>,
  targets: readonly Pick<Target, 'url'>[],
): string | null {
  if (operationOf(workload, INTENT).perSecond > 0)
    return 'the scenario has intents of players, and autocannon has no WebSocket (--set load.operations.intent.perSecond=0 runs the monsters only)';
  // It accepts any certificate, and has no option to check them.
  if (targets.some(({ url }) => url.startsWith('https:')))
    return 'it does not check the certificates of https targets (name the target by http://)';
  return null;
}
