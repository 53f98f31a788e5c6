import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { pinnedLookup } from '../../src/address/access.ts';
import { openSocket } from '../../src/load/player/socket.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { UndiciTransport } from '../../src/systems/flux/monsters/post-transport.ts';
import { openWorldProbe } from '../../src/systems/flux/probe.ts';
import { portOf } from '../loopback.ts';

/** No resolver knows this name (RFC 6761), so a connection can only have used the pinned address. */
const NAME = 'world.invalid';
const ADDRESS = '127.0.0.1';
const never = new AbortController().signal;

/** A server on loopback, and its requests as `host path`. */
async function listening() {
  const asked: string[] = [];
  const note = ({ headers, url }: IncomingMessage): void => void asked.push(`${headers.host} ${url}`);
  const server = createServer((request, response) => {
    note(request);
    if (request.method === 'POST') response.writeHead(202);
    response.end('process_cpu_seconds_total 1\n');
  });
  new WebSocketServer({ server }).on('connection', (_, request) => note(request));
  const port = await portOf(server);
  return { asked, port, url: `http://${NAME}:${port}` };
}

/** The outcome of a post: its number when it was accepted, or why it was not. */
const posted = (post: number, url: string): Promise<unknown> =>
  new Promise((resolve) => {
    const events = { accepted: resolve, refused: resolve, postsLost: resolve };
    const wire = new UndiciTransport({ url, address: ADDRESS }, 'g', 1, events);
    onTestFinished(() => wire.close());
    wire.send(post, 1, '[]');
  });

test('every connection to a name goes to its pinned address, with the name as Host', async () => {
  const { asked, port, url } = await listening();
  const health = await askHealth({ url, address: ADDRESS }, never).catch((error: Error) => error.message);
  expect(health).toContain('not like a world server');

  const probe = openWorldProbe({ url, address: ADDRESS, pid: null }, 1);
  expect(await probe.sample()).toContainEqual({ series: 'world.1.cpuSeconds', kind: 'counter', value: 1 });
  await probe.close();

  const socket = openSocket(`ws://${NAME}:${port}/play`, null, 1024, { address: ADDRESS });
  await once(socket, 'open');
  socket.terminate();

  expect(await posted(7, url)).toBe(7);

  const host = `${NAME}:${port}`;
  expect(asked).toEqual([
    `${host} /health`,
    `${host} /metrics`,
    `${host} /play`,
    `${host} /commands?generator=g&post=1`,
  ]);
});

test('https connects to the pinned address, too, and checks the certificate for the name', async () => {
  const names: string[] = [];
  const server = createTlsServer({
    SNICallback: (name, done) => {
      names.push(name);
      // The server has no certificate; the test only checks which name the TLS handshake asks for.
      done(new Error('no certificate'));
    },
  });
  server.on('tlsClientError', () => undefined);
  const port = await portOf(server);
  const url = `https://${NAME}:${port}`;

  await expect(askHealth({ url, address: ADDRESS }, never)).rejects.toMatchObject({ exitCode: 93 });
  const probe = openWorldProbe({ url, address: ADDRESS, pid: null }, 1);
  await expect(probe.sample()).rejects.toThrow();
  await probe.close();
  const socket = openSocket(`wss://${NAME}:${port}/play`, null, 1024, { address: ADDRESS });
  await once(socket, 'error');
  expect(await posted(0, url)).toEqual(expect.any(String));
  expect(names).toEqual([NAME, NAME, NAME, NAME]);
});

test('without the pin, the name would be looked up', async () => {
  const { asked, url } = await listening();
  await expect(askHealth({ url }, never)).rejects.toMatchObject({ exitCode: 93 });
  expect(asked).toEqual([]);
});

test('a lookup for one address and a lookup for all addresses give the pinned one', async () => {
  const { port } = await listening();
  for (const options of [{ autoSelectFamily: true }, { autoSelectFamily: false }]) {
    const socket = connect({ host: NAME, port, lookup: pinnedLookup(ADDRESS), ...options });
    await once(socket, 'connect');
    expect(socket.remoteAddress).toBe(ADDRESS);
    socket.destroy();
  }
});
