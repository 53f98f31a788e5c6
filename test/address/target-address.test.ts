import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { type Resolver, resolveTargets, type Target } from '../../src/address/target-address.ts';
import { CapbenchError } from '../../src/errors.ts';
import { attachWorld } from '../../src/systems/flux/attach.ts';
import { portOf } from '../loopback.ts';
import { scenarioOf } from '../stack/small-scenario.ts';

const own = { addresses: new Set(['198.51.100.7']), broadcasts: new Set(['198.51.100.255']) };

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'world.example': ['127.0.0.1'],
  'both.example': ['127.0.0.1', '::1'],
  'game.example': ['192.0.2.1', '2001:db8::1'],
  'mixed.example': ['127.0.0.1', '192.0.2.1'],
  'mine.example': ['198.51.100.7'],
  'halfmine.example': ['198.51.100.7', '192.0.2.1'],
  'metadata.example': ['169.254.169.254'],
  'some.example': ['192.0.2.1', '224.0.0.1'],
  'nowhere.example': [],
};

/** A resolver that knows these names. */
const resolve: Resolver = async (name) => {
  const addresses = NAMES[name];
  if (addresses === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
  return addresses;
};

const targets = (texts: readonly string[], owned: readonly string[] = []): Promise<readonly Target[]> =>
  resolveTargets(texts, owned, { resolve, own });

async function refusal(texts: readonly string[], owned: readonly string[] = []): Promise<CapbenchError> {
  const error = await targets(texts, owned).then(
    () => expect.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CapbenchError)) throw error;
  return error;
}

test('loopback needs no consent, whatever its name', async () => {
  const found = await targets(['http://world.example:4001/1/', 'wss://both.example', 'http://[::1]:4001']);
  const here = { foreign: false, onThisHost: true };
  expect(found).toEqual([
    { url: 'http://world.example:4001/1', host: 'world.example', addresses: ['127.0.0.1'], ...here },
    { url: 'https://both.example', host: 'both.example', addresses: ['127.0.0.1', '::1'], ...here },
    { url: 'http://[::1]:4001', host: '::1', addresses: ['::1'], ...here },
  ]);
});

test.each([
  'http://game.example:4001',
  'http://192.0.2.1',
  'http://[2001:db8::1]:4001',
  'http://198.51.100.7',
])('%s is refused, and accepted with --i-own', async (text) => {
  const error = await refusal([text]);
  expect(error.exitCode).toBe(104);
  const host = new URL(text).hostname.replace(/^\[|\]$/g, '');
  expect(error.hint).toContain(`--i-own ${host}`);
  const [target] = await targets([text], [host]);
  expect(target).toMatchObject({ foreign: true, host, onThisHost: text.includes('198.51.100.7') });
});

test.each([
  ['http://0.0.0.0', '0.0.0.0', /unspecified/],
  ['http://[::]', '::', /unspecified/],
  ['http://224.0.0.1', '224.0.0.1', /multicast/],
  ['http://[ff02::1]', 'ff02::1', /multicast/],
  ['http://169.254.169.254', '169.254.169.254', /link-local/],
  ['http://[fe80::1]', 'fe80::1', /link-local/],
  ['http://255.255.255.255', '255.255.255.255', /broadcast/],
  ['http://198.51.100.255', '198.51.100.255', /broadcast/],
  ['http://metadata.example', 'metadata.example', /link-local/],
  ['http://some.example', 'some.example', /multicast/],
  ['http://mixed.example', 'mixed.example', /only some of these are loopback/],
])('%s is refused, even with --i-own', async (text, host, message) => {
  const error = await refusal([text], [host]);
  expect(error.exitCode).toBe(104);
  expect(error.message).toMatch(message);
});

test('--i-own applies to the host as the target spells it: no wildcard, no suffix, no other name of the same machine', async () => {
  for (const owned of ['192.0.2.1', 'example', 'a.game.example', 'game.example.', 'mine.example']) {
    expect((await refusal(['http://game.example'], [owned])).message).toContain(
      `--i-own ${owned} is not the host of any --target`,
    );
  }
  for (const owned of [
    '*',
    '*.example',
    'game.example:80',
    'http://game.example',
    'game.example/',
    '',
    'a b',
  ]) {
    const error = await refusal(['http://game.example'], [owned]);
    expect([error.exitCode, error.message]).toEqual([104, expect.stringContaining('--i-own')]);
    expect(error.message).toContain('expected one host');
  }
  // --i-own for one host does not apply to another.
  const error = await refusal(['http://game.example', 'http://mine.example'], ['game.example']);
  expect(error.hint).toContain('--i-own mine.example');
  expect(
    (await targets(['http://GAME.example', 'http://mine.example'], ['game.EXAMPLE', 'mine.example'])).length,
  ).toBe(2);
  expect((await refusal([], ['game.example'])).exitCode).toBe(104);
});

test('a secret in --i-own is not repeated', async () => {
  const { message, hint } = await refusal(['http://game.example'], ['ann:s3cret@game.example']);
  expect(message + hint).not.toContain('s3cret');
});

test('a name with addresses on this host and elsewhere needs consent', async () => {
  const [mine] = await targets(['http://mine.example'], ['mine.example']);
  expect(mine).toMatchObject({ foreign: true, onThisHost: true });
  const [half] = await targets(['http://halfmine.example'], ['halfmine.example']);
  expect(half).toMatchObject({ foreign: true, onThisHost: false });
});

test('a name without an address, or an unknown name, ends with 93', async () => {
  expect((await refusal(['http://nowhere.example'])).exitCode).toBe(93);
  expect((await refusal(['http://no-such.example'])).exitCode).toBe(93);
});

test('a name is resolved once, so a later change of its address has no effect', async () => {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(`${request.headers.host}${request.url}`);
    response.end(
      JSON.stringify({
        ...{ status: 'ok', world: 'flux', protocol: 1, instance: 1, instances: 1 },
        ...{ playersTotal: 2, monstersTotal: 0, players: { from: 0, to: 2 }, monsters: { from: 2, to: 2 } },
        rowShape: 'columns',
      }),
    );
  });
  const port = await portOf(server);
  const asked: string[] = [];
  // DNS rebinding: the first answer is loopback, all later ones are another machine.
  const resolve: Resolver = async (name) => {
    asked.push(name);
    return asked.length === 1 ? ['127.0.0.1'] : ['192.0.2.1'];
  };
  const text = `http://rebound.invalid:${port}`;
  const found = await resolveTargets([text], [], { resolve, own });
  const stack = await attachWorld(found, scenarioOf({}), { signal: new AbortController().signal });
  expect(stack.endpoints.worlds).toEqual([{ url: text, address: '127.0.0.1', pid: null }]);
  expect(asked).toEqual(['rebound.invalid']);
  expect(paths).toEqual([`rebound.invalid:${port}/health`]);
});
