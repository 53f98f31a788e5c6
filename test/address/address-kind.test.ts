import { describe, expect, test } from 'vitest';
import { canonical, isThisHost, kindOf, ownAddresses } from '../../src/address/target-address.ts';

const own = { addresses: new Set(['198.51.100.7', '2001:db8::7']), broadcasts: new Set(['198.51.100.255']) };

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['126.255.255.255', 'elsewhere'],
  ['128.0.0.0', 'elsewhere'],
  ['192.0.2.1', 'elsewhere'],
  ['10.0.0.1', 'elsewhere'],
  ['198.51.100.7', 'elsewhere'],
  ['2001:db8::1', 'elsewhere'],
  ['::2', 'elsewhere'],
  // IPv6 forms of IPv4 addresses that belong to other machines.
  ['::127.0.0.1', 'elsewhere'],
  ['64:ff9b::7f00:1', 'elsewhere'],
  ['0.0.0.0', 'an unspecified address'],
  ['0.1.2.3', 'an unspecified address'],
  ['::', 'an unspecified address'],
  ['::ffff:0.0.0.0', 'an unspecified address'],
  ['224.0.0.1', 'a multicast address'],
  ['239.255.255.255', 'a multicast address'],
  ['::ffff:224.0.0.1', 'a multicast address'],
  ['ff02::1', 'a multicast address'],
  ['169.254.169.254', 'a link-local address'],
  ['::ffff:169.254.169.254', 'a link-local address'],
  ['fe80::1', 'a link-local address'],
  ['fe80::1%eth0', 'a link-local address'],
  ['255.255.255.255', 'a broadcast address'],
  ['240.0.0.1', 'a broadcast address'],
  ['198.51.100.255', 'a broadcast address'],
  ['::ffff:198.51.100.255', 'a broadcast address'],
])('%s is %s', (address, kind) => {
  expect(kindOf(address, own)).toBe(kind);
});

describe('this host', () => {
  test.each([
    ['127.0.0.9', true],
    ['198.51.100.7', true],
    ['::ffff:198.51.100.7', true],
    ['2001:DB8:0::7', true],
    ['198.51.100.8', false],
    ['2001:db8::8', false],
  ])('%s: %s', (address, is) => {
    expect(isThisHost(address, own)).toBe(is);
  });

  test('the addresses that this machine reports', () => {
    const here = ownAddresses();
    expect(here.addresses).toContain('127.0.0.1');
    for (const address of here.addresses) expect(isThisHost(address, here)).toBe(true);
    for (const address of here.broadcasts) expect(here.addresses).not.toContain(address);
    expect(here.broadcasts).toContain('127.255.255.255');
  });
});

test('one spelling for each address', () => {
  expect(['::FFFF:127.0.0.1', 'FE80:0::1%lo', '10.0.0.1', '2001:DB8::0'].map(canonical)).toEqual([
    '127.0.0.1',
    'fe80::1',
    '10.0.0.1',
    '2001:db8::',
  ]);
});
