import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * What load may be sent to: `loopback` always, `elsewhere` on the word of its owner, and never to an address that
 * is no single machine's.
 */
export type AddressKind =
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
export interface OwnAddresses {
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
