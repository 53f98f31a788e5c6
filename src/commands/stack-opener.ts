import { randomBytes } from 'node:crypto';
import type { Host } from '../host.ts';
import type { RunPlan } from '../run/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { attachAny, isFluxWorld } from '../stack/any-server.ts';
import { openLocalStack } from '../stack/local.ts';
import { attachTargets, requireWorld } from '../stack/remote.ts';
import type { Stack } from '../stack/stack.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { RunTargets } from './targets.ts';

/** Players of one's own may drive any server; a module may drive the flux world as well, and is judged as there. */
async function attach(
  scenario: Scenario,
  { targets, access, probes }: RunTargets,
  signal: AbortSignal,
): Promise<Stack> {
  const { players } = scenario;
  const options = { signal, access, database: probes.postgres };
  const any =
    players !== undefined && !(players.protocol === 'module' && (await isFluxWorld(targets, access, signal)));
  if (any) return attachAny(targets, options);
  const stack = await attachTargets(targets, options);
  try {
    requireWorld(stack, scenario);
  } catch (thrown) {
    await stack.close();
    throw thrown;
  }
  return stack;
}

/** What is under test: the targets that were named, or a stack of capbench's own. */
export function stackOpener(
  host: Host,
  scenario: Scenario,
  { targets, access, probes }: RunTargets,
  watchdog: Watchdog,
  token: string,
): RunPlan['openStack'] {
  if (targets.length > 0) {
    return async (signal) => {
      const stack = await attach(scenario, { targets, access, probes }, signal);
      // The load's processes are ours, and guarded, also where the stack is somebody else's.
      return { ...stack, failure: Promise.race([stack.failure, watchdog.lost]) };
    };
  }
  // Made here, so that it is known as a secret before anybody could tell it.
  const password = randomBytes(24).toString('base64url');
  host.redaction.add(password, "the database's password");
  const postgresBin = host.env.CAPBENCH_POSTGRES_BIN || null;
  return (signal) => openLocalStack(scenario, { watchdog, signal, postgresBin, password, token });
}
