import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { badInput, messageOf, stackFailed } from '../errors.ts';

/** A `--target` that may be loaded; its name is resolved once. */
export interface Target extends Located {
  /** Base URL, http or https, without a trailing slash. It keeps the name for the Host header and the certificate. */
  readonly url: string;
}

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};
const EXAMPLE = 'use an address such as http://127.0.0.1:4001';

/**
 * The targets of a run, checked before any request is sent to one. Each `--i-own` must be the host of a target, or one
 * of `others`. No message repeats a password or a query.
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
    throw badInput(`--target: ${repeatable(text)} is not a URL`, EXAMPLE);
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.hostname === '')
    throw badInput(`--target: ${repeatable(text)} is not an http, https, ws or wss URL`, EXAMPLE);
  if (url.username !== '' || url.password !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a user or a password`,
      `${EXAMPLE}; to send credentials, use --header-env Cookie=GAME_COOKIE, which sends the variable's value`,
    );
  if (url.search !== '' || url.hash !== '')
    throw badInput(`--target: the address of ${url.host} holds a query or a fragment`, EXAMPLE);
  // Setting `protocol` keeps ports consistent with the new scheme.
  return new URL(`${scheme}${url.href.slice(url.protocol.length)}`);
}

/** A target's URL as `resolveTargets` returns it, without resolving its name: for files that another program will run. */
export function targetUrl(text: string): string {
  const { protocol, host, pathname } = parse(text);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}

/**
 * Load may always be sent to `loopback`, `elsewhere` with the owner's confirmation, and never to an address that does
 * not belong to one machine.
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
  // 255.255.255.255 and the reserved block around it.
  ['a broadcast address', listOf(['240.0.0.0', 4, 'ipv4'])],
];

/** This host's own addresses, and the broadcast addresses of its networks. */
interface OwnAddresses {
  readonly addresses: ReadonlySet<string>;
  readonly broadcasts: ReadonlySet<string>;
}

const NO_ADDRESSES: OwnAddresses = { addresses: new Set(), broadcasts: new Set() };

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

/** An IPv4-mapped IPv6 address (`::ffff:127.0.0.1`) has the kind of its IPv4 address. */
export function kindOf(address: string, { broadcasts }: OwnAddresses): AddressKind {
  const plain = canonical(address);
  if (broadcasts.has(plain)) return 'a broadcast address';
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  return KINDS.find(([, list]) => list.check(plain, family))?.[0] ?? 'elsewhere';
}

export const isLoopback = (address: string): boolean => kindOf(address, NO_ADDRESSES) === 'loopback';

/** Whether an address belongs to this host: loopback, or one of its interfaces. */
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

/** A host to which requests may be sent; its name is resolved once. */
interface Located {
  /** As in a URL, without brackets. */
  readonly host: string;
  /** The addresses of its name, or the host itself. Never empty. */
  readonly addresses: readonly string[];
  /** Not loopback: allowed because the user confirmed to own it. */
  readonly foreign: boolean;
  /** All of its addresses belong to this host. */
  readonly onThisHost: boolean;
}

/** All addresses of a name. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** The host's resolver and addresses; tests pass others. */
export interface Surroundings {
  readonly resolve: Resolver;
  readonly own: OwnAddresses;
}

/** A host, and the words for messages about it. */
interface Named {
  /** `the target` */
  readonly subject: string;
  readonly host: string;
  /** Host and port as given; it holds no secret. */
  readonly shown: string;
  readonly example: string;
}

export const surroundings = (): Surroundings => ({
  resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  own: ownAddresses(),
});

/**
 * Resolves a host. Only loopback and hosts that the user confirms to own (`owned`, from ownedHosts) are allowed, so that
 * nobody else's machine is loaded. Names are resolved here and nowhere else. Rejects with exit code 104 for a host that
 * is not allowed, and 93 for a name that cannot be resolved.
 */
export async function locate(
  { subject, host, shown, example }: Named,
  owned: readonly string[],
  { resolve, own }: Surroundings,
): Promise<Located> {
  const addresses = isIP(host) === 0 ? await resolved(`${subject} ${shown}`, host, example, resolve) : [host];
  const kinds = addresses.map((address) => kindOf(address, own));
  const at = (index: number): string =>
    host === addresses[index]
      ? `${subject} ${shown}`
      : `${subject} ${shown} resolves to ${addresses[index]}, which`;
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'loopback' || kind === 'elsewhere') continue;
    throw badInput(`${at(index)} is ${kind}, which does not belong to one machine`, example);
  }
  const away = kinds.indexOf('elsewhere');
  if (away >= 0 && kinds.includes('loopback')) {
    throw badInput(
      `${subject} ${shown} resolves to ${addresses.join(' and ')}: only some of these are loopback`,
      'a name must belong to one machine: use its address instead',
    );
  }
  if (away >= 0 && !owned.includes(host)) {
    throw badInput(
      `${at(away)} is not loopback: it may be another person's machine`,
      `confirm that you own this host: --i-own ${host}; only loopback (127.0.0.0/8, [::1], localhost) needs no confirmation`,
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

/** That of the protocol where the URL has none. */
export const portOf = ({ port, protocol }: URL): number =>
  Number(port) || (/^(https|wss):$/.test(protocol) ? 443 : 80);

/** The hosts of `--i-own`, each of which must be the host of a target or of a probe (`named`). */
export function ownedHosts(owned: readonly string[], named: ReadonlySet<string>): readonly string[] {
  const hosts = owned.map((text) => namedHost('--i-own', text));
  const idle = hosts.findIndex((host) => !named.has(host));
  if (idle >= 0) {
    throw badInput(
      `--i-own ${owned[idle]} is not the host of any --target or probe`,
      'write the host as in --target: --target http://game.example:4001 --i-own game.example',
    );
  }
  return hosts;
}

/**
 * A host of `--i-own`, or of another option, as in a URL. No wildcard and no port: the confirmation is for one host.
 * @throws CapbenchError (104)
 */
export function namedHost(source: string, text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1');
  try {
    if (isIP(host) === 6) return hostOf(new URL(`http://[${host}]`));
    if (/^[^\s*?#%@/\\:[\],]+$/.test(host)) return hostOf(new URL(`http://${host}`));
  } catch {
    // Falls through to the error below.
  }
  throw badInput(
    `${source}: got ${/[@?#/]/.test(text) ? 'a URL' : `"${text}"`}, expected one host`,
    `use the name or the address of a --target that you own, such as ${source} game.example; no wildcard, no port`,
  );
}

/** A text that cannot be parsed is not repeated where it may hold a secret. */
export const repeatable = (text: string): string =>
  /[@?#]/.test(text) ? 'the value (not repeated, since it may hold a secret)' : `"${text}"`;

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
    throw stackFailed(`${subject}: the name ${name} cannot be resolved: ${messageOf(error)}`, example, error);
  }
  if (addresses.length === 0) throw stackFailed(`${subject}: the name ${name} has no address`, example);
  return addresses;
}
