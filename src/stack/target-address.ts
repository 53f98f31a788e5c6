import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { badInput, messageOf, stackFailed } from '../errors.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};
const EXAMPLE = 'give an address like http://127.0.0.1:4001';

/**
 * The base URLs that a `--target` may mean: one for each address of its host, names resolved once and pinned.
 * (https keeps the name, which its certificate holds.) Only loopback is let through: load is never sent to
 * somebody else's machine. Rejects with exit code 104 for what is no such address, and 93 for a name that
 * nobody knows. No message repeats a password.
 */
export async function targetAddresses(text: string): Promise<readonly string[]> {
  const url = parse(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolved(host) : [host];
  const foreign = addresses.find((address) => !isLoopback(address));
  if (foreign !== undefined) {
    throw badInput(
      `the target ${url.host} is at ${foreign}, which is not this host`,
      'only loopback targets are loaded (127.0.0.0/8, [::1], localhost): run capbench where the world runs',
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (url.protocol === 'https:') return [`https://${url.host}${path}`];
  const port = url.port === '' ? '' : `:${url.port}`;
  return addresses.map((address) => `http://${isIP(address) === 6 ? `[${address}]` : address}${port}${path}`);
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badInput(`--target: "${withoutUserinfo(text)}" is no URL`, EXAMPLE);
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.hostname === '')
    throw badInput(`--target: "${withoutUserinfo(text)}" is neither http, https, ws nor wss`, EXAMPLE);
  if (url.username !== '' || url.password !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a user or a password`,
      `${EXAMPLE}, without them`,
    );
  if (url.search !== '' || url.hash !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a query or a fragment`,
      `${EXAMPLE}, without them`,
    );
  // Setting `protocol` keeps ports consistent with the new scheme.
  return new URL(`${scheme}${url.href.slice(url.protocol.length)}`);
}

const withoutUserinfo = (text: string): string => text.replace(/[^/]*@/, '');

async function resolved(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw stackFailed(`the target's name ${name} is unknown: ${messageOf(error)}`, EXAMPLE, error);
  }
}

function isLoopback(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return loopback.check(mapped, 'ipv4');
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
