import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import { isThisHost, kindOf, type OwnAddresses, ownAddresses } from './address-kind.ts';

/** A host that may be asked, its name resolved once and for all. */
export interface Located {
  /** The host as a URL writes it, without brackets. */
  readonly host: string;
  /** Where it is: the addresses of its name, or the one that is its host. Never empty. */
  readonly addresses: readonly string[];
  /** Not loopback: asked because its owner said so. */
  readonly foreign: boolean;
  /** Every one of its addresses is this host's. */
  readonly onThisHost: boolean;
}

/** All addresses of a name. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** What the host is asked for, when a test does not say otherwise. */
export interface Surroundings {
  readonly resolve: Resolver;
  readonly own: OwnAddresses;
}

/** A host, and how it is spoken of: `the target`, `127.0.0.1:4001`, an address like that one. */
export interface Named {
  readonly subject: string;
  readonly host: string;
  /** With its port, as it was given; it holds no secret. */
  readonly shown: string;
  readonly example: string;
}

export const surroundings = (): Surroundings => ({
  resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  own: ownAddresses(),
});

/**
 * Where a host is. Only loopback is let through, and hosts that the user says to own (`owned`, from ownedHosts): nothing
 * is sent to somebody else's machine. Names are resolved here and nowhere else. Rejects with exit code 104 for what
 * may not be asked, and 93 for a name that nobody knows.
 */
export async function locate(
  { subject, host, shown, example }: Named,
  owned: readonly string[],
  { resolve, own }: Surroundings,
): Promise<Located> {
  const addresses = isIP(host) === 0 ? await resolved(subject, host, example, resolve) : [host];
  const kinds = addresses.map((address) => kindOf(address, own));
  const at = (index: number): string =>
    host === addresses[index]
      ? `${subject} ${shown}`
      : `${subject} ${shown} is at ${addresses[index]}, and that`;
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'loopback' || kind === 'elsewhere') continue;
    throw badInput(`${at(index)} is ${kind}, which is no single machine's`, example);
  }
  const away = kinds.indexOf('elsewhere');
  if (away >= 0 && kinds.includes('loopback')) {
    throw badInput(
      `${subject} ${shown} is at ${addresses.join(' and ')}: loopback, and not loopback`,
      'a name has to mean one machine: name the address instead',
    );
  }
  if (away >= 0 && !owned.includes(host)) {
    throw badInput(
      `${at(away)} is not loopback: it may be somebody else's machine`,
      `if it is yours, say so: --i-own ${host}; without that only loopback is loaded (127.0.0.0/8, [::1], localhost)`,
    );
  }
  return {
    host,
    addresses,
    foreign: away >= 0,
    onThisHost: addresses.every((address) => isThisHost(address, own)),
  };
}

export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** The hosts of `--i-own`, each of which has to be the host of something that is named. */
export function ownedHosts(owned: readonly string[], named: ReadonlySet<string>): readonly string[] {
  const hosts = owned.map(ownedHost);
  const idle = hosts.findIndex((host) => !named.has(host));
  if (idle >= 0) {
    throw badInput(
      `--i-own ${owned[idle]} is the host of no --target, and of no probe`,
      'write the host as its --target has it: --target http://game.example:4001 --i-own game.example',
    );
  }
  return hosts;
}

/** A host of `--i-own` as a URL writes it. No wildcard, no port: consent is for one host. */
function ownedHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1');
  try {
    if (isIP(host) === 6) return hostOf(new URL(`http://[${host}]`));
    if (/^[^\s*?#%@/\\:[\],]+$/.test(host)) return hostOf(new URL(`http://${host}`));
  } catch {
    // No host: told below.
  }
  throw badInput(
    `--i-own: ${/[@?#/]/.test(text) ? 'an address' : `"${text}"`} is there, expected one host`,
    'the name or the address of a --target that is yours, such as --i-own game.example; no wildcard, no port',
  );
}

/** A text that cannot be taken apart is not repeated when there may be a secret in it. */
export const repeatable = (text: string): string =>
  /[@?#]/.test(text) ? 'what is given (not repeated: it may hold a secret)' : `"${text}"`;

async function resolved(
  subject: string,
  name: string,
  example: string,
  resolve: Resolver,
): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolve(name);
  } catch (error) {
    throw stackFailed(`${subject}'s name ${name} is unknown: ${messageOf(error)}`, example, error);
  }
  if (addresses.length === 0) throw stackFailed(`${subject}'s name ${name} has no address`, example);
  return addresses;
}
