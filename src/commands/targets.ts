import type { Access } from '../address/access.ts';
import { type ProbeAddresses, resolveProbes } from '../address/probe-address.ts';
import { ownedHosts, resolveTargets, surroundings, type Target } from '../address/target-address.ts';
import type { Host } from '../host.ts';
import { refuseProcesses } from '../probe/target-processes.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { mostPlayers, peakLoadOf } from '../scenario/stages.ts';
import type { CommandPlan } from '../stack/command-component.ts';
import type { GivenRedis } from '../stack/given-redis.ts';
import { formatDuration, grouped, type Micros } from '../units.ts';
import { readGivenRedis, resolveGivenRedis } from './given-redis.ts';
import type { TargetFlags } from './options.ts';
import type { LoadedScenario } from './scenario-files.ts';
import { readAccess } from './target-access.ts';
import { readProbeUrls, readProcesses } from './target-probes.ts';

/** What a run loads and reads without knowing it; no targets where it starts a stack of its own. */
export interface RunTargets {
  readonly targets: readonly Target[];
  /** The command that starts the server behind these targets; null where it runs already. */
  readonly starts: CommandPlan | null;
  /** The CA certificates and headers for all of them. */
  readonly access: Omit<Access, 'address'>;
  /** The databases and metrics pages to read. */
  readonly probes: ProbeAddresses;
  /** The Redis that the stack uses instead of starting one; null: it starts one, or needs none. */
  readonly redis: GivenRedis | null;
}

/**
 * The targets of a run, checked before any of them is contacted: addresses, consent, certificates, headers and probes.
 * Their secrets are registered with the redaction before anything is printed about them.
 */
export async function readTargets(
  host: Host,
  loaded: Pick<LoadedScenario, 'scenario' | 'system'>,
  given: TargetFlags,
): Promise<RunTargets> {
  const starts = given.target.length > 0 ? null : (loaded.system.command?.(loaded.scenario) ?? null);
  const flags = starts === null ? given : { ...given, target: starts.targets };
  const hasTargets = flags.target.length > 0;
  const urls = readProbeUrls(host, flags, hasTargets);
  const hasTls =
    flags.target.some((text) => /^(?:https|wss):/i.test(text)) ||
    urls.some(({ url }) => url.protocol === 'https:' || url.protocol === 'rediss:');
  const access = await readAccess(host, flags, { hasTargets, hasTls });
  const around = surroundings();
  const givenRedis = readGivenRedis(host, loaded, flags, hasTargets);
  const others = [...urls, ...(givenRedis === null ? [] : [givenRedis])].flatMap(({ host }) => host ?? []);
  // Names are resolved only here.
  const targets = await resolveTargets(flags.target, flags.iOwn, around, others);
  const owned = ownedHosts(flags.iOwn, new Set([...targets.map((target) => target.host), ...others]));
  const origins = new Set(targets.map(({ url }) => new URL(url).origin));
  const processes = readProcesses(host, flags, targets, starts?.name ?? null);
  refuseProcesses(processes);
  const probes = await resolveProbes(urls, owned, around, { origins, access });
  const redis = givenRedis === null ? null : await resolveGivenRedis(givenRedis, owned, around);
  return { targets, starts, access, probes: { ...probes, processes }, redis };
}

/** A line about other machines that will be read; null when there are none. */
export const readingLine = ({ foreign }: ProbeAddresses): string | null =>
  foreign.length === 0
    ? null
    : `reading ${foreign.join(' and ')} once a second; you confirmed that you own them`;

/** A line about the Redis that a run uses and empties; null where it has its own. */
export const redisLine = (redis: GivenRedis | null): string | null =>
  redis === null ? null : `using the Redis at ${redis.shown}, which is emptied at the end`;

/** A line about the load that other machines will get; null when there are none. */
export function consentLine(
  targets: readonly Target[],
  { load, operations }: Pick<Scenario, 'load' | 'operations'>,
): string | null {
  const foreign = targets.filter((target) => target.foreign);
  if (foreign.length === 0) return null;
  const span = formatDuration((load.ramp + load.warmUp + load.duration) as Micros);
  const peak = peakLoadOf(load);
  const hosts = [...new Set(foreign.map(({ host }) => host))];
  const rates = operations.map(
    ({ id, label }) => `${grouped(peak * ofOperation(load.operations, id).perSecond, 1)} ${label}/s`,
  );
  const at = foreign.map(({ url, addresses }) => `${url} (${addresses.join(', ')})`).join(' and ');
  return `loading ${at} for ${span}: ${[`${grouped(mostPlayers(load))} players`, ...rates].join(', ')}; you confirmed that you own ${hosts.join(', ')}`;
}
