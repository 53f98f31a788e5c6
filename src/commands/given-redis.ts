import { isIP } from 'node:net';
import { type ProbeUrl, parseProbeUrl, resolveProbes } from '../address/probe-address.ts';
import type { Surroundings } from '../address/target-address.ts';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import type { GivenRedis } from '../stack/given-redis.ts';
import type { GivenFlags } from './options.ts';
import type { LoadedScenario } from './scenario-files.ts';
import { hide } from './target-probes.ts';

const OPTION = '--redis';
const EXAMPLE = 'such as redis://127.0.0.1:6379/1, with user and password before an @';

/**
 * The address of `--redis`, whose secrets are registered with the redaction; null where it is not given. Bad input (104)
 * for an invalid one, beside targets, and for a system without Redis.
 */
export function readGivenRedis(
  host: Pick<Host, 'redaction'>,
  { system }: Pick<LoadedScenario, 'system'>,
  { redis: text }: GivenFlags,
  hasTargets: boolean,
): ProbeUrl | null {
  if (text === undefined) return null;
  hide(host, 'redis', text, OPTION);
  if (hasTargets) {
    throw badInput(
      `${OPTION} is given for servers that run already, and that have their own`,
      'name it with --probe-redis, which only reads it',
    );
  }
  if (system.scenario.redis === undefined)
    throw badInput(`${OPTION}: the system ${system.name} has no Redis`, 'leave the option out');
  const given = parseProbeUrl('redis', text, OPTION);
  if (given.url.protocol !== 'redis:')
    throw badInput(`${OPTION}: the servers of capbench connect without TLS`, EXAMPLE);
  if (!/^(?:\/\d{0,5})?$/.test(given.url.pathname))
    throw badInput(`${OPTION}: the path of the URL is not the number of a database`, EXAMPLE);
  return given;
}

/** Resolves its host with the same checks as a target's: loopback, or a host that the user owns. */
export async function resolveGivenRedis(
  given: ProbeUrl,
  owned: readonly string[],
  around: Surroundings,
): Promise<GivenRedis> {
  const { redis } = await resolveProbes([given], owned, around, { origins: new Set(), access: {} });
  if (redis === null) throw new Error('the URL of a Redis was resolved to none');
  const { address, port, username, password, shown, onThisHost } = redis;
  const login =
    username === null && password === null
      ? ''
      : `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password ?? '')}@`;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  const database = Number(given.url.pathname.slice(1));
  return { url: `redis://${login}${host}:${port}/${database}`, shown, onThisHost };
}
