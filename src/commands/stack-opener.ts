import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import type { RunPlan } from '../run/run.ts';
import type { ComponentSpec } from '../stack/component-spec.ts';
import { type LocalStackOptions, openLocalStack } from '../stack/local.ts';
import type { Stack } from '../stack/stack.ts';
import { attachAny } from '../stack/target-stack.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { toldSettings } from './known-settings.ts';
import type { LoadedScenario } from './scenario-files.ts';
import type { RunTargets } from './targets.ts';

type Subject = Pick<LoadedScenario, 'scenario' | 'system'>;

/** What is under test: the targets that were named, or a stack of capbench's own. */
export function stackOpener(
  host: Host,
  subject: Subject,
  { targets, access, probes }: RunTargets,
  watchdog: Watchdog,
  token: string,
): RunPlan['openStack'] {
  if (targets.length === 0) {
    // Made here, so that it is known as a secret before anybody could tell it.
    const password = newPassword();
    host.redaction.add(password, "the database's password");
    return (signal) => openOwnStack(host, subject, { watchdog, signal, token, password });
  }
  return async (signal) => {
    const { scenario, system } = subject;
    const options = { signal, access, database: probes.postgres };
    const attaching = system.attach?.(targets, scenario, options) ?? attachAny(targets, options);
    const stack = await attaching;
    // The load's processes are ours, and guarded, also where the stack is somebody else's.
    return { ...stack, failure: Promise.race([stack.failure, watchdog.lost]) };
  };
}

export const newPassword = (): string => randomBytes(24).toString('base64url');

/** Starts the system's components. */
export async function openOwnStack(
  host: Host,
  { scenario, system }: Subject,
  options: Pick<LocalStackOptions, 'watchdog' | 'signal' | 'token' | 'password' | 'basePort'>,
): Promise<Stack> {
  const components: readonly ComponentSpec[] = system.components?.(scenario) ?? [];
  const { deviations, faults } = scenario;
  return openLocalStack(components, {
    ...{ ...options, env: host.env, deviations, mayRestart: faults.length > 0 },
    settings: toldSettings(host, system, scenario),
  });
}

/**
 * Refuses a temporary directory in which no run can put its folder: processes that work elsewhere, and the watchdog,
 * would look for it in another place, or nobody could write there. Throws bad input.
 */
export async function checkTemporaryFolder({ machine: { tmp }, env }: Host): Promise<void> {
  const named = ['TMPDIR', 'TMP', 'TEMP'].find((name) => env[name]) ?? 'TMPDIR';
  const hint = `set ${named} to the absolute path of a directory that you may write to, such as /tmp`;
  if (!isAbsolute(tmp)) throw badInput(`${named}: "${tmp}" is not an absolute path`, hint);
  try {
    if (!(await stat(tmp)).isDirectory()) throw badInput(`${named}: ${tmp} is not a directory`, hint);
    await access(tmp, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    throw badInput(`${named}: nothing can be put into ${tmp}: ${messageOf(error)}`, hint);
  }
}
