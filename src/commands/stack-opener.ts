import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import type { Host } from '../host.ts';
import type { RunPlan } from '../run/run.ts';
import {
  cpusText,
  idleLimits,
  limitKeyOf,
  limitPath,
  limitsOf,
  WHOLE_STACK,
} from '../scenario/component-limits.ts';
import { boxedHeap } from '../stack/boxed-heap.ts';
import { type CommandPlan, commandComponent } from '../stack/command-component.ts';
import { openCommandStack } from '../stack/command-stack.ts';
import type { ComponentSpec } from '../stack/component-spec.ts';
import { givenRedis } from '../stack/given-redis.ts';
import { type LocalStackOptions, openLocalStack } from '../stack/local.ts';
import { availableMemory, memoryShortage } from '../stack/memory-need.ts';
import { shownSetting } from '../stack/settings.ts';
import type { Stack } from '../stack/stack.ts';
import { type AttachOptions, attachAny } from '../stack/target-stack.ts';
import { missingPackages, npmInstall } from '../supervision/installed-packages.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { stackSettings } from './known-settings.ts';
import type { LoadedScenario } from './scenario-files.ts';
import type { RunTargets } from './targets.ts';

type Subject = Pick<LoadedScenario, 'scenario' | 'system' | 'path'>;

/** Opens what is under test: the named targets, a stack that capbench starts, or a server that a command starts. */
export function stackOpener(
  host: Host,
  subject: Subject,
  { targets, starts, access, probes, redis }: RunTargets,
  watchdog: Watchdog,
  token: string,
): RunPlan['openStack'] {
  if (starts !== null) {
    const attached = { targets, access, database: probes.postgres };
    return (signal) => openStarted(host, subject, starts, attached, { watchdog, signal });
  }
  if (targets.length === 0) {
    // Registered as a secret before anything could print it.
    const password = newPassword();
    host.redaction.add(password, "the database's password");
    return (signal) => openOwnStack(host, subject, { watchdog, signal, token, password, redis });
  }
  return async (signal) => {
    const { scenario, system } = subject;
    const options = { signal, access, database: probes.postgres };
    const attaching = system.attach?.(targets, scenario, options) ?? attachAny(targets, options);
    const stack = await attaching;
    // The load workers depend on the watchdog also where capbench did not start the stack.
    return { ...stack, failure: Promise.race([stack.failure, watchdog.lost]) };
  };
}

export const newPassword = (): string => randomBytes(24).toString('base64url');

/** Starts the user's own server. */
export function openStarted(
  { env }: Pick<Host, 'env'>,
  { scenario, path }: Subject,
  command: CommandPlan,
  { targets, ...attached }: Pick<RunTargets, 'targets'> & Omit<AttachOptions, 'signal'>,
  options: Pick<LocalStackOptions, 'watchdog' | 'signal'>,
): Promise<Stack> {
  const { deviations, faults } = scenario;
  const stackLimits = limitsOf(scenario, WHOLE_STACK);
  return openCommandStack([withLimits(commandComponent(command), scenario)], targets, {
    ...{ ...options, ...attached, env, deviations, stackLimits, mayRestart: faults.length > 0 },
    ...{ token: '', password: '' },
    scenarioFolder: dirname(path),
    settings: [shownSetting('startCommand', command.text)],
  });
}

/** @throws CapbenchError (93) where this host, or the limit of the whole stack, has less memory than the system's stack needs */
export function refuseWithoutMemory({ scenario, system }: Pick<Subject, 'scenario' | 'system'>): void {
  const need = system.needs?.(scenario) ?? null;
  const { memory } = limitsOf(scenario, WHOLE_STACK) ?? {};
  const allowed = memory === undefined ? Number.POSITIVE_INFINITY : memory * 2 ** 20;
  const shortage = need === null ? null : memoryShortage(need, Math.min(allowed, availableMemory()));
  if (shortage !== null) throw shortage;
}

/** @throws CapbenchError (93) where optional packages are missing that the processes of the system's stack load */
export function refuseWithoutPackages({ scenario, system }: Pick<Subject, 'scenario' | 'system'>): void {
  const { name = '', wanted = [] } = system.scenario.packages ?? {};
  const missing = missingPackages(wanted);
  if (missing.length === 0) return;
  throw stackFailed(
    `${scenario.name} needs ${name}, which is not installed, or not all of it: ${missing.join(', ')}`,
    npmInstall(missing),
  );
}

const withLimits = (spec: ComponentSpec, scenario: Subject['scenario']): ComponentSpec => ({
  ...spec,
  limits: limitsOf(scenario, spec.name),
});

/**
 * Refuses limits that no process here could reach, so that nothing would be limited.
 * @throws CapbenchError (104)
 */
export function refuseTooManyCpus(
  { machine }: Pick<Host, 'machine'>,
  { scenario, system }: Pick<Subject, 'scenario' | 'system'>,
): void {
  const components = system.scenario.components(scenario).map(({ name }) => name);
  for (const name of [WHOLE_STACK, ...components]) {
    const cpus = limitsOf(scenario, name)?.cpus ?? 0;
    if (cpus <= machine.cpus) continue;
    throw badInput(
      `${limitPath(limitKeyOf(name)).join('.')}.cpus: got ${cpus}, expected at most the ${cpusText(machine.cpus)} of this host`,
      'use a machine with as many, or a lower limit',
    );
  }
}

/** Limits of what a run does not start, for the report; null without any. */
export function idleLimitsNote(
  { scenario, system }: Pick<Subject, 'scenario' | 'system'>,
  { targets, starts, redis }: Pick<RunTargets, 'targets' | 'starts' | 'redis'>,
): string | null {
  const started = system.scenario
    .components(scenario)
    .map(({ name }) => name)
    .filter((name) => (targets.length === 0 || starts !== null) && (redis === null || name !== 'redis'));
  const idle = idleLimits(scenario, started);
  return idle.length === 0
    ? null
    : `no effect of ${idle.join(', ')}: capbench does not start what they limit`;
}

/** With the heap that a limit of the whole stack's memory leaves to each server. */
function withBoxedHeap(system: Subject['system'], scenario: Subject['scenario']): Subject['scenario'] {
  const boxed = boxedHeap(scenario, system.scenario.components(scenario));
  return boxed === null ? scenario : { ...scenario, world: { ...scenario.world, heap: boxed.heap } };
}

/** Starts the components of the system, but for a Redis that is given. */
export async function openOwnStack(
  host: Host,
  { scenario, system }: Pick<Subject, 'scenario' | 'system'>,
  {
    redis,
    ...options
  }: Pick<LocalStackOptions, 'watchdog' | 'signal' | 'token' | 'password' | 'basePort'> &
    Pick<RunTargets, 'redis'>,
): Promise<Stack> {
  const own: readonly ComponentSpec[] = system.components?.(withBoxedHeap(system, scenario)) ?? [];
  const components = own.map((spec) =>
    redis !== null && spec.name === 'redis' ? givenRedis(redis) : withLimits(spec, scenario),
  );
  const { deviations, faults } = scenario;
  return openLocalStack(components, {
    ...{ ...options, env: host.env, deviations, mayRestart: faults.length > 0 },
    stackLimits: limitsOf(scenario, WHOLE_STACK),
    settings: stackSettings(host, system, scenario),
  });
}

/**
 * Refuses a temporary directory in which a run cannot make its folder: a relative path means another folder to processes
 * with another working directory. @throws CapbenchError (104)
 */
export async function checkTemporaryFolder({ machine: { tmp }, env }: Host): Promise<void> {
  const named = ['TMPDIR', 'TMP', 'TEMP'].find((name) => env[name]) ?? 'TMPDIR';
  const hint = `set ${named} to the absolute path of a directory that you may write to, such as /tmp`;
  if (!isAbsolute(tmp)) throw badInput(`${named}: got "${tmp}", expected an absolute path`, hint);
  try {
    if (!(await stat(tmp)).isDirectory()) throw badInput(`${named}: ${tmp} is not a directory`, hint);
    await access(tmp, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    throw badInput(`${named}: ${tmp} cannot be written to: ${messageOf(error)}`, hint);
  }
}
