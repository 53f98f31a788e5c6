import { badInput } from '../../../errors.ts';
import type { Engine } from '../../../load/engine.ts';
import { createFleetEngine, type NativeEngineOptions } from '../../../load/native.ts';
import type { Workload } from '../../../scenario/workload.ts';

/**
 * Monster commands by autocannon: the fleet's processes keep the schedule, the numbers and the ledger as ever, and
 * hear of the commits; the posts are written, and their answers read, by autocannon. Players are connected, and
 * say nothing.
 */
export const createAutocannonEngine = (options: NativeEngineOptions): Engine =>
  createFleetEngine({ name: 'autocannon', wire: 'autocannon' }, options);

/** What autocannon does not do, before anything starts. @throws CapbenchError (104) with what to do instead */
export function refuseForAutocannon(
  { intentRate }: Pick<Workload, 'intentRate'>,
  targets: readonly { readonly url: string }[],
): void {
  if (intentRate > 0) {
    throw badInput(
      '--engine autocannon: the scenario has intents of players, and autocannon speaks HTTP only, no WebSocket',
      'leave it to the monsters alone, --set load.intentsPerSecond=0, or use --engine native',
    );
  }
  // It accepts any certificate, and cannot be told not to.
  if (targets.some(({ url }) => url.startsWith('https:'))) {
    throw badInput(
      '--engine autocannon: it does not check the certificate of an https target',
      'use --engine native, or name the target by http://',
    );
  }
}
