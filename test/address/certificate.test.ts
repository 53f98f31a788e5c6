import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Reachable } from '../../src/address/access.ts';
import { openSocket } from '../../src/load/player/socket.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { UndiciTransport } from '../../src/systems/flux/monsters/post-transport.ts';
import { openWorldProbe } from '../../src/systems/flux/probe.ts';
import { portOf } from '../loopback.ts';
import { CA, OTHER_CA, tlsFront } from '../tls-front.ts';

const never = new AbortController().signal;
const ADDRESS = '127.0.0.1';

/** A plain HTTP server, and the requests that it received. */
async function plainServer() {
  const seen: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url, ...request.headers });
    response.writeHead(request.method === 'POST' ? 202 : 200).end('process_cpu_seconds_total 1\n');
  });
  server.on('upgrade', (request, socket) => {
    seen.push({ path: request.url, ...request.headers });
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  return { seen, port: await portOf(server) };
}

const health = (world: Reachable) =>
  askHealth(world, never).then(
    () => expect.fail('it was taken'),
    (error: Error & { exitCode?: number; hint?: string }) => error,
  );

test('a certificate is trusted with its CA, by its host name, at the pinned address', async () => {
  const { seen, port } = await plainServer();
  const front = await tlsFront(port);
  const access = { address: ADDRESS, ca: CA, headers: { 'X-Realm': 'test' } };
  const url = `https://world.invalid:${front}`;
  expect((await health({ url, ...access })).message).toContain('not like a world server');

  const probe = openWorldProbe({ url, ...access, pid: null }, 1);
  expect(await probe.sample()).toContainEqual({ series: 'world.1.cpuSeconds', kind: 'counter', value: 1 });
  await probe.close();

  const socket = openSocket(`wss://world.invalid:${front}/play`, null, 1024, access);
  const [error] = await once(socket, 'error').catch((thrown) => [thrown]);
  expect(String(error)).toContain('403');

  const accepted = await new Promise((resolve) => {
    const events = { accepted: resolve, refused: resolve, postsLost: resolve };
    const wire = new UndiciTransport({ url, ...access }, 'g', 1, events);
    onTestFinished(() => wire.close());
    wire.send(7, 1, '[]');
  });
  expect(accepted).toBe(7);
  expect(seen.map((one) => [one.path, one['x-realm'], one.host])).toEqual(
    ['/health', '/metrics', '/play', '/commands?generator=g&post=1'].map((path) => [
      path,
      'test',
      `world.invalid:${front}`,
    ]),
  );
});

test.each([
  ['of an unknown authority', 'localhost', 'server', undefined, /CA that is not trusted/, /--ca-file/],
  ['of another authority', 'localhost', 'server', OTHER_CA, /CA that is not trusted/, /--ca-file/],
  ['that has expired', 'localhost', 'expired', CA, /has expired/, /renew/],
  ['for another host', ADDRESS, 'server', CA, /for another host/, /name/],
] as const)('a certificate %s is refused with 93, by name', async (_, host, certificate, ca, what, hint) => {
  const { seen, port } = await plainServer();
  const front = await tlsFront(port, certificate);
  const error = await health({
    url: `https://${host}:${front}`,
    ...(host === ADDRESS ? {} : { address: ADDRESS }),
    ...(ca === undefined ? {} : { ca }),
  });
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain(`https://${host}:${front}`);
  expect(error.message).toMatch(what);
  expect(error.hint).toMatch(hint);
  expect(seen).toEqual([]);
});

test('https to a server without TLS is reported as such', async () => {
  const { port } = await plainServer();
  const error = await health({ url: `https://${ADDRESS}:${port}`, ca: CA });
  expect([error.exitCode, error.message]).toEqual([93, expect.stringContaining('the TLS handshake failed')]);
});
