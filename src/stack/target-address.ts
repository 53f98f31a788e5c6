import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import { isThisHost, kindOf, type OwnAddresses, ownAddresses } from './address-kind.ts';

/** A `--target` that may be loaded, its name resolved once and for all. */
export interface Target {
  /** Base URL, http or https, without a trailing slash. A name stays: a Host header and a certificate hold it. */
  readonly url: string;
  /** The host as a URL writes it, without brackets. */
  readonly host: string;
  /** Where it is: the addresses of its name, or the one that is its host. Never empty. */
  readonly addresses: readonly string[];
  /** Not loopback: loaded because its owner said so. */
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

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};
const EXAMPLE = 'give an address like http://127.0.0.1:4001';

const systemResolver: Resolver = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

/**
 * The targets of a run, judged before any of them is asked anything. Only loopback is let through, and hosts that
 * the user says to own (`--i-own HOST`, the host of the target as written): load is never sent to somebody
 * else's machine. Names are resolved here and nowhere else. Rejects with exit code 104 for what may not be loaded,
 * and 93 for a name that nobody knows. No message repeats a password or a query.
 */
export async function resolveTargets(
  texts: readonly string[],
  owned: readonly string[],
  surroundings: Surroundings = { resolve: systemResolver, own: ownAddresses() },
): Promise<readonly Target[]> {
  const hosts = owned.map(ownedHost);
  const urls = texts.map(parse);
  const named = new Set(urls.map(hostOf));
  const idle = hosts.findIndex((host) => !named.has(host));
  if (idle >= 0) {
    throw badInput(
      `--i-own ${owned[idle]} is the host of no --target`,
      'write the host as its --target has it: --target http://game.example:4001 --i-own game.example',
    );
  }
  return Promise.all(urls.map((url) => resolveOne(url, hosts, surroundings)));
}

async function resolveOne(
  url: URL,
  owned: readonly string[],
  { resolve, own }: Surroundings,
): Promise<Target> {
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolved(host, resolve) : [host];
  const kinds = addresses.map((address) => kindOf(address, own));
  const at = (index: number): string =>
    host === addresses[index]
      ? `the target ${url.host}`
      : `the target ${url.host} is at ${addresses[index]}, and that`;
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'loopback' || kind === 'elsewhere') continue;
    throw badInput(`${at(index)} is ${kind}, which is no single machine's`, EXAMPLE);
  }
  const away = kinds.indexOf('elsewhere');
  if (away >= 0 && kinds.includes('loopback')) {
    throw badInput(
      `the target ${url.host} is at ${addresses.join(' and ')}: loopback, and not loopback`,
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
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    host,
    addresses,
    foreign: away >= 0,
    onThisHost: addresses.every((address) => isThisHost(address, own)),
  };
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

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

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badInput(`--target: ${repeatable(text)} is no URL`, EXAMPLE);
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.hostname === '')
    throw badInput(`--target: ${repeatable(text)} is neither http, https, ws nor wss`, EXAMPLE);
  if (url.username !== '' || url.password !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a user or a password`,
      `${EXAMPLE}, without them: capbench sends no credentials, and keeps none`,
    );
  if (url.search !== '' || url.hash !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a query or a fragment`,
      `${EXAMPLE}, without them`,
    );
  // Setting `protocol` keeps ports consistent with the new scheme.
  return new URL(`${scheme}${url.href.slice(url.protocol.length)}`);
}

/** A text that cannot be taken apart is not repeated when there may be a secret in it. */
const repeatable = (text: string): string =>
  /[@?#]/.test(text) ? 'what is given (not repeated: it may hold a secret)' : `"${text}"`;

async function resolved(name: string, resolve: Resolver): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolve(name);
  } catch (error) {
    throw stackFailed(`the target's name ${name} is unknown: ${messageOf(error)}`, EXAMPLE, error);
  }
  if (addresses.length === 0) throw stackFailed(`the target's name ${name} has no address`, EXAMPLE);
  return addresses;
}

/** A target's address as `resolveTargets` would have it, for somebody else to reach: nothing is resolved or asked. */
export function targetUrl(text: string): string {
  const { protocol, host, pathname } = parse(text);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}
