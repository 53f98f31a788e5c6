import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { badInput, messageOf, stackFailed } from '../errors.ts';

/** A `--target` that may be loaded, its name resolved once and for all. */
export interface Target extends Located {
  /** Base URL, http or https, without a trailing slash. A name stays: a Host header and a certificate hold it. */
  readonly url: string;
}

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};
const EXAMPLE = 'give an address like http://127.0.0.1:4001';

/**
 * The targets of a run, judged before any of them is asked anything. `--i-own` is the host of a
 * target as written, or one of `others`. No message repeats a password or a query.
 */
export async function resolveTargets(
  texts: readonly string[],
  owned: readonly string[],
  around: Surroundings = surroundings(),
  others: readonly string[] = [],
): Promise<readonly Target[]> {
  const urls = texts.map(parse);
  const hosts = ownedHosts(owned, new Set([...urls.map(hostOf), ...others]));
  return Promise.all(urls.map((url) => resolveOne(url, hosts, around)));
}

async function resolveOne(url: URL, owned: readonly string[], around: Surroundings): Promise<Target> {
  const named = { subject: 'the target', host: hostOf(url), shown: url.host, example: EXAMPLE };
  return {
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    ...(await locate(named, owned, around)),
  };
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
      `${EXAMPLE}, without them: --header-env Cookie=GAME_COOKIE sends what the variable holds`,
    );
  if (url.search !== '' || url.hash !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a query or a fragment`,
      `${EXAMPLE}, without them`,
    );
  // Setting `protocol` keeps ports consistent with the new scheme.
  return new URL(`${scheme}${url.href.slice(url.protocol.length)}`);
}

/** A target's address as `resolveTargets` would have it, for somebody else to reach: nothing is resolved or asked. */
export function targetUrl(text: string): string {
  const { protocol, host, pathname } = parse(text);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}

/**
 * What load may be sent to: `loopback` always, `elsewhere` on the word of its owner, and never to an address that
 * is no single machine's.
 */
type AddressKind =
  | 'loopback'
  | 'elsewhere'
  | 'a multicast address'
  | 'an unspecified address'
  | 'a link-local address'
  | 'a broadcast address';

type Subnet = readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'];

function listOf(...subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

/** The IANA registries of special-purpose addresses (RFC 6890), as far as they matter here. */
const KINDS: readonly (readonly [AddressKind, BlockList])[] = [
  ['loopback', listOf(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6'])],
  ['an unspecified address', listOf(['0.0.0.0', 8, 'ipv4'], ['::', 128, 'ipv6'])],
  ['a multicast address', listOf(['224.0.0.0', 4, 'ipv4'], ['ff00::', 8, 'ipv6'])],
  ['a link-local address', listOf(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6'])],
  // 255.255.255.255, and what else is reserved for no machine.
  ['a broadcast address', listOf(['240.0.0.0', 4, 'ipv4'])],
];

/** This host's own addresses, and the broadcast addresses of its networks. */
interface OwnAddresses {
  readonly addresses: ReadonlySet<string>;
  readonly broadcasts: ReadonlySet<string>;
}

export function ownAddresses(): OwnAddresses {
  const interfaces = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return {
    addresses: new Set(interfaces.map(({ address }) => canonical(address))),
    broadcasts: new Set(
      interfaces
        .filter(({ family }) => family === 'IPv4')
        .flatMap(({ address, netmask }) => broadcastOf(address, netmask) ?? []),
    ),
  };
}

/** The last address of a network; null where it has none (/31 and /32, RFC 3021). */
function broadcastOf(address: string, netmask: string): string | null {
  const mask = bytesOf(netmask);
  if (mask.length !== 4 || (mask[3] ?? 0) >= 254) return null;
  return bytesOf(address)
    .map((byte, index) => byte | (~(mask[index] ?? 255) & 255))
    .join('.');
}

const bytesOf = (address: string): number[] => address.split('.').map(Number);

/** An IPv4 address inside IPv6 (`::ffff:127.0.0.1`) is of the kind of the IPv4 address. */
export function kindOf(address: string, { broadcasts }: OwnAddresses): AddressKind {
  const plain = canonical(address);
  if (broadcasts.has(plain)) return 'a broadcast address';
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  return KINDS.find(([, list]) => list.check(plain, family))?.[0] ?? 'elsewhere';
}

/** Whether an address is this host's: loopback, or of one of its interfaces. */
export const isThisHost = (address: string, own: OwnAddresses): boolean =>
  kindOf(address, own) === 'loopback' || own.addresses.has(canonical(address));

/** One spelling for one address: `::FFFF:7f00:1` is `127.0.0.1`, `fe80::1%eth0` is `fe80::1`. */
export function canonical(address: string): string {
  if (isIP(address) !== 6) return address;
  const six = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(six) ?? [];
  if (high === undefined || low === undefined) return six;
  const four = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (four >>> shift) & 255).join('.');
}

/** A host that may be asked, its name resolved once and for all. */
interface Located {
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
interface Named {
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
